"""The published numbers of AC-GAN (arXiv:1610.09585): its figures, sections 4 to 4.4, appendix D."""

from typing import NamedTuple

# What a fair comparison must be free of, by the names of `comparison.differences`
SET_UP = ()  # no result, but what this run or the paper chose
JUDGED_REAL = ("data", "judge", "size", "held out")
JUDGED = ("data", "judge", "size", "samples")
PAIRED = ("data", "size", "pairs")
BOTH = ("data", "judge", "size", "pairs")
SCORED = ("CIFAR-10", "network", "scored")
SEEN = ("seen",)
OF_STUDY = ("study",)


class Paper(NamedTuple):
    """The paper that is reproduced."""

    authors: str
    title: str
    year: int
    arxiv: str

    @property
    def link(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}"


PAPER = Paper(
    "Augustus Odena, Christopher Olah and Jonathon Shlens",
    "Conditional Image Synthesis with Auxiliary Classifier GANs",
    2017,
    "1610.09585",
)


class Published(NamedTuple):
    """One number of the paper."""

    id: str  # where it stands
    measurement: str
    paper: str
    ours: str  # name in summary.json; {R}, {2R}, {R/2}, {R/4}: the model's resolution and its parts
    needs: tuple[str, ...]  # names of `differences` that a fair comparison must be free of
    study: str = ""  # of studies/, which runs many experiments to measure it


PUBLISHED = (
    Published("Sec 4", "Classes", "1000", "data/classes", SET_UP),
    Published("Sec 4", "Models, one a split", "100", "data/splits", SET_UP),
    Published("Sec 4", "Classes that a model learns", "10", "data/classes_of_a_split", SET_UP),
    Published("Sec 4", "Side R of the model's images, px", "128", "model/resolution", SET_UP),
    Published("Fig 3", "Subsets behind the error bar", "10", "accuracy/subsets", SET_UP),
    Published("Sec 4.2", "Pairs of images of a class", "100", "ms_ssim/pairs", SET_UP),
    Published(
        "Sec 4",
        "Accuracy of the judge on real images",
        "78.8 %",
        "judge/accuracy_held_out",
        ("data", "judge", "own size"),
    ),
    Published("Fig 3", "Accuracy of real images at R/4", "24 %", "accuracy/held_out/{R/4}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at R/2", "54 %", "accuracy/held_out/{R/2}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at R", "81 %", "accuracy/held_out/{R}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at 2R", "81 %", "accuracy/held_out/{2R}", JUDGED_REAL),
    Published("Sec 4.1", "Accuracy of samples at R", "10.1 ± 2.0 %", "accuracy/generated/{R}", JUDGED),
    Published("Sec 4.1", "... resized to R/2", "7.0 ± 2.0 %", "accuracy/generated/{R/2}", JUDGED),
    Published("Sec 4.1", "... resized to R/4", "5.0 ± 2.0 %", "accuracy/generated/{R/4}", JUDGED),
    Published(
        "Fig 3",
        "Share of classes more accurate at R than at R/4",
        "84.4 %",
        "accuracy/share_below_diagonal",
        JUDGED,
    ),
    Published("Fig 5", "MS-SSIM of the most uniform real class", "0.25", "ms_ssim/training/max", PAIRED),
    Published("Fig 5", "Std of MS-SSIM in a real class", "0.06", "ms_ssim/training/std", PAIRED),
    Published("Fig 5", "Std of MS-SSIM in a generated class", "0.08", "ms_ssim/generated/std", PAIRED),
    Published(
        "Fig 5",
        "Share of generated classes below the most uniform real class",
        "84.7 %",
        "ms_ssim/share_below_max_training",
        PAIRED,
    ),
    Published(
        "Fig 6",
        "Pearson's r of accuracy and MS-SSIM",
        "r² = -0.16",
        "accuracy_ms_ssim/r",
        (*BOTH, "sign"),
    ),
    Published("Fig 6", "its square, r²", "r² = -0.16", "accuracy_ms_ssim/r2", (*BOTH, "sign")),
    Published(
        "Sec 4.3",
        "Share with accuracy ≤ 1 %, of classes less diverse than any real one (paper: MS-SSIM ≥ 0.25)",
        "74 %",
        "accuracy_ms_ssim/share_low_diversity_inaccurate",
        (*BOTH, "chance"),
    ),
    Published(
        "Sec 4.3",
        "Share with accuracy > 1 %, of classes more diverse than that",
        "78 %",
        "accuracy_ms_ssim/share_high_diversity_accurate",
        (*BOTH, "chance"),
    ),
    Published(
        "Sec 4.4", "Inception score of fresh CIFAR-10 samples", "8.25 ± 0.07", "inception_score/fresh", SCORED
    ),
    Published("Sec 4.4", "the best score before, by another model", "8.09 ± 0.07", "", ("other model",)),
    Published(
        "Fig 7",
        "Samples that copy a training image (L1)",
        "none seen",
        "neighbours/duplicates/generated",
        SEEN,
    ),
    Published(
        "Fig 7",
        "Share of samples nearer to training images than held-out ones",
        "none stated",
        "neighbours/l1/share_closer",
        SEEN,
    ),
    Published(
        "Fig 10",
        "Median of 1 - MS-SSIM to the nearest training image",
        "none stated",
        "neighbours/ms_ssim/median_generated",
        SEEN,
    ),
    Published(
        "Fig 8",
        "Largest step of a walk in z, of its mean step",
        "no holes seen",
        "latent/linear/largest_over_mean",
        SEEN,
    ),
    Published(
        "Fig 11",
        "MS-SSIM of ten classes, as a model learns 10 to 100",
        "soon above 0.25",
        "",
        OF_STUDY,
        "class_counts",
    ),
    Published("App D", "A plain GAN for each class", "not reliable", "", OF_STUDY, "single_class_digits"),
    Published("Sec 4.4", "The best of 27 CIFAR-10 models", "8.25 ± 0.07", "", OF_STUDY, "cifar10_grid"),
    Published(
        "Sec 4", "Other choices of the classes in a split", "no effect seen", "", OF_STUDY, "orders_digits"
    ),
    Published("Sec 5", "Class output learnt from few labels", "none stated", "", OF_STUDY, "labels_digits"),
)
