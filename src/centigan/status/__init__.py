"""How far an experiment is: its files, logs and journals, the locks of who writes them, and Slurm's queue.

Nothing is written and nothing heavy is loaded, since this is asked again and again on a login node.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from centigan import params
from centigan.catalogue import FIGURES, METRICS, applying, subject_of_settings, why_not_made
from centigan.layout import Layout, split_names
from centigan.manifest import read_published
from centigan.settings import Settings
from centigan.settings.families.contract import ByCaption
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
    for stage, targets in _last_written(layout, splits, settings).items():
        stages[stage] = Counter()
        for rule, target, path in targets:
            job = queue.newest.get(key_of(layout.owner_of(rule).experiment, rule, target))
            log = layout.log(rule, target)
            state = _state(path, log, job)
            stages[stage][state] += 1
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


Target = tuple[str, str, Path]  # a rule, what it is run for, the file that it writes last


def _last_written(layout: Layout, splits: list[str], settings: Settings) -> dict[str, list[Target]]:
    """The jobs of every stage: rules, and metrics that apply, of samples and of real images."""
    subject = subject_of_settings(settings)
    metrics = applying(METRICS, subject)

    def of_splits(rule: str, path: Callable[[str], Path]) -> list[Target]:
        return [(rule, split, path(split)) for split in splits]

    def of_metric(rule: str, name: str, path: Callable[[str, str], Path]) -> list[Target]:
        return [(rule, f"{name}/{of}", path(name, of)) for of in METRICS[name].names(splits)]

    real = [
        target
        for name, metric in metrics.items()
        if metric.of_real
        for target in of_metric("measure_real", name, layout.real_metric)
    ]
    read = {source for metric in metrics.values() for source in metric.reads}
    if isinstance(settings.model, ByCaption):
        read |= {"text", "embed"}
    found = {
        "index": [("index", "", layout.source)],
        "arrays": of_splits("arrays", lambda split: layout.arrays(split) / "manifest.json"),
        "text": [("text", "", layout.text / "manifest.json")],
        "embed": of_splits("embed", lambda split: layout.captions(split) / "manifest.json"),
        "train": [],  # looked at more closely
        "sample": of_splits("sample", lambda split: layout.samples(split) / "manifest.json"),
        "latent": of_splits("latent", lambda split: layout.latent(split) / "manifest.json"),
        "reconstruct": of_splits(
            "reconstruct", lambda split: layout.reconstructions(split) / "manifest.json"
        ),
        "demonstrate": of_splits("demonstrate", lambda split: layout.demonstrations(split) / "manifest.json"),
        "judge": [("judge", "", layout.judge / "manifest.json")],
        "features": of_splits("features", lambda split: layout.features(split) / "manifest.json"),
        "features_of_real": of_splits(
            "features_of_real", lambda split: layout.real_features(split) / "manifest.json"
        ),
        "measure_real": real,
        **{name: of_metric("measure", name, layout.metric) for name in metrics},
        "tables": [("tables", "", layout.table("comparison"))],
        "figure": [("figure", name, layout.figure(name, "png")) for name in applying(FIGURES, subject)],
        "report": [("report", "", layout.report)],
        "publish": [("publish", "", layout.published)],
    }
    idle = {"text", "embed"} - read
    return {
        name: jobs for name, jobs in found.items() if name not in idle and why_not_made(name, subject) is None
    }
