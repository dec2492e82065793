"""What runs and the experiment say of themselves: tags to choose by, descriptions in Markdown."""

from typing import NamedTuple

from centigan import __version__
from centigan.settings import Settings
from centigan.tracking.naming import from_the_paper
from centigan.tracking.record import SplitRecord, data_hash, flatten, measured_settings

NOTE = "mlflow.note.content"


class Headline(NamedTuple):
    """A number that tells which of two revisions is better; names of summary.json, {} the resolution.

    `real` is empty where there is no such number of real images.
    """

    what: str
    samples: str
    real: str
    higher: bool  # is better

    @property
    def arrow(self) -> str:
        return "↑" if self.higher else "↓"


HEADLINES = (  # the most telling first
    Headline("accuracy", "accuracy/generated/{}", "accuracy/held_out/{}", True),
    Headline("bits a dimension", "bits_per_dim/held_out", "", False),
    Headline("FID", "fid/generated", "fid/held_out", False),
    Headline("MS-SSIM", "ms_ssim/generated/mean", "ms_ssim/training/mean", False),
    Headline("modes covered", "modes/covered/generated", "modes/covered/held_out", True),
    Headline("energy distance", "points/energy/generated", "points/energy/held_out", False),
    Headline("Inception score", "inception_score/fresh", "inception_score/held_out", True),
)


def shared_tags(settings: Settings) -> dict[str, str]:
    """What every run of the experiment can be chosen by."""
    return {
        "centigan.experiment": settings.experiment,
        "centigan.family": settings.model.family,
        "centigan.width": f"{settings.model.width:g}",
        "centigan.data": settings.data.source,
        "centigan.version": __version__,
    }


def split_tags(record: SplitRecord) -> dict[str, str]:
    """What is known of one split once it is trained."""
    if record.trained is None:
        return {}
    return {
        "centigan.classes": ",".join(record.trained.classes),
        "centigan.arrays": record.trained.arrays["images.npy"],
        **_commit_tags(record.trained.commit or ""),
    }


def results_tags(settings: Settings, records: list[SplitRecord], metrics: dict[str, float]) -> dict[str, str]:
    """What is known of a revision once all of it is there."""
    commits = {record.trained.commit for record in records if record.trained and record.trained.commit}
    return {
        "centigan.arrays": data_hash(records),
        NOTE: _description(settings, len(records), metrics),
        **_commit_tags(",".join(sorted(commits))),
    }


def _description(settings: Settings, splits: int, metrics: dict[str, float]) -> str:
    """Above the run's numbers: what was run, how good it is, where the rest lies."""
    resolution = settings.arrays.resolution
    lines = ["| | samples | real images |", "| --- | --- | --- |"]
    size = "points" if settings.data.kind == "points" else f"{resolution} px"
    for head in HEADLINES:
        values = [metrics.get(name.format(resolution)) for name in (head.samples, head.real)]
        if values[0] is not None:
            written = ["–" if value is None else f"{value:.3g}" for value in values]
            lines.append(f"| {head.what} {head.arrow} | {written[0]} | {written[1]} |")
    return "\n\n".join(
        [
            f"{settings.model.family}, width {settings.model.width:g}, on {settings.data.source} at "
            f"{size}: {settings.data.classes} classes, {splits} splits, a child run each. "
            "Under *Artifacts*, `report.html` is the report in one page, `report.zip` all of its pages.",
            "\n".join(lines),
            from_the_paper(flatten(measured_settings(settings))),
        ]
    )


def _commit_tags(commit: str) -> dict[str, str]:
    """Ours, and MLflow's own for its column Source; none for results made outside git."""
    if not commit:
        return {}
    shown = {"mlflow.source.name": "centigan", "mlflow.source.type": "LOCAL"}
    return {"centigan.commit": commit, "mlflow.source.git.commit": commit, **shown}
