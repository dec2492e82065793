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
    ClassificationStage,
    DistributionStage,
    FeaturesStage,
    InceptionScoreStage,
    JudgeStage,
    MsSsimStage,
    NeighboursStage,
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


@app.command()
def features(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Turn real and generated images into the features that scores and distances are computed on."""
    log_to(log_file)
    from centigan.metrics.features import features_of_split

    use_threads(threads)
    layout, loaded = open_project(experiment)
    features_of_split(layout, name_of(split, loaded), stage_of(FeaturesStage, loaded, settings).features)


@app.command("inception-score")
def inception_score(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure the Inception score of all splits' samples, of their fresh samples, and of real images."""
    log_to(log_file)
    from centigan.metrics.inception_score import inception_score_of_all

    use_threads(threads)
    layout, loaded = open_project(experiment)
    stage = stage_of(InceptionScoreStage, loaded, settings)
    inception_score_of_all(layout, names_of(loaded), stage.inception_score)


@app.command()
def distribution(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Compare all samples with all real images: FID, KID, precision, recall, density, coverage."""
    log_to(log_file)
    from centigan.metrics.distribution import distribution_of_all

    use_threads(threads)
    layout, loaded = open_project(experiment)
    distribution_of_all(layout, names_of(loaded), stage_of(DistributionStage, loaded, settings).distribution)


@app.command("intra-class")
def intra_class(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Compare the samples of each class with its real images: FID, precision, recall, density, coverage."""
    log_to(log_file)
    from centigan.metrics.intra_class import intra_class_of_split

    use_threads(threads)
    layout, loaded = open_project(experiment)
    stage = stage_of(DistributionStage, loaded, settings)
    intra_class_of_split(layout, name_of(split, loaded), stage.distribution)


@app.command()
def classification(
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Train a classifier on samples and test it on held-out real images."""
    log_to(log_file)
    from centigan.metrics.classification import classification_of_all

    use_threads(threads)
    layout, loaded = open_project(experiment)
    stage = stage_of(ClassificationStage, loaded, settings)
    classification_of_all(layout, names_of(loaded), stage.classification)


@app.command()
def neighbours(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Find the training images nearest to samples and to held-out images, by L1 and by MS-SSIM."""
    log_to(log_file)
    from centigan.metrics.neighbours import neighbours_of_split

    use_threads(threads)
    layout, loaded = open_project(experiment)
    neighbours_of_split(
        layout, name_of(split, loaded), stage_of(NeighboursStage, loaded, settings).neighbours
    )


@app.command()
def smoothness(
    split: Split,
    experiment: Experiment = None,
    settings: Values = None,
    threads: Threads = None,
    log_file: LogFile = None,
) -> None:
    """Measure how evenly images change along the walks through the latent space."""
    log_to(log_file)
    from centigan.metrics.smoothness import smoothness_of_split

    use_threads(threads)
    layout, loaded = open_project(experiment)
    smoothness_of_split(layout, name_of(split, loaded), stage_of(FeaturesStage, loaded, settings).features)
