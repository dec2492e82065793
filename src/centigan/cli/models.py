"""Verbs that train a split and draw from what it learnt."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from centigan.cli.inputs import need_inputs
from centigan.cli.options import (
    Device,
    Experiment,
    LogFile,
    Split,
    Threads,
    Values,
    name_of,
    open_project,
    stage_of,
)
from centigan.errors import UserError
from centigan.params import for_split
from centigan.settings.frozen import Frozen
from centigan.settings.stages import DemonstrateStage, LatentStage, ReconstructStage, SampleStage, TrainStage

OfTrained = Callable[..., None]  # of layout, split and stage, on a device
app = typer.Typer()
log = logging.getLogger("centigan")


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
    from centigan.preflight import after_index, before_training
    from centigan.site import check_scratch
    from centigan.training.engine import choose_device
    from centigan.training.loop import train_split
    from centigan.training.stopping import EXIT_STATUS, Stop, Stopped

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    chosen = choose_device(device, name)
    before_training(layout, for_split(loaded, name))
    need_inputs("train", layout, loaded, [name])
    stage = stage_of(TrainStage, loaded, settings, name)
    if settings is not None:  # handed over by the workflow: what follows must be able to end, too
        after_index(layout, loaded)
    check_scratch()
    stop = Stop()
    with stop.listening():
        try:
            train_split(
                layout,
                name,
                stage,
                device=chosen,
                placement=images,
                bar=log_file is None,
                stop=stop,
            )
        except Stopped as stopped:
            log.info("%s", stopped)
            raise typer.Exit(EXIT_STATUS) from None


def of_trained(verb: str, kind: type[Frozen]) -> Callable[[Callable[[], OfTrained]], None]:
    """Make a verb of what returns the work on one trained split; its docstring is the help."""

    def register(work: Callable[[], OfTrained]) -> None:
        @app.command(verb, help=work.__doc__)
        def command(
            split: Split,
            experiment: Experiment = None,
            settings: Values = None,
            device: Device = "auto",
            threads: Threads = None,
            log_file: LogFile = None,
        ) -> None:
            from centigan.training.engine import choose_device

            draw = work()
            layout, loaded = open_project(experiment, log_file, threads)
            name = name_of(split, loaded)
            need_inputs(verb, layout, loaded, [name])
            stage = stage_of(kind, loaded, settings, name)
            draw(layout, name, stage, device=choose_device(device, name))

    return register


@app.command()
def sample(
    split: Split,
    experiment: Experiment = None,
    caption: Annotated[
        list[str] | None,
        typer.Option(help="Draw images of this sentence into a PNG; may be repeated, a row each."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Images of a caption; default: 8.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of a caption's latents, the same in each row; default: 0.")
    ] = None,
    style: Annotated[
        list[Path] | None,
        typer.Option(
            help="An image whose style captions are drawn in, by a style encoder; may be repeated, a column "
            "each."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The PNG of captions; default: captions.png.")] = None,
    settings: Values = None,
    device: Device = "auto",
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Draw the same number of images of every class from a trained split, or images of captions."""
    from centigan.sampling import sample_split
    from centigan.training.engine import choose_device

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    if caption:
        from centigan.captioned_sheet import draw_captions

        if style and (count, seed) != (None, None):
            raise UserError(
                "--count and --seed are of latents that are drawn; with --style its code is taken"
            )
        draw_captions(
            layout,
            name,
            caption,
            out=out or Path("captions.png"),
            device=device,
            count=count or 8,
            seed=seed or 0,
            styles=style or (),
        )
        return
    if (count, seed, out, style) != (None, None, None, None):
        raise UserError(
            "--count, --seed, --style and --out are of images of a --caption; how many samples, the protocol "
            "says"
        )
    need_inputs("sample", layout, loaded, [name])
    stage = stage_of(SampleStage, loaded, settings, name)
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
    from centigan.interpolation import interpolate_split
    from centigan.training.engine import choose_device

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    need_inputs("latent", layout, loaded, [name])
    interpolate_split(
        layout,
        name,
        stage_of(SampleStage, loaded, settings, name),
        device=choose_device(device, name),
        only=only,
        path=path,
        rows=rows,
        steps=steps,
        out=out,
    )


@of_trained("latent", LatentStage)
def latent() -> OfTrained:
    """Walk through the latent space of a trained split, and show one z as every class (Fig 8)."""
    from centigan.interpolation import latent_of_split

    return latent_of_split


@of_trained("reconstruct", ReconstructStage)
def reconstruct() -> OfTrained:
    """Draw held-out images of a split again, and walk between the codes of two of them."""
    from centigan.reconstruction import reconstruct_split

    return reconstruct_split


@of_trained("demonstrate", DemonstrateStage)
def demonstrate() -> OfTrained:
    """Draw what the family's paper shows, of a trained split."""
    from centigan.demonstration import demonstrate_split

    return demonstrate_split
