"""What judges that come trained share: they know ImageNet's classes, and learn nothing here."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from centigan.data.ilsvrc2012 import SORTED_IDS, other_than_imagenet
from centigan.errors import UserError
from centigan.judges.images import Examples, Images
from centigan.judges.network import Network, positions
from centigan.settings.evaluation import JudgeSettings

CLASSES = SORTED_IDS


class ImageNetJudge(ABC):
    """A network that was trained on ImageNet, asked for the experiment's classes, all 1000 or some."""

    name: str
    learns = False
    known = CLASSES

    def __init__(self, classes: tuple[str, ...], weights: str | None = None) -> None:
        require_imagenet(self.name, classes)
        self.classes = classes
        self.network, self.head = self.read(weights)

    @staticmethod
    @abstractmethod
    def read(weights: str | None) -> tuple[Network, nn.Module]:
        """The network, with the weights of a file or of where they come from, and the head that is asked."""

    @classmethod
    def fit(cls, examples: Examples, settings: JudgeSettings) -> Self:
        """The judge as it comes: nothing is learnt from the examples."""
        return cls(examples.classes, settings.weights)

    @classmethod
    def load(cls, classes: tuple[str, ...], tensors: dict[str, Tensor], settings: JudgeSettings) -> Self:
        """The judge as it comes: `tensors` is empty."""
        return cls(classes, settings.weights)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: the weights come from elsewhere."""
        return {}

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, C), rows sum to 1: softmax of the logits of C classes."""
        of_classes = self.logits(images)[:, positions(self.classes, self.known)]
        return torch.from_numpy(of_classes).softmax(1).numpy()

    def logits(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, 1000), in the order of sorted ids."""
        return self.network.logits(self.network.features(images), self.head)


def require_imagenet(judge: str, classes: tuple[str, ...]) -> None:
    """Check that an ImageNet network knows the classes.

    Raises:
        UserError: naming the judge, what the classes are and what to choose instead.
    """
    if wrong := other_than_imagenet(judge, classes):
        raise UserError(wrong)
