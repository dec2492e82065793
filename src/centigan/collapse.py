"""The one verdict on collapse: are a class's samples less diverse than real images (AC-GAN, section 4.2)?

They are where the mean MS-SSIM of their pairs reaches that of the most uniform class of training images: 0.25
for the paper's ImageNet, another number for other data. Terminal, tables, figures and pages all ask here.
"""

from typing import Any


def is_less_diverse(mean: Any, most_uniform: float) -> Any:
    """Whether samples with a mean MS-SSIM are, true or false; for a column of means, a column."""
    return mean >= most_uniform
