"""Words on figures, and the classes they show."""

from pydantic import Field

from centigan.settings.frozen import Count, Frozen, Line, Name, Words


class FigureSettings(Frozen):
    """Words on one figure."""

    title: Words


class GallerySettings(FigureSettings):
    """The gallery of samples of every class (Appendix E)."""

    per_class: Count = 10


class ChosenSettings(FigureSettings):
    """A figure that shows a few classes by name."""

    classes: tuple[Line, ...] | None = Field(
        None, min_length=1, description="ids of the classes shown; null: evenly from the list of classes"
    )


class CurvesSettings(FigureSettings):
    """A figure of one curve a model."""

    beside: tuple[Name, ...] = Field(
        (),
        description="experiments of the same data and judge, whose curves are shown, too, once they are run",
    )


class FiguresSettings(Frozen):
    """One entry a figure, under the name of its files."""

    examples: ChosenSettings = ChosenSettings(title="Samples of a few classes")
    resolution_strip: ChosenSettings = ChosenSettings(title="One class at every resolution")
    accuracy_by_resolution: CurvesSettings = CurvesSettings(title="Accuracy against resolution")
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
    reconstructions: FigureSettings = FigureSettings(title="Held-out images drawn again")
    codes: FigureSettings = FigureSettings(title="Codes of held-out images")
    code_neighbours: FigureSettings = FigureSettings(title="Nearest training images by features")
    shift: FigureSettings = FigureSettings(title="What a shift changes")
    demonstration: FigureSettings = FigureSettings(title="What the family's paper shows")
    arithmetic: FigureSettings = FigureSettings(title="Arithmetic on latents")
    plane: FigureSettings = FigureSettings(title="Points, and what D says of every place")
    density: FigureSettings = FigureSettings(title="Points, and the model's density")
    circles: FigureSettings = FigureSettings(title="Two circles, divided three ways")
    plane_in_training: FigureSettings = FigureSettings(title="Points through training")
    random_samples: FigureSettings = FigureSettings(title="Random samples")
    training_curves: FigureSettings = FigureSettings(title="How training went")
    gallery: GallerySettings = GallerySettings(title="Samples of every class")
