"""What each rule depends on.

A stage is the exact part of the settings that one rule depends on: Snakemake compares its JSON, and
the command is handed that same JSON.
"""

from typing import Any, ClassVar

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
    LinearProbeSettings,
    ModesSettings,
    MsSsimSettings,
    NeighbourSettings,
)
from centigan.settings.families import ModelConfig
from centigan.settings.frozen import Frozen
from centigan.settings.grouping import GroupingSettings
from centigan.settings.text import TextSettings
from centigan.settings.training import (
    DemonstrationSettings,
    LatentSettings,
    ReconstructionSettings,
    SampleSettings,
    SupervisionSettings,
    TrainSettings,
)


class WithLaterSettings(Frozen):
    """A stage that has settings which came later: its JSON is without those that have their default.

    So nothing that was made before they were there is stale.
    """

    later: ClassVar[tuple[str, ...]]  # a section, or one of its settings: "arrays.channels"

    @model_serializer(mode="wrap")
    def _defaults_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = values(self)
        for place in self.later:
            section, _, key = place.rpartition(".")
            owner = getattr(self, section) if section else self
            if getattr(owner, key) == type(owner).model_fields[key].default:
                (written[section] if section else written).pop(key, None)
        return written


class ArraysStage(WithLaterSettings):
    later: ClassVar = ("arrays.channels", "arrays.levels", "arrays.crop", "arrays.crop_down")
    arrays: ArraySettings


class IndexStage(WithLaterSettings):
    later: ClassVar = ("data.attribute",)
    data: ContentSettings  # not where they lie


class GroupStage(WithLaterSettings):
    """Which classes share a model, where those are other splits than the protocol's."""

    later: ClassVar = ("data.attribute",)
    grouping: GroupingSettings
    data: ContentSettings  # as these splits have them


class TrainStage(WithLaterSettings):
    later: ClassVar = ("supervision",)
    model: ModelConfig
    train: TrainSettings
    supervision: SupervisionSettings = SupervisionSettings()


class SampleStage(Frozen):
    model: ModelConfig
    sample: SampleSettings


class JudgeStage(WithLaterSettings):
    later: ClassVar = ("judge.steps",)
    judge: JudgeSettings


class TextStage(Frozen):
    """The text encoder of a protocol, and the embeddings of its captions."""

    text: TextSettings


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
    """As many training images as there are samples of a class are trained on."""

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


class ModesStage(Frozen):
    modes: ModesSettings


class DemonstrateStage(Frozen):
    model: ModelConfig
    demonstrations: DemonstrationSettings


class BitsPerDimStage(Frozen):
    model: ModelConfig
    bits_per_dim: BitsPerDimSettings


class WithNoiseStage(Frozen):
    """Samples of another kind, drawn and compared as the others are."""

    model: ModelConfig
    sample: SampleSettings
    features: FeatureSettings
    distribution: DistributionSettings


class ModelStage(Frozen):
    model: ModelConfig


class LinearProbeStage(Frozen):
    """The seed of the training tells the first weights, with which the trained ones are compared."""

    model: ModelConfig
    train: TrainSettings
    linear_probe: LinearProbeSettings


STAGES: dict[str, type[Frozen]] = {
    "index": IndexStage,
    "arrays": ArraysStage,
    "group": GroupStage,
    "train": TrainStage,
    "sample": SampleStage,
    "judge": JudgeStage,
    "text": TextStage,
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
    "demonstrate": DemonstrateStage,
    "bits_per_dim": BitsPerDimStage,
    "with_noise": WithNoiseStage,
    "modes": ModesStage,
    "model": ModelStage,
    "linear_probe": LinearProbeStage,
}
