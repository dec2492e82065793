"""The verbs of a study: many experiments side by side, here and in MLflow."""

from pathlib import Path
from typing import Annotated

import typer

from centigan.cli.options import LogFile, log_to

app = typer.Typer()
Name = Annotated[str, typer.Argument(help="Of studies/<name>.yaml.")]


@app.command()
def study(
    name: Name,
    log_file: LogFile = None,
) -> None:
    """Write a study's table, figures and page, from what its points have measured."""
    from centigan.reporting.studies import write_study
    from centigan.reporting.studies.results import StudyResults
    from centigan.settings.points import points, read_study
    from centigan.study_points import load_points

    log_to(log_file)
    found, root = points(name), Path()
    results = StudyResults(name, read_study(name), found, load_points(name), root)
    write_study(results)
    rows = f"{len(results.rows)} row{'s' if len(results.rows) > 1 else ''}"
    typer.echo(f"{results.layout.report}: {len(found)} points in {rows}")


@app.command("track-study")
def track_study(
    name: Name,
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI")] = None,
    attempt: Annotated[
        int | None, typer.Option(hidden=True, help="The workflow's count: a failing store is a warning.")
    ] = None,
    log_file: LogFile = None,
) -> None:
    """Mirror what a study wrote to MLflow, a run a point; tracking twice changes nothing."""
    from centigan.tracking import study as mirror

    log_to(log_file)
    if attempt is not None:
        mirror.track_study_for_workflow(name, attempt=attempt, tracking_uri=tracking_uri)
    else:
        mirror.track_study(name, tracking_uri=tracking_uri)
