"""Verbs that measure."""

from typing import Annotated

import typer

from centigan.cli.options import (
    Experiment,
    LogFile,
    Split,
    Threads,
    Values,
    log_to,
    name_of,
    names_of,
    open_project,
    stage_of,
    use_threads,
)
from centigan.settings import (
    AccuracyStage,
    JudgeStage,
    MsSsimStage,
)

app = typer.Typer()


@app.command()
def judge(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Prepare the classifier that judges, and measure it on held-out real images."""
    log_to(log_file)
    from centigan.judges import train_judge

    use_threads(threads)
    layout, loaded = open_project(experiment)
    folders = [layout.arrays(name) for name in names_of(loaded)]
    train_judge(folders, stage_of(JudgeStage, loaded, settings).judge, layout.judge)


@app.command()
def accuracy(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure how many images the judge names rightly at each resolution."""
    log_to(log_file)
    from centigan.metrics.accuracy import accuracy_of_split

    use_threads(threads)
    layout, loaded = open_project(experiment)
    accuracy_of_split(layout, name_of(split, loaded), stage_of(AccuracyStage, loaded, settings).accuracy)


@app.command("ms-ssim")
def ms_ssim(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    in_training: Annotated[bool, typer.Option("--in-training", help="Of the snapshots instead.")] = False,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure the diversity of each class: MS-SSIM over random pairs."""
    log_to(log_file)
    from centigan.metrics import ms_ssim as metric

    use_threads(threads)
    layout, loaded = open_project(experiment)
    measure = metric.ms_ssim_in_training_of_split if in_training else metric.ms_ssim_of_split
    measure(layout, name_of(split, loaded), stage_of(MsSsimStage, loaded, settings).ms_ssim)
