"""The experiment's own description: which revision is better, above the list of its runs."""

from collections.abc import Sequence

from mlflow import MlflowClient
from mlflow.entities import Run

from centigan.tracking.labels import HEADLINES, NOTE
from centigan.tracking.naming import Name

LISTED = 20  # revisions; MLflow keeps 5000 characters
OURS = "*Kept up to date by centigan; take out this line to write your own.*"
READING = (
    "Each is a run, called by the settings that tell it from the others; below it is a run for each split. "
    "For more than these numbers choose two and *Compare*. ↑ higher is better, ↓ lower is better, and the "
    "real images say how good a number can be. Under *Artifacts* a run has `report.html`."
)


def describe_experiment(
    client: MlflowClient, experiment: str, runs: list[Run], names: dict[str, Name]
) -> None:
    """Bring the description up to the finished revisions, unless a person has written another."""
    before = client.get_experiment(experiment).tags.get(NOTE)
    if before is not None and OURS not in before:
        return
    rows = [(run, headlines(run)) for run in runs if "centigan.revision" in run.data.tags]
    text = _text(experiment, sorted(rows, key=_rank), names)
    if text != before:
        client.set_experiment_tag(experiment, NOTE, text)


def headlines(run: Run, of: str = "samples") -> list[float | None]:
    """A revision's numbers in the order of HEADLINES, of samples or of real images."""
    resolution, metrics = run.data.params.get("arrays.resolution"), run.data.metrics
    names = [row.samples if of == "samples" else row.real for row in HEADLINES]
    return [metrics.get(name.format(resolution)) for name in names]


def _rank(row: tuple[Run, list[float | None]]) -> tuple[float, ...]:
    """The best first, by the first number that tells; then the latest."""
    run, values = row
    signed = [
        float("inf") if value is None else value * (-1 if head.higher else 1)
        for head, value in zip(HEADLINES, values, strict=True)
    ]
    return (*signed, -run.info.start_time)


def _text(experiment: str, rows: Sequence[tuple[Run, list[float | None]]], names: dict[str, Name]) -> str:
    best = [_best(head.higher, [values[at] for _, values in rows]) for at, head in enumerate(HEADLINES)]
    known = [at for at, top in enumerate(best) if top is not None]
    heads = [HEADLINES[at] for at in known]
    lines = [
        f"| revision | {' | '.join(f'{head.what} {head.arrow}' for head in heads)} |",
        "| --- " * (1 + len(heads)) + "|",
    ]
    for run, values in rows[:LISTED]:
        name = f"[{names[run.info.run_id].parent}](#/experiments/{experiment}/runs/{run.info.run_id})"
        cells = [_cell(values[at], values[at] == best[at] and len(rows) > 1) for at in known]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    real = headlines(rows[0][0], "real")
    lines.append(f"| real images | {' | '.join(_cell(real[at], False) for at in known)} |")
    more = [f"And {len(rows) - LISTED} more."] if len(rows) > LISTED else []
    first = f"{len(rows)} revisions, the best first: **{names[rows[0][0].info.run_id].parent}**, by "
    by = heads[0].what if heads else "age"
    first = f"{first}{by}." if len(rows) > 1 else "One revision so far."
    return "\n\n".join([first, "\n".join(lines), *more, READING, OURS])


def _best(higher: bool, values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return (max if higher else min)(known) if known else None


def _cell(value: float | None, bold: bool) -> str:
    written = "–" if value is None else f"{value:.3g}"
    return f"**{written}**" if bold and value is not None else written
