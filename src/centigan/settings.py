"""Every setting as a frozen model; `params` reads them from params.yaml and experiments/.

Every default is the paper's (AC-GAN, Tables 1 and 2, sections 4.1 and 4.2) unless the comment says so.
A stage is the exact part of the settings that one rule depends on: Snakemake compares its JSON, and
the command is handed that same JSON.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

Source = Literal[
    "auto", "archives", "folders", "class-folders", "kaggle", "cifar10", "cifar100", "digits", "photos"
]
ResolutionChoice = Literal[32, 64, 128]
JudgeChoice = Literal["auto", "small-cnn", "head-on-features", "efficientnet-lite0", "inception-v3"]


class Frozen(BaseModel):
    """Immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(Frozen):
    """What is trained on, and how its classes are grouped."""

    source: Source = Field("auto", description="auto: recognised by what lies at `root`")
    root: str = Field("data/raw/imagenet", description="folder of the raw images or archives")
    classes: PositiveInt = Field(1000, description="classes that must be there")
    order: str = Field(
        "sorted",
        min_length=1,
        description="order of the classes: sorted | devkit (ILSVRC2012_ID) | a file with one class a line, "
        "which also chooses among the classes",
    )
    split_size: PositiveInt = Field(10, description="classes a model learns; contiguous in that order")
    per_class: PositiveInt | None = Field(
        None, description="use only the first so many training images of a class; null: all"
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of each class held out where the source holds nothing out itself"
    )
    on_bad_image: Literal["auto", "error", "reject"] = Field(
        "auto",
        description="a damaged image stops the run or is left out and listed; auto: error for data that is "
        "published with checksums (ILSVRC2012 archives, CIFAR), else reject",
    )
    checksums: bool = Field(False, description="read every image once and keep its sha256 in the index")


class ArraySettings(Frozen):
    """How raw images become uint8 arrays."""

    resolution: ResolutionChoice = Field(128, description="side of the training images, pixels")
    dct_scaling: bool = Field(
        True, description="decode JPEGs at 1/2, 1/4 or 1/8 where it cannot be seen (docs/protocols.md)"
    )


class AcganConfig(Frozen):
    """Model and optimiser of AC-GAN (Tables 1 and 2)."""

    family: Literal["acgan"] = "acgan"
    width: float = Field(1.0, gt=0, description="multiplier on every feature-map count; 1: paper")
    latent: PositiveInt = Field(100, description="dimensions of z")
    activation_noise: float = Field(0.1, ge=0, description="std of the noise on D's activations")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    saturating: bool = Field(False, description="G descends L_S itself, not its non-saturating form")
    revision: int = Field(1, description="raise it when a change of code must retrain every split")


class TrainSettings(Frozen):
    """The training loop."""

    seed: int = 0
    batch_size: int = Field(100, ge=2, description="real images an iteration; batch norm needs two")
    iterations: PositiveInt = 50_000
    flips: bool = Field(False, description="mirror each image with probability 1/2; the paper names none")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the processor multiplies it natively"
    )
    channels_last: Literal["auto"] | bool = Field(
        "auto", description="activations (N, H, W, C) in memory; auto: on a CPU, and with bfloat16 on a GPU"
    )
    compile: Literal["auto", "none", "default", "reduce-overhead", "max-autotune"] = Field(
        "auto",
        description="mode of torch.compile; reduce-overhead: with CUDA graphs; auto: none, which is faster "
        "on a CPU (benchmarks/numerics.py)",
    )
    tf32: Literal["auto"] | bool = Field(
        "auto",
        description="float32 products with 10 bits of mantissa on a GPU; auto: if precision is auto",
    )
    deterministic: bool = Field(
        False, description="the same bytes twice on a GPU too, at some cost; a CPU gives them anyway"
    )
    ema: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="decay of G's moving average, which is then sampled and saved; null: paper",
    )
    on_divergence: Literal["stop", "halve"] = Field(
        "stop",
        description="a loss that is not finite stops the run; halve: it goes back to the last checkpoint "
        "with half the learning rates, up to five times",
    )
    log_every: PositiveInt = Field(100, description="iterations between lines of the journal")
    checkpoint_every: PositiveInt = Field(1000, description="iterations between checkpoints, at most")
    checkpoint_minutes: float = Field(10.0, gt=0, description="minutes between checkpoints, at most")
    snapshot_every: PositiveInt = Field(5000, description="iterations between samples (Fig 5 right)")
    snapshot_per_class: int = Field(20, ge=2, description="samples of each class in a snapshot")

    @model_validator(mode="after")
    def _journal_has_a_line(self) -> Self:
        if self.log_every > self.iterations:
            raise ValueError(f"log_every {self.log_every} exceeds iterations {self.iterations}; lower it")
        return self


