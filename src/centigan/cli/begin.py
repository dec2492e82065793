"""Verbs for the time before a run: whether it can end, and a protocol and an experiment for own data."""

from pathlib import Path
from typing import Annotated

import typer

from centigan.cli.options import Experiment, open_project
from centigan.errors import UserError, plural
from centigan.settings.sources import Source

app = typer.Typer()


@app.command()
def check(
    experiment: Experiment = None,
    study: Annotated[
        str | None, typer.Option("--study", help="Of studies/<name>.yaml: ask it of every point.")
    ] = None,
) -> None:
    """Tell whether a run can end: settings, raw data, weights, and what every measurement needs."""
    from centigan import preflight
    from centigan.preflight.findings import files_of, refusal
    from centigan.preflight.studies import everything_of_study
    from centigan.settings.points import points

    if study is None:
        layout, loaded = open_project(experiment)
        name, asked, files = layout.experiment, f"experiment={layout.experiment}", files_of(layout.experiment)
        found = preflight.everything(layout, loaded)
    elif experiment is None:
        name, asked, files = f"study {study}", f"study={study}", files_of(points(study)[0].name)
        found = everything_of_study(study)
    else:
        raise UserError("a study or an experiment, not both; a study's points are its experiments")
    for finding in found:
        if finding.good:
            typer.echo(f"ok  {finding.text}")
    if wrong := [finding.text for finding in found if not finding.good]:
        raise UserError(refusal(wrong, name, files))
    typer.echo(f"{name} can run: snakemake --cores 2 --config {asked}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the folder experiments/<name>, which must not be there.")],
    data: Annotated[
        Path,
        typer.Option(help="Folder of class folders, archives, or a published data set's files."),
    ],
    source: Annotated[
        Source, typer.Option(help="What lies there, where that is not recognised: mnist, fashion_mnist, ...")
    ] = "auto",
) -> None:
    """Write a protocol for the data in a folder, from what lies there, and an experiment under it."""
    from centigan.preflight.experiment_file import folder_of, write_experiment
    from centigan.preflight.proposal import explore

    folder_of(name, Path("experiments"))  # before anything is looked at
    found = explore(data.expanduser(), source)
    folder = write_experiment(name, found, Path("experiments"))
    classes = len(found.classes)
    typer.echo(
        f"{folder}: {found.source}, {classes} {plural('class', classes)}, {found.train:,} images to train "
        f"on, {found.held_out:,} held out\nnext: centigan check -e {name}/{found.model}"
    )
