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
JudgeChoice = Literal[
    "auto", "small-cnn", "head-on-features", "efficientnet-lite0", "inception-v3", "inception-2015"
]
FeatureNetwork = Literal["judge", "efficientnet-lite0", "inception-v3", "inception-2015"]


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
    fresh_per_class: PositiveInt = Field(
        50, description="further samples, that nothing was chosen by: the Inception score is reported on them"
    )


class JudgeSettings(Frozen):
    """The classifier that decides which class an image shows."""

    name: JudgeChoice = Field(
        "inception-v3",
        description="auto: small-cnn or head-on-features, by accuracy on held-out real images",
    )
    weights: str | None = Field(None, description="file of weights for an Inception; null: torch's cache")
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


class FeatureSettings(Frozen):
    """The network whose features stand for images in the Inception score, FID, KID and their like."""

    network: FeatureNetwork = Field(
        "inception-2015", description="inception-2015: what published scores use; judge: the experiment's own"
    )
    weights: str | None = Field(None, description="file of weights for an Inception; null: torch's cache")
    resizing: Literal["auto", "bilinear", "bilinear-2015", "bicubic"] = Field(
        "auto",
        description="to the network's input: bilinear-2015 as TensorFlow 1, bicubic as clean-fid; auto: "
        "bilinear-2015 for inception-2015, else bilinear",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16 is faster, and moves the numbers in their fourth digit"
    )


class InceptionScoreSettings(Frozen):
    """Inception score (section 4.4): the samples choose a model, fresh samples report its score."""

    select_groups: PositiveInt = Field(10, description="equal groups of the samples; paper: of 5,000 each")
    report_groups: PositiveInt = Field(5, description="equal groups of the fresh samples")


class DistributionSettings(Frozen):
    """Distances between the features of real and of generated images; none is the paper's."""

    kid_subsets: PositiveInt = Field(100, description="random subsets behind KID and its deviation")
    kid_subset_size: int = Field(1000, ge=2, description="images of either kind in a subset")
    neighbours: PositiveInt = Field(
        5, description="k of precision, recall, density and coverage (Naeem et al. 2020)"
    )
    manifold_images: int = Field(
        10_000, ge=2, description="images of either kind for those four, at most: their cost is quadratic"
    )
    seed: int = 0


class ClassificationSettings(Frozen):
    """Classification accuracy score (Ravuri & Vinyals 2019): train on samples, test on real images."""

    per_class: PositiveInt = Field(100, description="images of a class that are trained on, at most")


class NeighbourSettings(Frozen):
    """Nearest training images (Figs 7 and 10), and whether samples are memorised."""

    per_class: PositiveInt = Field(20, description="images of a class whose neighbours by L1 are sought")
    ms_ssim_per_class: PositiveInt = Field(2, description="the same by MS-SSIM, which costs far more")
    duplicate_below: float = Field(
        5.0, ge=0, description="mean absolute difference in levels of 255 below which two images are the same"
    )
    permutations: PositiveInt = Field(10_000, description="behind the p-value that samples are too close")
    memory_mb: PositiveInt = Field(512, description="images held at a time, half of them samples")
    seed: int = 0


class LatentSettings(Frozen):
    """Walks through the latent space and grids of one z for every class (Fig 8)."""

    walks: PositiveInt = Field(4, description="walks of a class, each both linear and spherical")
    steps: int = Field(16, ge=3, description="images of a walk, ends included")
    styles: PositiveInt = Field(8, description="rows of the grid: one z each, shown for every class")
    seed: int = 0


class FigureSettings(Frozen):
    """Words on one figure."""

    title: str


class GallerySettings(FigureSettings):
    """The gallery of samples of every class (Appendix E)."""

    per_class: PositiveInt = 10


class ChosenSettings(FigureSettings):
    """A figure that shows a few classes by name."""

    classes: tuple[str, ...] | None = Field(
        None, description="ids of the classes shown; null: evenly from the list of classes"
    )


class FiguresSettings(Frozen):
    """One entry a figure, under the name of its files."""

    examples: ChosenSettings = ChosenSettings(title="Samples of five classes")
    resolution_strip: ChosenSettings = ChosenSettings(title="One class at every resolution")
    accuracy_by_resolution: FigureSettings = FigureSettings(title="Accuracy against resolution")
    accuracy_by_class: FigureSettings = FigureSettings(title="Accuracy of each class at two resolutions")
    ms_ssim_examples: FigureSettings = FigureSettings(title="Least and most diverse classes")
    ms_ssim_by_class: FigureSettings = FigureSettings(title="Diversity of real and generated classes")
    ms_ssim_pairs: FigureSettings = FigureSettings(title="Diversity, pair by pair")
    ms_ssim_in_training: FigureSettings = FigureSettings(title="Diversity through training")
    accuracy_and_ms_ssim: FigureSettings = FigureSettings(title="Accuracy and diversity")
    neighbours_l1: ChosenSettings = ChosenSettings(title="Nearest training images by L1")
    neighbours_ms_ssim: ChosenSettings = ChosenSettings(title="Nearest training images by MS-SSIM")
    memorisation: FigureSettings = FigureSettings(title="Distance to the nearest training image")
    interpolation: ChosenSettings = ChosenSettings(title="Walks through the latent space")
    class_grid: ChosenSettings = ChosenSettings(title="One z for every class")
    random_samples: FigureSettings = FigureSettings(title="Random samples")
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


class FeaturesStage(Frozen):
    features: FeatureSettings


class InceptionScoreStage(Frozen):
    inception_score: InceptionScoreSettings


class DistributionStage(Frozen):
    distribution: DistributionSettings


class ClassificationStage(Frozen):
    classification: ClassificationSettings


class NeighboursStage(Frozen):
    neighbours: NeighbourSettings


class LatentStage(Frozen):
    model: AcganConfig
    latent: LatentSettings


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
    "neighbours": NeighboursStage,
    "latent": LatentStage,
}
