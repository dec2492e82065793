"""The one verdict on collapse: are a class's samples less diverse than real images (AC-GAN, section 4.2)?

They are where the mean MS-SSIM of their pairs reaches that of the most uniform class of training images: 0.25
for the paper's ImageNet, another number for other data. Terminal, tables, figures and pages all ask here.
"""

from collections.abc import Mapping


def less_diverse(means: Mapping[str, float], most_uniform: float) -> list[str]:
    """The classes, of class_id -> mean MS-SSIM of its samples, that are; in their order."""
    return [class_id for class_id, mean in means.items() if mean >= most_uniform]