class SampleSettings(Frozen):
    """Images drawn from each trained generator."""

    seed: int = 0
    per_class: int = Field(1000, ge=2)


class JudgeSettings(Frozen):
    """The classifier that decides which class an image shows."""

    name: JudgeChoice = Field(
        "inception-v3",
        description="auto: small-cnn or head-on-features, by accuracy on held-out real images",
    )
    weights: str | None = Field(None, description="file of weights for inception-v3; null: torch's cache")
    seed: int = 0


class AccuracySettings(Frozen):
    """Discriminability against resolution (section 4.1)."""

    resolutions: tuple[PositiveInt, ...] | None = Field(
        None, description="null: powers of two from an eighth of the model's to twice it"
    )
    subsets: int = Field(10, ge=2, description="groups of images behind the error bar (Fig 3)")


class MsSsimSettings(Frozen):
    """Diversity within a class (section 4.2)."""

    pairs: PositiveInt = Field(100, description="random pairs of images of a class")
    seed: int = 0


class FigureSettings(Frozen):
    """Words on one figure."""

    title: str


class GallerySettings(FigureSettings):
    """The gallery of samples of every class (Appendix E)."""

    per_class: PositiveInt = 10


class FiguresSettings(Frozen):
    """One entry a figure, under the name of its files."""

    accuracy_by_resolution: FigureSettings = FigureSettings(title="Accuracy against resolution")
    accuracy_by_class: FigureSettings = FigureSettings(title="Accuracy of each class at two resolutions")
    ms_ssim_by_class: FigureSettings = FigureSettings(title="Diversity of real and generated classes")
    ms_ssim_in_training: FigureSettings = FigureSettings(title="Diversity through training")
    accuracy_and_ms_ssim: FigureSettings = FigureSettings(title="Accuracy and diversity")
    training_curves: FigureSettings = FigureSettings(title="Losses and accuracies of D")
    gallery: GallerySettings = GallerySettings(title="Samples of every class")


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
    figures: FiguresSettings = FiguresSettings()
    splits: dict[int, dict[Literal["model", "train", "sample"], dict[str, Any]]] = Field(
        default_factory=dict,
        description="overrides for single splits: {7: {train: {iterations: 80000}}}",
    )


class ArraysStage(Frozen):
    arrays: ArraySettings


class IndexStage(Frozen):
    data: DataSettings


class TrainStage(Frozen):
    model: AcganConfig
    train: TrainSettings


class SampleStage(Frozen):
    model: AcganConfig
    sample: SampleSettings


class JudgeStage(Frozen):
    judge: JudgeSettings


class AccuracyStage(Frozen):
    accuracy: AccuracySettings


class MsSsimStage(Frozen):
    ms_ssim: MsSsimSettings


STAGES: dict[str, type[Frozen]] = {
    "index": IndexStage,
    "arrays": ArraysStage,
    "train": TrainStage,
    "sample": SampleStage,
    "judge": JudgeStage,
    "accuracy": AccuracyStage,
    "ms_ssim": MsSsimStage,
}
