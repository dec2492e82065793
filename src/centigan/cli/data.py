"""Verbs that put the raw data in place and make arrays of them."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from centigan.cli.inputs import need_inputs
from centigan.cli.options import (
    Experiment,
    LogFile,
    Split,
    Threads,
    Values,
    log_to,
    name_of,
    names_of,
    open_project,
    stage_of,
)
from centigan.errors import UserError
from centigan.params import load
from centigan.settings import Settings
from centigan.settings.data import DataSettings
from centigan.settings.sources import (
    ABOUT,
    BY_HAND,
    DOWNLOADED,
    PUT_IN_PLACE,
    ByHand,
    Downloaded,
    PutInPlace,
    files_of,
)
from centigan.settings.stages import ArraysStage, GroupStage, IndexStage, TextStage

app = typer.Typer()
Raw = Literal[PutInPlace, Downloaded, ByHand]
PUT_BY = {name: one.put_by for name, one in ABOUT.items()} | dict.fromkeys(DOWNLOADED, "data.downloads")
PUT_BY |= dict.fromkeys(BY_HAND, "data.by_hand")
FOLDERS = {  # those of another name
    "stl10_unlabelled": files_of("stl10_unlabelled"),
    "coco_captions": "coco",
    **dict.fromkeys(("archives", "kaggle", "hub_archives"), "imagenet"),
    "imagenet_npz": "imagenet32",
}
Fixture = Literal[
    "ilsvrc",
    "webdataset",
    "parquet",
    "stl10",
    "mnist",
    "fashion_mnist",
    "svhn",
    "cub200",
    "oxford102",
    "coco_captions",
    "celeba",
    "lsun",
    "tiny_imagenet",
    "imagenet_npz",
    "captioned_folders",
]
WRITERS: dict[str, str] = {  # of each fixture but that of ILSVRC2012
    "webdataset": "shards_fixture.write_shards",
    "parquet": "shards_fixture.write_shards",
    "stl10": "stl10_fixture.write_stl10",
    "mnist": "idx_fixture.write_idx",
    "fashion_mnist": "idx_fixture.write_idx",
    "svhn": "svhn_fixture.write_svhn",
    "cub200": "captioned_fixture.write_captioned",
    "oxford102": "captioned_fixture.write_captioned",
    "coco_captions": "captioned_fixture.write_captioned",
    "captioned_folders": "captioned_fixture.write_captioned",
    "celeba": "celeba_fixture.write_celeba",
    "lsun": "lsun_fixture.write_lsun",
    "tiny_imagenet": "shrunk_fixture.write_tiny_imagenet",
    "imagenet_npz": "shrunk_fixture.write_imagenet_npz",
}
OF_SEVERAL = {kind for kind, writer in WRITERS.items() if list(WRITERS.values()).count(writer) > 1}


@app.command()
def raw(
    source: Annotated[Raw, typer.Argument(show_choices=True)],
    root: Annotated[
        Path | None,
        typer.Option(help="Default: data/raw/<source>, or the folder that the protocols of that set name."),
    ] = None,
    log_file: LogFile = None,
) -> None:
    """Put a data set in place: an embedded one is written, a published one checked or downloaded.

    Of a set that is fetched by hand it says what to put where, and where it is to be had.
    """
    log_to(log_file)
    root = root or Path("data/raw") / FOLDERS.get(source, source)
    import_module(f"centigan.{PUT_BY[source]}").put_in_place(source, root)


@app.command()
def fixture(
    kind: Annotated[Fixture, typer.Argument(show_choices=True)],
    out: Annotated[Path, typer.Option(help="Folder for them.")],
    classes: Annotated[int, typer.Option(min=1)] = 10,
    per_class: Annotated[int, typer.Option(min=1, help="Training images of a class.")] = 20,
    held_out_per_class: Annotated[int, typer.Option(min=1, help="Validation images of a class.")] = 5,
    oddities: Annotated[
        bool, typer.Option("--oddities", help="Of ilsvrc: with the odd files of the real set.")
    ] = False,
) -> None:
    """Write a small data set in a published format from the photographs that ship with the dependencies."""
    counts = {"classes": classes, "per_class": per_class, "held_out_per_class": held_out_per_class}
    if kind == "ilsvrc":
        from centigan.data.fixture import write_ilsvrc

        write_ilsvrc(out, **counts, oddities=oddities)
        return
    module, function = WRITERS[kind].split(".")
    write = getattr(import_module(f"centigan.data.{module}"), function)
    write(*([kind] if kind in OF_SEVERAL else []), out, **counts)


@app.command()
def verify(experiment: Experiment = None, settings: Values = None, log_file: LogFile = None) -> None:
    """Compare the raw data with what was published: checksums of archives, numbers of images."""
    from centigan.data.verify import verify as check

    _, loaded = open_project(experiment, log_file)
    check(_data(loaded, settings))


@app.command()
def index(experiment: Experiment = None, settings: Values = None, log_file: LogFile = None) -> None:
    """List every raw image with its class and split."""
    from centigan.data.index import build_index

    layout, loaded = open_project(experiment, log_file)
    build_index(layout, _data(loaded, settings))


@app.command()
def group(
    experiment: Annotated[
        str, typer.Option("--experiment", "-e", help="Splits of a study: digits/orders/groups/shuffled_1.")
    ],
    settings: Values = None,
    log_file: LogFile = None,
) -> None:
    """Say which classes share a model, where a study compares other splits than its protocol's."""
    from centigan.grouping import write_group

    layout, loaded = open_project(experiment, log_file)
    if not layout.is_group:
        raise UserError(f"{experiment} has the splits of its protocol, which `centigan index` writes")
    write_group(layout, stage_of(GroupStage, loaded, settings))


