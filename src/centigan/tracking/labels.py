"""What runs and the experiment say of themselves: tags to choose by, descriptions in Markdown."""

from centigan import __version__
from centigan.settings import Settings
from centigan.tracking.naming import from_the_paper
from centigan.tracking.record import SplitRecord, data_hash, flatten, measured_settings

NOTE = "mlflow.note.content"
# of an experiment, when it is made: a person may write another
EXPERIMENT = {
    "mlflow.experimentKind": "custom_model_development",  # opens with the list of runs
    NOTE: (
        "A run is one revision of the experiment, called by the settings that tell it from the others; "
        "below it is a run for each split. Choose two and *Compare*.\n\n"
        "**Higher is better:** accuracy/generated, inception_score/fresh, precision, recall, density, "
        "coverage, cas/generated. **Lower is better:** fid, kid, ms_ssim/generated (more diverse), "
        "neighbours/duplicates. The same of *real* or *held_out* images says how good a number can be.\n\n"
        "A run's artifacts begin with `report.html`, the report in one page."
    ),
}
HEADLINES = (  # what, of samples, of real images, better
    ("accuracy", "accuracy/generated/{}", "accuracy/real/{}", "higher"),
    ("FID", "fid/generated", "fid/held_out", "lower"),
    ("MS-SSIM within a class", "ms_ssim/generated/mean", "ms_ssim/real/mean", "lower"),
    ("Inception score", "inception_score/fresh", "inception_score/held_out", "higher"),
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
    lines = ["| | samples | real images | better |", "| --- | --- | --- | --- |"]
    for what, of_samples, of_real, better in HEADLINES:
        values = [metrics.get(name.format(resolution)) for name in (of_samples, of_real)]
        if values[0] is not None:
            written = ["–" if value is None else f"{value:.3g}" for value in values]
            lines.append(f"| {what} | {written[0]} | {written[1]} | {better} |")
    return "\n\n".join(
        [
            f"{settings.model.family}, width {settings.model.width:g}, on {settings.data.source} at "
            f"{resolution} px: {settings.data.classes} classes, {splits} splits, a child run each. "
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
