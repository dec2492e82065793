"""Every setting as a frozen model; `params` reads them from params.yaml and experiments/.

Every default is the paper's (AC-GAN, Tables 1 and 2, sections 4.1 and 4.2) unless the comment says so.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from centigan.settings.data import ArraySettings, DataSettings
from centigan.settings.evaluation import (
    AccuracySettings,
    ClassificationSettings,
    DistributionSettings,
    FeatureSettings,
    InceptionScoreSettings,
    JudgeSettings,
    MsSsimSettings,
    NeighbourSettings,
)
from centigan.settings.figures import FiguresSettings
from centigan.settings.frozen import Frozen, Name
from centigan.settings.training import AcganConfig, LatentSettings, SampleSettings, TrainSettings


class Named(Frozen):
    """What is read first: whose settings they are."""

    experiment: Name


class Settings(Named):
    """Everything that a run depends on, apart from the machine."""

    data: DataSettings = DataSettings()
    arrays: ArraySettings = ArraySettings()
    model: AcganConfig = AcganConfig()  # becomes a tagged union with the second family
    train: TrainSettings = TrainSettings()
    sample: SampleSettings = SampleSettings()
    judge: JudgeSettings = JudgeSettings()
    accuracy: AccuracySettings = AccuracySettings()
    ms_ssim: MsSsimSettings = MsSsimSettings()
    features: FeatureSettings = FeatureSettings()
    inception_score: InceptionScoreSettings = InceptionScoreSettings()
    distribution: DistributionSettings = DistributionSettings()
    classification: ClassificationSettings = ClassificationSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    latent: LatentSettings = LatentSettings()
    figures: FiguresSettings = FiguresSettings()
    splits: dict[Annotated[int, Strict()], dict[Literal["model", "train", "sample"], dict[str, Any]]] = Field(
        default_factory=dict,
        description="overrides for single splits: {7: {train: {iterations: 80000}}}",
    )
