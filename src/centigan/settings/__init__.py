"""Every setting as a frozen model; `params` reads them from params.yaml and experiments/.

Every default is the paper's (AC-GAN, Tables 1 and 2, sections 4.1 and 4.2) unless the comment says so.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from centigan.layout import GROUPS, OF_PROTOCOL, RESERVED, Layout
from centigan.settings.data import STORED_LEVELS, STORED_SIDE, ArraySettings, DataSettings
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
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.figures import FiguresSettings
from centigan.settings.frozen import Frozen, Name
from centigan.settings.grouping import GroupingSettings
from centigan.settings.sources import about
from centigan.settings.text import TextSettings
from centigan.settings.training import (
    DemonstrationSettings,
    LatentSettings,
    ReconstructionSettings,
    SampleSettings,
    SupervisionSettings,
    TrainSettings,
)

# Sections that an experiment may set; all others are the protocol's, which compared models share.
OWN_SECTIONS = ("model", "train", "supervision", "figures", "splits")
OF_STUDIES = (
    "grouping"  # a section that a study alone may set: DVC names the results of an experiment one by one
)


class Named(Frozen):
    """What is read first: whose settings they are."""

    experiment: Name = Field(
        description="a file of experiments/, such as digits/acgan; digits alone: its data and judge"
    )

    @property
    def protocol(self) -> str:
        """What the experiment shares with those that it is compared with."""
        return self.experiment.partition("/")[0]

    @field_validator("experiment")
    @classmethod
    def _not_a_protocols_own(cls, value: str) -> str:
        """An experiment's folder lies among its protocol's results, which tell one from the other by name."""
        if taken := {*RESERVED, *OF_PROTOCOL}.intersection(value.split("/")[1:2]):
            raise ValueError(f"{taken.pop()!r} is a name that a protocol itself uses; choose another one")
        return value


class Settings(Named):
    """Everything that a run depends on, apart from the machine."""

    data: DataSettings = DataSettings()
    arrays: ArraySettings = ArraySettings()
    model: ModelConfig = AcganConfig()
    train: TrainSettings = TrainSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    grouping: GroupingSettings = GroupingSettings()
    sample: SampleSettings = SampleSettings()
    judge: JudgeSettings = JudgeSettings()
    text: TextSettings = TextSettings()
    accuracy: AccuracySettings = AccuracySettings()
    ms_ssim: MsSsimSettings = MsSsimSettings()
    features: FeatureSettings = FeatureSettings()
    inception_score: InceptionScoreSettings = InceptionScoreSettings()
    distribution: DistributionSettings = DistributionSettings()
    classification: ClassificationSettings = ClassificationSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    bits_per_dim: BitsPerDimSettings = BitsPerDimSettings()
    modes: ModesSettings = ModesSettings()
    linear_probe: LinearProbeSettings = LinearProbeSettings()
    latent: LatentSettings = LatentSettings()
    reconstructions: ReconstructionSettings = ReconstructionSettings()
    demonstrations: DemonstrationSettings = DemonstrationSettings()
    figures: FiguresSettings = FiguresSettings()
    splits: dict[int, dict[Literal["model", "train", "sample"], dict[str, Any]]] = Field(
        default_factory=dict,
        description="overrides for single splits: {7: {train: {iterations: 80000}}}",
    )

    @field_validator("splits", mode="before")
    @classmethod
    def _each_split_once(cls, value: Any) -> Any:
        """JSON has texts for keys, a file may have either: 7 and "07" are one split."""
        if isinstance(value, dict):
            if any(isinstance(key, bool) for key in value):
                raise ValueError("a split is a number, not true or false")
            numbers = [int(key) if isinstance(key, str) and key.isdecimal() else key for key in value]
            if len(set(numbers)) < len(numbers):
                raise ValueError("one split stands twice, as a number and as a text or in two spellings")
        return value

    @property
    def layout(self) -> Layout:
        """Where its files lie, from the project's folder."""
        return self.layout_at(Path())

    def layout_at(self, root: Path) -> Layout:
        """Where its files lie in a project."""
        layout = Layout(self.experiment, root)
        if layout.is_group or not self.grouping.word:
            return layout
        protocol, study, _ = self.experiment.split("/")
        return Layout(self.experiment, root, f"{protocol}/{study}/{GROUPS}/{self.grouping.word}")

    @property
    def arrays_of_source(self) -> ArraySettings:
        """How arrays are made of this source, where the settings leave it open."""
        known: dict[str, int] = {}
        if self.arrays.channels == "auto" and "grey" in about(self.data.source).has:
            known["channels"] = 1
        stored = self.data.source == "digits" and self.arrays.resolution == STORED_SIDE
        if self.arrays.levels == "auto" and stored:
            known["levels"] = STORED_LEVELS
        return self.arrays.model_copy(update=known) if known else self.arrays
