"""The verb of a study: many experiments side by side."""

from pathlib import Path
from typing import Annotated

import typer

from centigan import params
from centigan.cli.options import LogFile, log_to

app = typer.Typer()


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="Of studies/<name>.yaml.")],
    log_file: LogFile = None,
) -> None:
    """Write a study's table, figures and page, from what its points have measured."""
    from centigan.reporting.studies import write_study
    from centigan.reporting.studies.results import StudyResults
    from centigan.settings.points import points, read_study

    log_to(log_file)
    found, root = points(name), Path()
    results = StudyResults(name, read_study(name), found, params.load_points(found), root)
    write_study(results)
    typer.echo(f"{results.layout.report}: {len(found)} points in {len(results.rows)} rows")
