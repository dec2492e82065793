"""The verbs of the pipeline: every rule of the workflow is one of these commands.

Heavy libraries are imported by the verb that needs them, so that `centigan --help` is immediate.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from centigan import params
from centigan.errors import UserError
from centigan.layout import Layout, split_name, split_names
from centigan.settings import (
    AccuracyStage,
    ArraysStage,
    FigureSettings,
    FiguresSettings,
    Frozen,
    IndexStage,
    JudgeStage,
    MsSsimStage,
    SampleStage,
    Settings,
    TrainStage,
)

app = typer.Typer(
    help="Train and measure one class-conditional GAN per split of an image-folder data set.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("centigan")
StageT = TypeVar("StageT", bound=Frozen)

Fetched = Literal["digits", "photos", "cifar10", "cifar100"]
Experiment = Annotated[
    str | None, typer.Option("--experiment", "-e", help="A file of experiments/; default: params.yaml's.")
]
Split = Annotated[str, typer.Option("--split", "-s", help="Number of the split, from 0.")]
Values = Annotated[
    str | None,
    typer.Option(
        "--settings", help="The stage's settings as JSON, in place of params.yaml's.", metavar="JSON"
    ),
]
LogFile = Annotated[Path | None, typer.Option("--log", help="Write messages to this file too.")]
Device = Annotated[
    str, typer.Option(envvar="CENTIGAN_DEVICE", help="auto, cpu, cuda, cuda:1, ...: auto prefers a GPU.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")]


def main() -> None:
    """Run a verb; a person's mistake is one line on standard error and exit status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        app()
    except UserError as error:
        log.error("error: %s", error)
        sys.exit(1)
    except OSError as error:  # a full disk while a log is written, a folder without permission
        place = error.filename or "a file"
        log.error("error: %s: %s. Everything finished is kept; run again", place, error.strerror or error)
        sys.exit(1)
    except Exception as error:  # a fault of ours: the log file must tell of it too, in its last line
        log.exception("This should not have happened:")
        log.error("error: %s: %s", type(error).__name__, error)
        sys.exit(1)


@app.command()
def raw(
    source: Annotated[Fetched, typer.Argument(show_choices=True)],
    root: Annotated[Path | None, typer.Option(help="Default: data/raw/<source>.")] = None,
    log_file: LogFile = None,
) -> None:
    """Put a data set in place: an embedded one is written, CIFAR is checked or downloaded."""
    _log_to(log_file)
    root = root or Path("data/raw") / source
    if source == "cifar10" or source == "cifar100":
        from centigan.data.cifar_raw import download_cifar

        download_cifar(source, root)
    else:
        from centigan.data.embedded import write_embedded

        write_embedded(source, root)


@app.command()
def fixture(
    kind: Annotated[str, typer.Argument(help="ilsvrc")],
    out: Annotated[Path, typer.Option(help="Folder for the three archives.")],
    classes: Annotated[int, typer.Option(min=2)] = 10,
    per_class: Annotated[int, typer.Option(min=1, help="Training images of a class.")] = 20,
    held_out_per_class: Annotated[int, typer.Option(min=1, help="Validation images of a class.")] = 5,
    oddities: Annotated[bool, typer.Option("--oddities", help="With the odd files of the real set.")] = False,
) -> None:
    """Write archives in ILSVRC2012's formats from the photographs that ship with the dependencies."""
    if kind != "ilsvrc":
        raise UserError(f"no fixture {kind!r}; there is: ilsvrc")
    from centigan.data.fixture import write_ilsvrc

    write_ilsvrc(
        out,
        classes=classes,
        per_class=per_class,
        held_out_per_class=held_out_per_class,
        oddities=oddities,
    )


@app.command()
def verify(experiment: Experiment = None, settings: Values = None, log_file: LogFile = None) -> None:
    """Compare the raw data with what was published: checksums of archives, numbers of images."""
    _log_to(log_file)
    from centigan.data.verify import verify as check

    check(_stage(IndexStage, params.load(experiment), settings).data)


@app.command()
def index(experiment: Experiment = None, settings: Values = None, log_file: LogFile = None) -> None:
    """List every raw image with its class and split."""
    _log_to(log_file)
    from centigan.data.index import build_index

    layout, loaded = _project(experiment)
    build_index(layout, _stage(IndexStage, loaded, settings).data)


@app.command()
def arrays(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Annotated[int, typer.Option(min=1, help="Images decoded side by side.")] = 1,
    log_file: LogFile = None,
) -> None:
    """Decode, crop and resize the images of one split."""
    _log_to(log_file)
    from centigan.data.arrays import build_arrays

    layout, loaded = _project(experiment)
    stage = _stage(ArraysStage, loaded, settings)
    build_arrays(layout, _name(split, loaded), stage, threads=threads)


