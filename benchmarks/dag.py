"""Time of `snakemake -n` on experiments of more and more splits, alternately.

    python benchmarks/dag.py [--splits 10 100 1000] [--rounds 3]

Run from the project's folder; the experiments are on names of images, two classes a split, in a copy of it.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMAGES = 14  # of a class, half of them held out: as few as every measurement takes
PROTOCOL = """
data: {{source: class-folders, root: data/raw/of{splits}, classes: {classes}, split_size: 2, held_out: 0.5}}
judge: {{name: auto}}
features: {{network: judge}}
distribution: {{kid_subset_size: 20}}
"""
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for part in ("workflow", "experiments"):
            shutil.copytree(part, place / part)
        for part in ("Snakefile", "params.yaml"):
            shutil.copy(part, place)
        for splits in words.splits:
            lay_out(place, splits)
        seconds: dict[int, list[float]] = {splits: [] for splits in words.splits}
        jobs = {}
        for _ in range(words.rounds):
            for splits in words.splits:
                start = time.perf_counter()
                jobs[splits] = dry_run(place, splits)
                seconds[splits].append(time.perf_counter() - start)
    for splits, times in seconds.items():
        middle, least = statistics.median(times), min(times)
        print(f"{splits:5d} splits, {jobs[splits]:5d} jobs: {middle:6.1f} s (least {least:.1f})")


def lay_out(place: Path, splits: int) -> None:
    """A protocol on names of images, which no dry run opens, and an experiment under it."""
    root, folder = place / f"data/raw/of{splits}", place / f"experiments/of{splits}"
    folder.mkdir()
    (folder / "protocol.yaml").write_text(PROTOCOL.format(splits=splits, classes=2 * splits))
    (folder / "acgan.yaml").touch()
    for number in range(2 * splits):
        (root / f"class{number:04d}").mkdir(parents=True)
        for image in range(IMAGES):
            (root / f"class{number:04d}/{image}.png").write_bytes(b"x")


def dry_run(place: Path, splits: int) -> int:
    """Plan an experiment; the number of its jobs."""
    command = [SNAKEMAKE, "--dry-run", "--config", f"experiment=of{splits}/acgan"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    (total,) = set(re.findall(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    return int(total)


if __name__ == "__main__":
    main()
