"""`centigan.load`: a trained generator from the results of an experiment, wherever the caller stands."""

import os
from dataclasses import replace
from pathlib import Path

import centigan
from centigan.classes import named, read_classes
from centigan.data.decode import BadImage, decode
from centigan.errors import UserError
from centigan.generator import TrainedGenerator
from centigan.intact import REMEDY, hold_to_digests, require_its_text_encoder
from centigan.layout import GROUPS, Layout, owned
from centigan.manifest import FACTS, read_manifest
from centigan.params import parse
from centigan.settings import Named
from centigan.settings.families import OfModel
from centigan.settings.families.contract import FamilySettings
from centigan.sheets import Images
from centigan.text.stored import load_text_encoder
from centigan.trained import trained_family
from centigan.training.engine import choose_device
from centigan.yaml_mapping import advice

ROOT = "CENTIGAN_ROOT"  # environment variable: the project's folder
SNAPSHOTS = "snapshots.safetensors"
MARKS = ("params.yaml", "experiments")  # what a project's folder holds


def load(
    experiment: str, split: int | str = 0, *, root: str | Path | None = None, device: str = "cpu"
) -> TrainedGenerator:
    """The trained generator of one split, ready to sample.

        images = centigan.load("digits/acgan", split=0).sample(["3", "4"], seed=1)  # uint8 (2, 32, 32, 3)

    It is built with the settings that it was trained with, whatever the experiment's file says now. Its files
    are held to their checksums; nothing is unpickled.

    Args:
        experiment: a protocol and a folder below it in results/, such as "digits/acgan".
        split: number or name, 7 or "07".
        root: the project's folder; by default what the environment variable CENTIGAN_ROOT names, else the
            folder of or above the working directory that holds params.yaml and experiments/, else the
            checkout that this package is installed from.
        device: "cpu", "cuda", "cuda:1"; images of another device may differ by a level of 255.

    Raises:
        UserError: for a name that is none, when no project, experiment or split is found, or when the split
            is not trained, or its files are missing or damaged.
    """
    parse(Named, {"experiment": experiment}, "centigan.load")
    layout = Layout(experiment, find_root(root))
    if layout.is_protocol or not layout.results.is_dir():
        raise UserError(f"{layout.results} is missing; {_why(layout)}")
    layout = replace(layout, group=_group_of(layout))
    classes = read_classes(layout)
    name = _named(split, sorted({each.split for each in classes}))
    place = choose_device(device, name)
    model = _model(layout, name)
    _verify(layout.train(name), model)
    family, ids, shape = trained_family(layout, name, model, place)
    elsewhere = [each for each in classes if each.split != name]
    groups = named(model.groups(ids), name, classes)
    text = None
    if "by_caption" in model.abilities:
        require_its_text_encoder(layout, name)
        text = load_text_encoder(layout.text)
    return TrainedGenerator(family, groups, elsewhere=elsewhere, text=text, shape=shape, device=place)


def read_image(path: str | Path, side: int) -> Images:
    """An image of your own as training images are read: its centre square, resized (docs/protocols.md).

    Args:
        path: of a JPEG, a PNG or another format that the pipeline reads.
        side: pixels; a generator's is `generator.resolution`.

    Returns:
        uint8 (side, side, 3), RGB in 0..255.

    Raises:
        UserError: when there is no such file, or it is no whole image.
    """
    file = Path(path)
    try:
        return decode(file.read_bytes(), side, name=file.name).pixels
    except BadImage as error:
        raise UserError(f"{file} {error}") from None
    except OSError as error:
        raise UserError(f"{file}: no image can be read there ({error.strerror}); name a file") from None


def find_root(root: str | Path | None = None) -> Path:
    """The project's folder: the one given, or else named by CENTIGAN_ROOT, or else found.

    Raises:
        UserError: when there is none, or it is no folder.
    """
    for given, where in ((root, "root"), (os.environ.get(ROOT), ROOT)):
        if given:
            return _project(given, where)
    here, checkout = Path.cwd(), Path(centigan.__file__).parents[2]
    for folder in (here, *here.parents, checkout):
        if _is_project(folder):
            return folder
    raise UserError(
        f"no project found: neither {here} nor a folder above it holds {' and '.join(MARKS)}; name the "
        f"project's folder as `root`, or in the environment variable {ROOT}"
    )


def _project(given: str | Path, where: str) -> Path:
    """The folder that is given; results alone are enough to load from."""
    folder = Path(os.path.expanduser(given))  # noqa: PTH111 - Path.expanduser fails for a user there is not
    if not folder.is_dir():
        raise UserError(f"{where}: {given} is no folder; name the project's, which holds {MARKS[0]}")
    if not _is_project(folder) and not (folder / "results").is_dir():
        raise UserError(
            f"{where}: {given} is no project: it holds neither {' and '.join(MARKS)} nor results; name the "
            "folder that does"
        )
    return folder


def _is_project(folder: Path) -> bool:
    return all((folder / mark).exists() for mark in MARKS)


def _why(layout: Layout) -> str:
    """What to do about an experiment without results."""
    if (layout.root / "experiments" / f"{layout.experiment}.yaml").is_file():
        return f"it has not run yet: run `snakemake --config experiment={layout.experiment}`, or `dvc pull`"
    trained = (layout.root / "results").glob("*/*/train")
    known = sorted(path.parent.relative_to(layout.root / "results").as_posix() for path in trained)
    return advice(layout.experiment, known) if known else "nothing has run there yet: run `snakemake`"


def _group_of(layout: Layout) -> str:
    """The home of the arrays that an experiment was trained on, where those are not its protocol's."""
    if not (layout.results.parent / GROUPS).is_dir():
        return ""
    for manifest in sorted(layout.results.glob("train/*/manifest.json")):
        inputs = read_manifest(manifest.parent).get("inputs")
        if not isinstance(inputs, dict) or not inputs:
            raise UserError(f"{manifest} is damaged (it names no `inputs`); {REMEDY}")
        home, _ = owned(Path(next(iter(inputs))))
        return home if Layout(home).is_group else ""
    return ""


def _named(split: int | str, names: list[str]) -> str:
    """The name of a split given as 7, "7" or "07"."""
    for name in names:
        if str(split).isdecimal() and int(split) == int(name):
            return name
    raise UserError(f"split {split} does not exist; splits are {names[0]}..{names[-1]}")


def _model(layout: Layout, split: str) -> FamilySettings:
    """The settings that a split's networks were built with."""
    manifest = layout.train(split) / "manifest.json"
    if not manifest.exists():
        raise UserError(
            f"split {split} is not trained: {manifest} is missing; run `snakemake`, or `dvc pull`"
        )
    settings = read_manifest(manifest.parent).get("settings")
    model = settings.get("model") if isinstance(settings, dict) else None
    if not isinstance(model, dict):
        raise UserError(f"{manifest} is damaged (it holds no settings.model); {REMEDY}")
    return parse(OfModel, {"model": model}, f"{manifest}, settings").model


def _verify(folder: Path, model: FamilySettings) -> None:
    """Hold the facts and the weights to their checksums; snapshots are not used, and may be away."""
    drawn = (f"{name}.safetensors" for name in model.sampled)
    weights = {*drawn, *(path.name for path in folder.glob("*.safetensors"))} - {SNAPSHOTS}
    hold_to_digests(folder, (FACTS, *sorted(weights)))