@app.command()
def train(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    device: Device = "auto",
    threads: Threads = None,
    images: Annotated[
        Literal["auto", "device", "mapped"],
        typer.Option(
            envvar="CENTIGAN_IMAGES",
            help="Where the training images wait: all on the device, or in their memory-mapped file. "
            "auto: on a GPU that has room, else mapped. No result depends on it.",
        ),
    ] = "auto",
    log_file: LogFile = None,
) -> None:
    """Train one split, or continue where it stopped.

    SIGTERM, SIGINT (Ctrl-C) and SIGUSR1 let the iteration end, save, and exit
    with status 75; a second signal ends at once.
    """
    _log_to(log_file)
    from centigan.site import check_scratch
    from centigan.training.engine import choose_device
    from centigan.training.loop import train_split
    from centigan.training.stopping import EXIT_STATUS, Stop, Stopped

    _use(threads)
    layout, loaded = _project(experiment)
    name = _name(split, loaded)
    stage = _stage(TrainStage, loaded, settings, name)
    check_scratch()
    stop = Stop()
    with stop.listening():
        try:
            train_split(
                layout,
                name,
                stage,
                device=choose_device(device, name),
                placement=images,
                bar=log_file is None,
                stop=stop,
            )
        except Stopped as stopped:
            log.info("%s", stopped)
            raise typer.Exit(EXIT_STATUS) from None