@app.command()
def arrays(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Annotated[int, typer.Option(min=1, help="Images decoded side by side.")] = 1,
    log_file: LogFile = None,
) -> None:
    """Decode, crop and resize the images of one split; gather them, where the protocol has them."""
    layout, loaded = open_project(experiment, log_file)
    name = name_of(split, loaded)
    if layout.is_group:
        from centigan.grouping import gather_arrays

        gather_arrays(layout, name, loaded.grouping)
        return
    from centigan.data.arrays import build_arrays

    need_inputs("arrays", layout, loaded, [name])
    stage = stage_of(ArraysStage, loaded, settings)
    if settings is not None:  # handed over by the workflow: what follows must be able to end, too
        from centigan.preflight import after_index

        after_index(layout, loaded)
    build_arrays(layout, name, stage, Path(loaded.data.root), threads=threads)


def _data(loaded: Settings, handed: str | None) -> DataSettings:
    """The settings of the data: those handed over as JSON, at the root that is loaded, which is there."""
    chosen = stage_of(IndexStage, loaded, handed).data
    if chosen.source in PUT_IN_PLACE and not Path(loaded.data.root).exists():
        raise UserError(
            f"{loaded.data.root} is missing: `centigan raw {chosen.source} --root {loaded.data.root}` or "
            f"`snakemake raw --config experiment={loaded.experiment}` makes it"
        )
    return DataSettings.model_validate({**chosen.model_dump(), "root": loaded.data.root})


@app.command()
def text(
    experiment: Experiment = None, settings: Values = None, threads: Threads = None, log_file: LogFile = None
) -> None:
    """Learn to embed captions, once for all of a protocol, and measure that on held-out images."""
    from centigan.text.fit import fit_text_encoder

    layout, loaded = open_project(experiment, log_file, threads)
    shared = layout.shared
    names = names_of(load(shared.experiment))
    need_inputs("text", shared, loaded, names)
    stage = stage_of(TextStage, loaded, settings)
    features = [shared.real_features(name) for name in names] if stage.text.images == "features" else []
    fit_text_encoder([shared.arrays(name) for name in names], stage.text, shared.text, features)


@app.command()
def embed(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Embed the captions of one split by the protocol's text encoder."""
    from centigan.text.embed import embed_captions

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    need_inputs("embed", layout, loaded, [name])
    stage = stage_of(TextStage, loaded, settings)
    embed_captions(layout.arrays(name), layout.text, layout.captions(name), stage.text.captions)
