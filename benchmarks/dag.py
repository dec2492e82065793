"""Time of `snakemake -n` on experiments of more and more splits, alternately.

    python benchmarks/dag.py [--splits 10 100 1000] [--rounds 3]

Run from the project's folder; the experiments are ImageNet's with another split size, in a copy of it.
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
            text = f"data: {{split_size: {1000 // splits}}}\n"
            (place / "experiments" / f"of{splits}.yaml").write_text(text)
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


def dry_run(place: Path, splits: int) -> int:
    """Plan an experiment; the number of its jobs."""
    command = [SNAKEMAKE, "--dry-run", "--config", f"experiment=of{splits}"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    (total,) = set(re.findall(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    return int(total)


if __name__ == "__main__":
    main()