@app.command()
def sample(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    device: Device = "auto",
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Draw the same number of images of every class from a trained split."""
    _log_to(log_file)
    from centigan.sampling import sample_split
    from centigan.training.engine import choose_device

    _use(threads)
    layout, loaded = _project(experiment)
    name = _name(split, loaded)
    stage = _stage(SampleStage, loaded, settings, name)
    sample_split(layout, name, stage, device=choose_device(device, name))


@app.command()
def interpolate(
    split: Split,
    experiment: Experiment = None,
    only: Annotated[
        list[str] | None, typer.Option("--class", help="Name of a class; may be repeated. Default: all.")
    ] = None,
    path: Annotated[
        Literal["linear", "spherical"], typer.Option(help="linear: the paper's; spherical: a great arc.")
    ] = "linear",
    rows: Annotated[int, typer.Option(min=1, help="Walks a class.")] = 1,
    steps: Annotated[int, typer.Option(min=2, help="Images a walk, ends included.")] = 8,
    out: Annotated[
        Path | None, typer.Option(help="The PNG; default: results/<experiment>/interpolations/.")
    ] = None,
    settings: Values = None,
    device: Device = "auto",
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Draw walks through the latent space of a trained split (Fig 8): each row from one image to another."""
    _log_to(log_file)
    from centigan.interpolation import interpolate_split
    from centigan.training.engine import choose_device

    _use(threads)
    layout, loaded = _project(experiment)
    name = _name(split, loaded)
    interpolate_split(
        layout,
        name,
        _stage(SampleStage, loaded, settings, name),
        device=choose_device(device, name),
        only=only,
        path=path,
        rows=rows,
        steps=steps,
        out=out,
    )


@app.command()
def judge(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Prepare the classifier that judges, and measure it on held-out real images."""
    _log_to(log_file)
    from centigan.judges import train_judge

    _use(threads)
    layout, loaded = _project(experiment)
    folders = [layout.arrays(name) for name in _names(loaded)]
    train_judge(folders, _stage(JudgeStage, loaded, settings).judge, layout.judge)


@app.command()
def accuracy(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure how many images the judge names rightly at each resolution."""
    _log_to(log_file)
    from centigan.metrics.accuracy import accuracy_of_split

    _use(threads)
    layout, loaded = _project(experiment)
    accuracy_of_split(layout, _name(split, loaded), _stage(AccuracyStage, loaded, settings).accuracy)


@app.command("ms-ssim")
def ms_ssim(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    in_training: Annotated[bool, typer.Option("--in-training", help="Of the snapshots instead.")] = False,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure the diversity of each class: MS-SSIM over random pairs."""
    _log_to(log_file)
    from centigan.metrics import ms_ssim as metric

    _use(threads)
    layout, loaded = _project(experiment)
    measure = metric.ms_ssim_in_training_of_split if in_training else metric.ms_ssim_of_split
    measure(layout, _name(split, loaded), _stage(MsSsimStage, loaded, settings).ms_ssim)


@app.command()
def tables(experiment: Experiment = None, log_file: LogFile = None) -> None:
    """Gather the metrics of all splits into tables and summary.json."""
    _log_to(log_file)
    from centigan.reporting.comparison import write_comparison
    from centigan.reporting.tables import write_tables

    layout, loaded = _project(experiment)
    names = _names(loaded)
    write_tables(layout, names, resolution=loaded.arrays.resolution)
    write_comparison(layout, names)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="One of: " + ", ".join(FiguresSettings.model_fields))],
    experiment: Experiment = None,
    settings: Values = None,
    log_file: LogFile = None,
) -> None:
    """Draw one figure as SVG and PNG."""
    _log_to(log_file)
    if name not in FiguresSettings.model_fields:
        raise UserError(f"no figure {name!r}; there are: {', '.join(FiguresSettings.model_fields)}")
    from centigan.reporting.figures import draw

    layout, loaded = _project(experiment)
    chosen: FigureSettings = getattr(loaded.figures, name)
    if settings:
        chosen = params.parse_json(type(chosen), settings, "--settings")
    draw(name, layout, chosen, _names(loaded))


@app.command()
def report(experiment: Experiment = None, log_file: LogFile = None) -> None:
    """Write the page of tables and figures."""
    _log_to(log_file)
    from centigan.manifest import commit
    from centigan.reporting.page import write_report

    layout, loaded = _project(experiment)
    write_report(layout, loaded, commit())


@app.command()
def track(
    experiment: Experiment = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on every few seconds until all is trained and measured.")
    ] = False,
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI")] = None,
    beside: Annotated[
        int | None, typer.Option(hidden=True, help="Follow until the process of this id ends.")
    ] = None,
    attempt: Annotated[
        int | None, typer.Option(hidden=True, help="The workflow's count: a failing store is a warning.")
    ] = None,
    log_file: LogFile = None,
) -> None:
    """Mirror what there is to MLflow, finished or not; tracking twice changes nothing."""
    _log_to(log_file)
    from centigan import tracking

    layout, loaded = _project(experiment)
    names = _names(loaded)
    if follow:
        tracking.follow(layout, loaded, names, tracking_uri=tracking_uri, beside=beside)
    elif attempt is not None:
        tracking.track_for_workflow(layout, loaded, names, tracking_uri=tracking_uri, attempt=attempt)
    else:
        tracking.track(layout, loaded, names, tracking_uri=tracking_uri)


@app.command()
def status(
    experiment: Experiment = None,
    every: Annotated[bool, typer.Option("--all", help="Every training, not the first 20 lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Show how far an experiment is: its stages, its trainings, its jobs in Slurm."""
    from centigan.status import look, screen

    now = look(*_project(experiment))
    typer.echo(screen.as_json(now) if as_json else screen.as_text(now, every=every))


@app.command()
def provenance(
    file: Annotated[Path, typer.Argument(help="A result, such as results/demo/figures/gallery.svg.")],
    everything: Annotated[bool, typer.Option("--all", help="Every job and file, with whole hashes.")] = False,
    as_crate: Annotated[
        bool, typer.Option("--crate", help="Write the experiment's RO-Crate, too: ro-crate-metadata.json.")
    ] = False,
) -> None:
    """Show the chain from a result back to the raw data: files, hashes, settings, versions, seeds."""
    from centigan.provenance import crate, describe

    file = file.resolve().relative_to(Path.cwd()) if file.resolve().is_relative_to(Path.cwd()) else file
    if len(file.parts) < 3 or file.parts[0] != "results":
        raise UserError(f"{file} is no result: name a file below results/, from the project's folder")
    layout = Layout(file.parts[1])
    typer.echo(describe(layout, file, everything=everything))
    if as_crate:
        typer.echo(f"\nwritten: {crate(layout)}")


@app.command("settings")
def show_settings(
    experiment: Experiment = None,
    schema: Annotated[bool, typer.Option("--schema", help="The JSON schema of params.yaml.")] = False,
) -> None:
    """Print the settings in force as JSON."""
    import json

    content = Settings.model_json_schema() if schema else params.load(experiment).model_dump(mode="json")
    typer.echo(json.dumps(content, indent=2))


def _project(experiment: str | None) -> tuple[Layout, Settings]:
    """Where the experiment's files lie, and all its settings."""
    settings = params.load(experiment)
    return Layout(settings.experiment), settings


def _stage(kind: type[StageT], loaded: Settings, handed: str | None, split: str | None = None) -> StageT:
    """The settings of one stage: those handed over as JSON, else those loaded."""
    return params.parse_json(kind, handed, "--settings") if handed else params.stage(loaded, kind, split)


def _name(split: str, loaded: Settings) -> str:
    return split_name(split, loaded.data.classes, loaded.data.split_size)


def _names(loaded: Settings) -> list[str]:
    return split_names(loaded.data.classes, loaded.data.split_size)


def _use(threads: int | None) -> None:
    """Limit PyTorch to so many CPU threads; None leaves it all cores."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _log_to(path: Path | None) -> None:
    """Send messages to a file as well, replacing that of an earlier run."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logging.getLogger().addHandler(handler)
