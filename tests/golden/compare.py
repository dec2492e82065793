"""Which bytes of a tiny run changed since a commit; both run here, since last bits depend on the processor.

    python tests/golden/compare.py COMMIT      (make golden SINCE=COMMIT)

Exit status 1 where a file differs, is gone or is new. Manifests are left out: they tell times and versions.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from small import TINY, TINY_PROTOCOL, write_experiment  # noqa: E402

# folders of results/ that an artifact's name begins with, wherever experiment and protocol put them
ARTIFACTS = {
    "real",
    "index",
    "arrays",
    "judge",
    "train",
    "samples",
    "latent",
    "features",
    "metrics",
    "tables",
    "figures",
}
ALONE = {"classes.csv", "summary.json"}
KINDS = {".safetensors", ".jsonl", ".npy", ".parquet", ".csv", ".json", ".svg", ".tex"}
ABOUT = {"manifest.json", "provenance.json"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory() as place:
        before, now = Path(place) / "before", Path(place) / "now"
        unpack(["git", "archive", commit], before)
        unpack(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], now)
        digests = [run(tree) for tree in (before, now)]
    return tell(*digests)


def unpack(listing: list[str], tree: Path) -> None:
    """A commit, or the working tree as it is, in a folder of its own."""
    tree.mkdir()
    if listing[1] == "archive":
        archive = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "xf", "-"], cwd=tree, check=True, input=archive)
        return
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():  # a link to a folder is no file
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)


def run(tree: Path) -> dict[str, str]:
    """Run the whole pipeline on the smallest settings; sha256 of each artifact by its name."""
    name = "small/tiny"
    if any(tree.glob("experiments/*/protocol.yaml")):
        write_experiment(tree, name)
    else:  # a commit before protocols: all in one file
        name = "tiny"
        (tree / "experiments" / "tiny.yaml").write_text(TINY_PROTOCOL + TINY)
    print(f"running {tree.name}", file=sys.stderr, flush=True)
    command = ["snakemake", "--cores", "2", "--config", f"experiment={name}"]
    home = {"PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=tree, check=True, env=os.environ | home, stdout=subprocess.DEVNULL)
    found = (path for path in (tree / "results").rglob("*") if path.is_file() and path.suffix in KINDS)
    names = {artifact(path.relative_to(tree / "results")): path for path in found}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items() if name}


def artifact(path: Path) -> str:
    """An artifact's name without protocol and experiment; "" for what is none."""
    if path.name in ALONE:
        return path.name
    for depth, part in enumerate(path.parts[:-1]):
        if part in ARTIFACTS and path.name not in ABOUT:
            return "/".join(path.parts[depth:])
    return ""


def tell(before: dict[str, str], now: dict[str, str]) -> int:
    """Print what differs; the exit status."""
    words = {
        "differs": sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
        "is gone": sorted(before.keys() - now.keys()),
        "is new": sorted(now.keys() - before.keys()),
    }
    for word, names in words.items():
        for name in names:
            print(f"{name} {word}")
    same = len(before.keys() & now.keys()) - len(words["differs"])
    print(f"{same} of {len(before)} artifacts are the same bytes")
    return int(any(words.values()))


if __name__ == "__main__":
    sys.exit(main())
