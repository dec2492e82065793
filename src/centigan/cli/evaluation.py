"""Verbs that measure.

Most measure a split, or all splits together, under the one group of settings of their stage. Such a verb is
a function that imports the measurement and returns it; its docstring is the help.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

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
from centigan.layout import Layout
from centigan.settings import Settings
from centigan.settings.frozen import Frozen
from centigan.settings.stages import (
    AccuracyStage,
    ClassificationStage,
    DistributionStage,
    FeaturesStage,
    InceptionScoreStage,
    JudgeStage,
    MsSsimStage,
    NeighboursStage,
)

OfSplit = Callable[[Layout, str, Any], None]
OfAll = Callable[[Layout, Sequence[str], Any], None]
app = typer.Typer()


def of_split(verb: str, kind: type[Frozen]) -> Callable[[Callable[[], OfSplit]], None]:
    """Make a verb of what returns the measurement of one split."""

    def register(measurement: Callable[[], OfSplit]) -> None:
        @app.command(verb, help=measurement.__doc__)
        def command(
            split: Split,
            experiment: Experiment = None,
            settings: Values = None,
            threads: Threads = None,
            log_file: LogFile = None,
        ) -> None:
            measure = measurement()
            layout, loaded = open_project(experiment, log_file, threads)
            name = name_of(split, loaded)
            need_inputs(verb.replace("-", "_"), layout, loaded, [name])
            measure(layout, name, _only_group(kind, loaded, settings))

    return register


def of_all(verb: str, kind: type[Frozen]) -> Callable[[Callable[[], OfAll]], None]:
    """Make a verb of what returns the measurement of all splits together."""

    def register(measurement: Callable[[], OfAll]) -> None:
        @app.command(verb, help=measurement.__doc__)
        def command(
            experiment: Experiment = None,
            settings: Values = None,
            threads: Threads = None,
            log_file: LogFile = None,
        ) -> None:
            measure = measurement()
            layout, loaded = open_project(experiment, log_file, threads)
            names = names_of(loaded)
            need_inputs(verb.replace("-", "_"), layout, loaded, names)
            measure(layout, names, _only_group(kind, loaded, settings))

    return register


def _only_group(kind: type[Frozen], loaded: Settings, handed: str | None) -> Any:
    """The settings of a stage that has one group of them."""
    (group,) = kind.model_fields
    return getattr(stage_of(kind, loaded, handed), group)


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


@of_split("accuracy", AccuracyStage)
def accuracy() -> OfSplit:
    """Measure how many images the judge names rightly at each resolution."""
    from centigan.metrics.accuracy import accuracy_of_split

    return accuracy_of_split


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
    from centigan.metrics import ms_ssim as metric

    layout, loaded = open_project(experiment, log_file, threads)
    name = name_of(split, loaded)
    need_inputs("ms_ssim_in_training" if in_training else "ms_ssim", layout, loaded, [name])
    measure = metric.ms_ssim_in_training_of_split if in_training else metric.ms_ssim_of_split
    measure(layout, name, stage_of(MsSsimStage, loaded, settings).ms_ssim)


@of_split("features", FeaturesStage)
def features() -> OfSplit:
    """Turn real and generated images into the features that scores and distances are computed on."""
    from centigan.metrics.features import features_of_split

    return features_of_split


@of_all("inception-score", InceptionScoreStage)
def inception_score() -> OfAll:
    """Measure the Inception score of all splits' samples, of their fresh samples, and of real images."""
    from centigan.metrics.inception_score import inception_score_of_all

    return inception_score_of_all


@of_all("distribution", DistributionStage)
def distribution() -> OfAll:
    """Compare all samples with all real images: FID, KID, precision, recall, density, coverage."""
    from centigan.metrics.distribution import distribution_of_all

    return distribution_of_all


@of_split("intra-class", DistributionStage)
def intra_class() -> OfSplit:
    """Compare the samples of each class with its real images: FID, precision, recall, density, coverage."""
    from centigan.metrics.intra_class import intra_class_of_split

    return intra_class_of_split


@of_all("classification", ClassificationStage)
def classification() -> OfAll:
    """Train a classifier on samples and test it on held-out real images."""
    from centigan.metrics.classification import classification_of_all

    return classification_of_all


@of_split("neighbours", NeighboursStage)
def neighbours() -> OfSplit:
    """Find the training images nearest to samples and to held-out images, by L1 and by MS-SSIM."""
    from centigan.metrics.neighbours import neighbours_of_split

    return neighbours_of_split


@of_split("smoothness", FeaturesStage)
def smoothness() -> OfSplit:
    """Measure how evenly images change along the walks through the latent space."""
    from centigan.metrics.smoothness import smoothness_of_split

    return smoothness_of_split
