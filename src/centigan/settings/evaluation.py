"""The judge, the features, and every measurement."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from centigan.settings.frozen import Count, Frozen, Line, Seed, Several

JudgeChoice = Literal[
    "auto", "small-cnn", "head-on-features", "efficientnet-lite0", "inception-v3", "inception-2015"
]
FeatureNetwork = Literal["judge", "efficientnet-lite0", "inception-v3", "inception-2015"]


class JudgeSettings(Frozen):
    """The classifier that decides which class an image shows."""

    name: JudgeChoice = Field(
        "inception-v3",
        description="auto: small-cnn or head-on-features, by accuracy on held-out real images",
    )
    weights: Line | None = Field(None, description="file of weights for an Inception; null: torch's cache")
    steps: Count = Field(300, description="minibatches of 64 images that small-cnn learns from")
    seed: Seed = 0


class AccuracySettings(Frozen):
    """Discriminability against resolution (section 4.1)."""

    resolutions: tuple[Annotated[int, Field(gt=0, le=4096)], ...] | None = Field(
        None, min_length=1, description="null: powers of two from an eighth of the model's to twice it"
    )
    subsets: Several = Field(10, description="groups of images behind the error bar (Fig 3)")

    @model_validator(mode="after")
    def _each_resolution_once(self) -> Self:
        if self.resolutions and len(set(self.resolutions)) < len(self.resolutions):
            raise ValueError(f"resolutions {list(self.resolutions)}: one stands twice")
        return self


class MsSsimSettings(Frozen):
    """Diversity within a class (section 4.2)."""

    pairs: Count = Field(100, description="random pairs of images of a class")
    seed: Seed = 0


class FeatureSettings(Frozen):
    """The network whose features stand for images in the Inception score, FID, KID and their like."""

    network: FeatureNetwork = Field(
        "inception-2015", description="inception-2015: what published scores use; judge: the experiment's own"
    )
    weights: Line | None = Field(None, description="file of weights for an Inception; null: torch's cache")
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

    select_groups: Count = Field(10, description="equal groups of the samples; paper: of 5,000 each")
    report_groups: Count = Field(5, description="equal groups of the fresh samples")


class DistributionSettings(Frozen):
    """Distances between the features of real and of generated images; none is the paper's."""

    kid_subsets: Count = Field(100, description="random subsets behind KID and its deviation")
    kid_subset_size: Several = Field(1000, description="images of either kind in a subset")
    neighbours: Count = Field(
        5, description="k of precision, recall, density and coverage (Naeem et al. 2020)"
    )
    manifold_images: Several = Field(
        10_000, description="images of either kind for those four, at most: their cost is quadratic"
    )
    seed: Seed = 0


class ClassificationSettings(Frozen):
    """Classification accuracy score (Ravuri & Vinyals 2019): train on samples, test on real images."""

    per_class: Count = Field(100, description="images of a class that are trained on, at most")


class NeighbourSettings(Frozen):
    """Nearest training images (Figs 7 and 10), and whether samples are memorised."""

    per_class: Count = Field(20, description="images of a class whose neighbours by L1 are sought")
    ms_ssim_per_class: Count = Field(2, description="the same by MS-SSIM, which costs far more")
    duplicate_below: float = Field(
        5.0, ge=0, description="mean absolute difference in levels of 255 below which two images are the same"
    )
    permutations: Count = Field(10_000, description="behind the p-value that samples are too close")
    memory_mb: Count = Field(512, description="images held at a time, half of them samples")
    seed: Seed = 0


class LinearProbeSettings(Frozen):
    """A linear classifier that learns from features by few labels (Radford et al. 2015, section 5.2)."""

    labels_per_class: Several = Field(100, description="training images of a class that it learns from")
    draws: Count = Field(100, description="of these images, each with a classifier of its own")
    costs: tuple[Annotated[float, Field(gt=0, le=1e9)], ...] = Field(
        (0.1, 1.0, 10.0, 100.0), min_length=1, description="values of C that validation chooses from"
    )
    folds: Several = Field(
        5, description="parts of the labelled images that are left out in turn to choose C"
    )
    seed: Seed = 0


class BitsPerDimSettings(Frozen):
    """Bits a dimension of real images, of families that tell a likelihood or a bound on it."""

    draws: Count = Field(1, description="noises of an image whose bounds are averaged")
    importance: Count = Field(
        1, description="importance samples K behind each: the bound of Burda et al. (2016), tighter with K"
    )
    images: Several = Field(1000, description="images of a split and kind, at most; seeded")
    seed: Seed = 0


class ModesSettings(Frozen):
    """Which classes of points are covered, where they lie apart (Metz et al. 2017)."""

    radius: float = Field(0.3, gt=0, description="a point is near a mode within it")
    least: float = Field(0.01, gt=0, lt=1, description="share of the points that a covered mode has near it")
