"""A copy of the project's files to run the pipeline in."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns("cache", "tmp", "__pycache__", "config.local")


def copy_project(folder: Path, *more: str) -> None:
    """What Snakemake needs, and `more` files and folders of the project."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "params.yaml", "workflow", "experiments", *more):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, folder)
    for link in ("profiles", "slurm"):
        (folder / link).symlink_to((ROOT / link).readlink())
