"""`centigan.load`: a trained generator from the results of an experiment, wherever the caller stands."""

import os
from pathlib import Path

import centigan
from centigan.classes import named, read_classes
from centigan.errors import UserError
from centigan.generator import TrainedGenerator
from centigan.layout import Layout
from centigan.manifest import DIGESTS, FACTS, read_digests, read_manifest, sha256
from centigan.params import parse
from centigan.sampling import trained_family
from centigan.settings.training import AcganConfig
from centigan.training.engine import choose_device
from centigan.yaml_mapping import advice

ROOT = "CENTIGAN_ROOT"  # environment variable: the project's folder
MARKS = ("params.yaml", "experiments")  # what a project's folder holds


def load(
    experiment: str, split: int | str = 0, *, root: str | Path | None = None, device: str = "cpu"
) -> TrainedGenerator:
    """The trained generator of one split, ready to sample.

        images = centigan.load("demo", split=0).sample(["3", "4"], seed=1)  # uint8 (2, 32, 32, 3)

    It is built with the settings that it was trained with, whatever the experiment's file says now. Its files
    are held to their checksums; nothing is unpickled.

    Args:
        experiment: a folder of results/, such as "demo".
        split: number or name, 7 or "07".
        root: the project's folder; by default what the environment variable CENTIGAN_ROOT names, else the
            folder of or above the working directory that holds params.yaml and experiments/, else the
            checkout that this package is installed from.
        device: "cpu", "cuda", "cuda:1"; images of another device may differ by a level of 255.

    Raises:
        UserError: when no project, experiment or split is found, or the split is not trained or damaged.
    """
    layout = Layout(experiment, find_root(root))
    if not layout.results.is_dir():
        known = sorted(path.name for path in layout.results.parent.glob("*") if path.is_dir())
        hint = advice(experiment, known) if known else "nothing has run there yet: run `snakemake`"
        raise UserError(f"{layout.results} is missing; {hint}")
    classes = read_classes(layout)
    name = _named(split, sorted({each.split for each in classes}))
    place = choose_device(device, name)
    family, ids = trained_family(layout, name, _model(layout, name), place)
    _verify(layout.train(name), [FACTS, *(f"{network}.safetensors" for network in family.networks)])
    elsewhere = [each for each in classes if each.split != name]
    return TrainedGenerator(family, named(ids, name, classes), elsewhere=elsewhere, device=place)


def find_root(root: str | Path | None = None) -> Path:
    """The project's folder: the one given, or else named by CENTIGAN_ROOT, or else found.

    Raises:
        UserError: when there is none, or it is no folder.
    """
    for given, where in ((root, "root"), (os.environ.get(ROOT), ROOT)):
        if given:
            if Path(given).is_dir():
                return Path(given)
            raise UserError(f"{where}: {given} is no folder; name the project's, which holds {MARKS[0]}")
    here, checkout = Path.cwd(), Path(centigan.__file__).parents[2]
    for folder in (here, *here.parents, checkout):
        if all((folder / mark).exists() for mark in MARKS):
            return folder
    raise UserError(
        f"no project found: neither {here} nor a folder above it holds {' and '.join(MARKS)}; name the "
        f"project's folder as `root`, or in the environment variable {ROOT}"
    )


def _named(split: int | str, names: list[str]) -> str:
    """The name of a split given as 7, "7" or "07"."""
    for name in names:
        if str(split).isdecimal() and int(split) == int(name):
            return name
    raise UserError(f"split {split} does not exist; splits are {names[0]}..{names[-1]}")


def _model(layout: Layout, split: str) -> AcganConfig:
    """The settings that a split's networks were built with."""
    manifest = layout.train(split) / "manifest.json"
    if not manifest.exists():
        raise UserError(
            f"split {split} is not trained: {manifest} is missing; run `snakemake`, or `dvc pull`"
        )
    made = read_manifest(manifest.parent).get("settings", {})
    return parse(AcganConfig, made.get("model"), f"{manifest}, settings.model")


def _verify(folder: Path, names: list[str]) -> None:
    digests = read_digests(folder / DIGESTS)
    for name in names:
        if digests.get(name) != sha256(folder / name):
            raise UserError(
                f"{folder / name} is not what {DIGESTS} beside it says: damaged, or copied in parts; "
                "`dvc pull` it again, or delete it and run `snakemake`"
            )
