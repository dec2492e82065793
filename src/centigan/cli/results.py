"""Verbs that tell of results: tables, figures, pages, MLflow, how far it is, where it comes from."""

from pathlib import Path
from typing import Annotated

import typer

from centigan import params
from centigan.cli.inputs import need_inputs
from centigan.cli.options import (
    Experiment,
    LogFile,
    Values,
    log_to,
    names_of,
    open_project,
)
from centigan.errors import UserError
from centigan.layout import Layout, owned
from centigan.needed import need
from centigan.settings import Settings
from centigan.settings.figures import FigureSettings, FiguresSettings

app = typer.Typer()
LOOKING = "Looking around"


@app.command()
def tables(experiment: Experiment = None, log_file: LogFile = None) -> None:
    """Gather the metrics of all splits into tables and summary.json."""
    from centigan.reporting.comparison import write_comparison
    from centigan.reporting.tables import write_tables

    layout, loaded = open_project(experiment, log_file)
    names = names_of(loaded)
    need_inputs("tables", layout, loaded, names)
    write_tables(layout, names, resolution=loaded.arrays.resolution, neighbours=loaded.neighbours)
    write_comparison(layout, names, network=loaded.features.network)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="One of: " + ", ".join(FiguresSettings.model_fields))],
    experiment: Experiment = None,
    settings: Values = None,
    log_file: LogFile = None,
) -> None:
    """Draw one figure as SVG and PNG."""
    from centigan.reporting.figures import draw

    layout, loaded = open_project(experiment, log_file)
    if name not in FiguresSettings.model_fields:
        raise UserError(f"no figure {name!r}; there are: {', '.join(FiguresSettings.model_fields)}")
    chosen: FigureSettings = getattr(loaded.figures, name)
    if settings:
        chosen = params.parse_json(type(chosen), settings, "--settings")
    draw(name, layout, chosen, names_of(loaded))


@app.command()
def report(experiment: Experiment = None, log_file: LogFile = None) -> None:
    """Write the site: an overview, a page for each figure and for each class."""
    from centigan.manifest import commit
    from centigan.reporting.site import write_report

    layout, loaded = open_project(experiment, log_file)
    write_report(layout, loaded, commit())


@app.command()
def track(
    experiment: Experiment = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Go on until all is trained and measured; of several: -e a,b."),
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
    from centigan import tracking

    if follow:
        log_to(log_file)
        projects = [open_project(each) for each in (experiment.split(",") if experiment else [None])]
        followed = [tracking.Followed(layout, loaded, names_of(loaded)) for layout, loaded in projects]
        tracking.follow(*followed, tracking_uri=tracking_uri, beside=beside)
        return
    layout, loaded = open_project(experiment, log_file)
    names = names_of(loaded)
    if attempt is not None:
        tracking.track_for_workflow(layout, loaded, names, tracking_uri=tracking_uri, attempt=attempt)
    else:
        tracking.track(layout, loaded, names, tracking_uri=tracking_uri)


@app.command(rich_help_panel=LOOKING)
def status(
    experiment: Experiment = None,
    every: Annotated[bool, typer.Option("--all", help="Every training, not the first 20 lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Show how far an experiment is: its stages, its trainings, its jobs in Slurm."""
    from centigan.status import look, screen

    now = look(*open_project(experiment))
    typer.echo(screen.as_json(now) if as_json else screen.as_text(now, every=every))


@app.command(rich_help_panel=LOOKING)
def provenance(
    file: Annotated[Path, typer.Argument(help="A result, such as results/digits/acgan/figures/gallery.svg.")],
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
    layout = Layout(owned(file)[0])
    if not (layout.results / "records").exists():
        need([file])
    root = params.load(layout.experiment).data.root
    typer.echo(describe(layout, file, root, everything=everything))
    if as_crate:
        typer.echo(f"\nwritten: {crate(layout)}")


@app.command("settings", rich_help_panel=LOOKING)
def show_settings(
    experiment: Experiment = None,
    schema: Annotated[bool, typer.Option("--schema", help="The JSON schema of params.yaml.")] = False,
) -> None:
    """Print the settings in force as JSON."""
    import json

    content = Settings.model_json_schema() if schema else params.load(experiment).model_dump(mode="json")
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
