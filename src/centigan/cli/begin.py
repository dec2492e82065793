"""Verbs for the time before a run: whether it can end."""

import typer

from centigan.cli.options import Experiment, open_project
from centigan.errors import UserError

app = typer.Typer()


@app.command()
def check(experiment: Experiment = None) -> None:
    """Tell whether a run can end: settings, raw data, weights, and what every measurement needs."""
    from centigan import preflight
    from centigan.preflight.findings import refusal

    layout, loaded = open_project(experiment)
    found = preflight.everything(layout, loaded)
    for finding in found:
        if finding.good:
            typer.echo(f"ok  {finding.text}")
    if wrong := [finding.text for finding in found if not finding.good]:
        raise UserError(refusal(wrong, layout.experiment))
    typer.echo(f"{layout.experiment} can run: snakemake --cores 2 --config experiment={layout.experiment}")
