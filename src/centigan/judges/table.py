"""The contract of a judge, and the literal table of all judges."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from centigan.judges.efficientnet import EfficientNetLite0
from centigan.judges.head import HeadOnFeatures
from centigan.judges.images import Images
from centigan.judges.inception import InceptionV3
from centigan.judges.inception_2015 import Inception2015
from centigan.judges.network import Network
from centigan.judges.small_cnn import SmallCnn


class Judge(Protocol):
    """What a judge can do; each class of `JUDGES` has `fit` and `load` beside it, which make one."""

    name: str
    learns: bool  # from the real images; else it comes trained
    classes: tuple[str, ...]  # sorted class ids, whatever order the splits have
    known: tuple[str, ...]  # sorted: all that its network tells apart; more where it came trained
    network: Network

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, classes), rows sum to 1; batches are its own affair.

        Classes that only its network knows are left out of the sum.
        """
        ...

    def logits(self, images: Images) -> NDArray[np.float32]:
        """The same images -> (N, known)."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """What it learnt from the real images, for `load`; nothing when it came trained."""
        ...


JUDGES: dict[
    str,
    type[SmallCnn] | type[HeadOnFeatures] | type[EfficientNetLite0] | type[InceptionV3] | type[Inception2015],
] = {
    "small-cnn": SmallCnn,
    "head-on-features": HeadOnFeatures,
    "efficientnet-lite0": EfficientNetLite0,
    "inception-v3": InceptionV3,
    "inception-2015": Inception2015,
}
