"""How few images and classes a measurement takes: it refuses fewer, and `preflight` does before any job."""

FID_IMAGES = 2  # of a kind and class: a covariance divides by one less
PAIR_IMAGES = 2  # of a kind and class: MS-SSIM compares pairs of them
CLASSES_TOLD_APART = 2  # by the classifier of the classification accuracy score


def images_with_balls(neighbours: int) -> int:
    """Images of a set whose balls reach to the k-th nearest other image (precision and its like)."""
    return neighbours + 1


def most_neighbours(images: int) -> int:
    """The greatest k of a set of so many images."""
    return images - 1
