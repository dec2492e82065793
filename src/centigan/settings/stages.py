"""What each rule depends on.

A stage is the exact part of the settings that one rule depends on: Snakemake compares its JSON, and
the command is handed that same JSON.
"""

from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from centigan.settings.data import ArraySettings, ContentSettings
from centigan.settings.evaluation import (
    AccuracySettings,
    BitsPerDimSettings,
    ClassificationSettings,
    DistributionSettings,
    FeatureSettings,
    InceptionScoreSettings,
    JudgeSettings,
    MsSsimSettings,
    NeighbourSettings,
)
from centigan.settings.families import ModelConfig
from centigan.settings.frozen import Frozen
from centigan.settings.training import (
    LatentSettings,
    ReconstructionSettings,
    SampleSettings,
    SupervisionSettings,
    TrainSettings,
)


class ArraysStage(Frozen):
    arrays: ArraySettings

    @model_serializer(mode="wrap")
    def _three_channels_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Arrays from before the setting was there are those of `auto`."""
        written: dict[str, Any] = values(self)
        if self.arrays.channels == "auto":
            written["arrays"].pop("channels", None)
        return written


class IndexStage(Frozen):
    data: ContentSettings  # not where they lie


class TrainStage(Frozen):
    model: ModelConfig
    train: TrainSettings
    supervision: SupervisionSettings = SupervisionSettings()

    @model_serializer(mode="wrap")
    def _all_labels_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Trainings from before the section was there are those with every label."""
        written: dict[str, Any] = values(self)
        if self.supervision == SupervisionSettings():
            written.pop("supervision", None)
        return written


class SampleStage(Frozen):
    model: ModelConfig
    sample: SampleSettings


class JudgeStage(Frozen):
    judge: JudgeSettings

    @model_serializer(mode="wrap")
    def _as_many_steps_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Judges from before the setting was there are those of its default."""
        written: dict[str, Any] = values(self)
        if self.judge.steps == JudgeSettings().steps:
            written["judge"].pop("steps", None)
        return written


class AccuracyStage(Frozen):
    accuracy: AccuracySettings


class MsSsimStage(Frozen):
    ms_ssim: MsSsimSettings


class FeaturesStage(Frozen):
    features: FeatureSettings


class InceptionScoreStage(Frozen):
    inception_score: InceptionScoreSettings


class DistributionStage(Frozen):
    distribution: DistributionSettings


class ClassificationStage(Frozen):
    classification: ClassificationSettings


class RealClassificationStage(Frozen):
    """As many real images as there are samples of a class are trained on."""

    classification: ClassificationSettings
    sample: SampleSettings


class NeighboursStage(Frozen):
    neighbours: NeighbourSettings


class LatentStage(Frozen):
    model: ModelConfig
    latent: LatentSettings


class ReconstructStage(Frozen):
    model: ModelConfig
    reconstructions: ReconstructionSettings


class BitsPerDimStage(Frozen):
    model: ModelConfig
    bits_per_dim: BitsPerDimSettings


STAGES: dict[str, type[Frozen]] = {
    "index": IndexStage,
    "arrays": ArraysStage,
    "train": TrainStage,
    "sample": SampleStage,
    "judge": JudgeStage,
    "accuracy": AccuracyStage,
    "ms_ssim": MsSsimStage,
    "features": FeaturesStage,
    "inception_score": InceptionScoreStage,
    "distribution": DistributionStage,
    "classification": ClassificationStage,
    "classification_of_real": RealClassificationStage,
    "neighbours": NeighboursStage,
    "latent": LatentStage,
    "reconstruct": ReconstructStage,
    "bits_per_dim": BitsPerDimStage,
}
