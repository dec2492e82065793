"""How few images and classes a measurement takes: it refuses fewer, and `preflight` does before any job."""

FID_IMAGES = 2  # of a kind and class: a covariance divides by one less
PAIR_IMAGES = 2  # of a kind and class: MS-SSIM compares pairs of them
TIMES_CHANCE = 2  # from here on a judge tells something
CLASSES_OF_CHANCE = 3  # of two, a judge that is always right is at twice chance
CLASSES_TOLD_APART = 2  # by the classifier of the classification accuracy score


def images_with_balls(neighbours: int) -> int:
    """Images of a set whose balls reach to the k-th nearest other image (precision and its like)."""
    return neighbours + 1


def most_neighbours(images: int) -> int:
    """The greatest k of a set of so many images."""
    return images - 1


def no_better_than_chance(accuracy: float, classes: int) -> str | None:
    """Why a judge's accuracies mean nothing, if so: it names held-out real images hardly better than chance.

    Args:
        accuracy: share of held-out real images that it names rightly.
        classes: those that it is asked for.
    """
    chance = 1 / classes
    if accuracy >= TIMES_CHANCE * chance or classes < CLASSES_OF_CHANCE:
        return None
    return (
        f"The judge names {100 * accuracy:.3g} % of held-out real images rightly, and chance is "
        f"{100 * chance:.3g} %: accuracies by this judge mean nothing here. Choose a judge.name that learns "
        "the classes (auto, small-cnn, head-on-features), or see whether the images are of the "
        "classes that they are named by"
    )
