"""Every setting as a frozen model; `params` reads them from params.yaml and experiments/.

Every default is the paper's (AC-GAN, Tables 1 and 2, sections 4.1 and 4.2) unless the comment says so.
"""

from typing import Any, Literal

from pydantic import Field

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
from centigan.settings.frozen import Frozen
from centigan.settings.training import AcganConfig, LatentSettings, SampleSettings, TrainSettings


class Settings(Frozen):
    """Everything that a run depends on, apart from the machine."""

    experiment: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
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
    splits: dict[int, dict[Literal["model", "train", "sample"], dict[str, Any]]] = Field(
        default_factory=dict,
        description="overrides for single splits: {7: {train: {iterations: 80000}}}",
    )
