"""Verbs that measure: the judge, the features, and every metric of the catalogue."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from centigan import params
from centigan.catalogue import METRICS, Metric, subject_of_settings, why_not
from centigan.cli.inputs import need_inputs
from centigan.cli.options import (
    Experiment,
    LogFile,
    Split,
    Threads,
    Values,
    name_of,
    names_of,
    open_project,
    stage_of,
)
from centigan.errors import UserError
from centigan.layout import WHOLE
from centigan.settings import Settings
from centigan.settings.frozen import Frozen
from centigan.settings.stages import STAGES, FeaturesStage, JudgeStage

app = typer.Typer()
log = logging.getLogger(__name__)
OfReal = Annotated[bool, typer.Option("--real", help="Of the real images, for every experiment on them.")]


@app.command()
def judge(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Prepare the classifier that judges, and measure it on held-out real images."""
    from centigan.judges import train_judge

    layout, loaded = open_project(experiment, log_file, threads)
    names = names_of(loaded)
    need_inputs("judge", layout, loaded, names)
    folders = [layout.arrays(name) for name in names]
    train_judge(folders, stage_of(JudgeStage, loaded, settings).judge, layout.judge)


@app.command()
def features(
    split: Split,
    experiment: Experiment = None,
    real: OfReal = False,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Turn samples, or real images, into the features that scores and distances are computed on."""
    from centigan.metrics.features import features_of_real, features_of_split

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    need_inputs("features_of_real" if real else "features", layout, loaded, [name])
    compute = features_of_real if real else features_of_split
    compute(layout, name, stage_of(FeaturesStage, loaded, settings).features)


@app.command()
def measure(
    metric: Annotated[str, typer.Argument(help="One of: " + ", ".join(METRICS))],
    experiment: Experiment = None,
    split: Annotated[
        str | None,
        typer.Option("--split", "-s", help="Number of the split, from 0; none for what is of all together."),
    ] = None,
    real: OfReal = False,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure the samples of one split, or of all together, by one metric."""
    of = _metric(metric, real)
    module = import_module(f"centigan.metrics.{metric}")  # before the threads are limited
    layout, loaded = open_project(experiment, log_file, threads)
    if reason := why_not(of, subject_of_settings(loaded)):
        raise UserError(f"{metric} {reason}")
    if (split is None) == (of.per == "split"):
        raise UserError(f"{metric} is measured {SAID[of.per]}")
    names = names_of(loaded) if split is None else [name_of(split, loaded)]
    need_inputs(f"measure{'_real' if real else ''} {metric}", layout, loaded, names)
    compute = module.measure_real if real else module.measure
    compute(layout, names if split is None else names[0], _settings(of, loaded, settings, real=real))
    whose = WHOLE if split is None else names[0]
    path = layout.real_metric(metric, whose) if real else layout.metric(metric, whose)
    by_hand = settings is None  # the workflow's jobs do without the half second that numbers take
    numbers = _numbers(metric, path, whose) if by_hand and not real else ""
    log.info("%s: %s%s", "all splits" if split is None else f"split {whose}", path, numbers)


def _numbers(metric: str, path: Path, name: str) -> str:
    """What was measured, behind a colon; nothing where that takes more than this file."""
    from centigan.reporting.alone import said

    numbers = said(metric, path, name)
    return numbers and f": {numbers}"


SAID = {"split": "of one split: name it with -s", "all": "of all splits together: leave -s out"}


def _metric(name: str, real: bool) -> Metric:
    """The metric of this name.

    Raises:
        UserError: where there is none, or it does not measure real images though they were asked for.
    """
    if name not in METRICS:
        raise UserError(f"there is no metric {name!r}; there are: {', '.join(METRICS)}")
    if real and not METRICS[name].of_real:
        raise UserError(f"{name} measures no real images; leave --real out")
    return METRICS[name]


def _settings(of: Metric, loaded: Settings, handed: str | None, *, real: bool) -> Frozen:
    """The group of settings of a metric's stage, or all of its groups where it has several."""
    kind = STAGES[(real and of.stage_of_real) or of.stage]
    found = params.parse_json(kind, handed, "--settings") if handed else params.stage(loaded, kind)
    groups = list(kind.model_fields)
    return found if groups[1:] else getattr(found, groups[0])
