"""How far an experiment is: its files, logs and journals, the locks of who writes them, and Slurm's queue.

Nothing is written and nothing heavy is loaded, since this is asked again and again on a login node.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from centigan import params
from centigan.layout import WHOLE, Layout, split_names
from centigan.manifest import read_published
from centigan.settings import Settings
from centigan.settings.stages import TrainStage
from centigan.status.queue import Job, ask_slurm, key_of
from centigan.status.training import Training, is_locked, last_error, last_words, look_at_training


@dataclass(frozen=True)
class Status:
    """How far everything is."""

    experiment: str
    stages: dict[str, Counter[str]]
    trainings: list[Training]
    failures: list[str]  # of the other stages


def look(layout: Layout, settings: Settings) -> Status:
    """Look once at all files and ask Slurm once."""
    queue = ask_slurm(layout.root)
    splits = split_names(settings.data.classes, settings.data.split_size)
    trainings = [
        look_at_training(layout, split, params.stage(settings, TrainStage, split), queue) for split in splits
    ]
    stages: dict[str, Counter[str]] = {}
    failures = []
    for rule, files in _last_written(layout, splits, list(type(settings.figures).model_fields)).items():
        stages[rule] = Counter()
        for target, path in files.items():
            job = queue.newest.get(key_of(layout.owner_of(rule).experiment, rule, target))
            log = layout.log(rule, target)
            state = _state(path, log, job)
            stages[rule][state] += 1
            if state == "failed":
                what = f"{rule} {target}".rstrip() + (f": Slurm job {job.number} {job.word}" if job else "")
                seen, line = last_words(layout, log, job)
                failures.append(f"{what}\n  {seen}: {line}".removesuffix("\n  : "))
    stages["train"] = Counter(training.state for training in trainings)
    return Status(layout.experiment, stages, trainings, failures)


def _state(output: Path, log: Path, job: Job | None) -> str:
    """The state of a job that is no training; one of this machine holds its log locked."""
    if _is_done(output) and not _failed_since(output, log):
        return "done"
    if job and job.state in ("running", "waiting"):
        return job.state
    if is_locked(log):
        return "running"
    return "failed" if last_error(log) or (job and job.state == "failed") else "to do"


def _failed_since(output: Path, log: Path) -> bool:
    """Whether a later try to make this output anew failed; the one there is of before."""
    return log.exists() and log.stat().st_mtime > output.stat().st_mtime and bool(last_error(log))


def _is_done(path: Path) -> bool:
    """Whether a rule's last file is there; an export to MLflow says itself whether it is complete."""
    if not path.exists():
        return False
    return path.name != "mlflow.json" or bool(read_published(path).get("complete"))


def _last_written(layout: Layout, splits: list[str], figures: list[str]) -> dict[str, dict[str, Path]]:
    """Of every rule: what it is run for, and the file that it writes last."""
    of_splits = ("accuracy", "ms_ssim", "ms_ssim_in_training", "intra_class", "neighbours")
    of_all = ("inception_score", "distribution", "classification")
    return {
        "index": {"": layout.source},
        "arrays": {split: layout.arrays(split) / "manifest.json" for split in splits},
        "train": {},  # looked at more closely
        "sample": {split: layout.samples(split) / "manifest.json" for split in splits},
        "judge": {"": layout.judge / "manifest.json"},
        **{metric: {split: layout.metric(metric, split) for split in splits} for metric in of_splits},
        "features": {split: layout.features(split) / "manifest.json" for split in splits},
        "latent": {split: layout.latent(split) / "manifest.json" for split in splits},
        "smoothness": {split: layout.metric("latent", split) for split in splits},
        **{metric: {"": layout.metric(metric, WHOLE)} for metric in of_all},
        "tables": {"": layout.table("comparison")},
        "figure": {name: layout.figure(name, "png") for name in figures},
        "report": {"": layout.report},
        "publish": {"": layout.published},
    }
