"""Inception v3 (Szegedy et al., 2015; arXiv:1512.00567), the paper's judge, with torchvision's weights.

Images are resized to 299 x 299, without a crop, and scaled to [-1, 1]: what torchvision's
normalisation followed by its `transform_input` amounts to. Outputs stand in sorted-synset order.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from centigan.judges.imagenet import require_imagenet
from centigan.judges.images import Examples, Images
from centigan.judges.network import Network
from centigan.judges.weights import fill, find_weights, fold, frozen
from centigan.manifest import sha256
from centigan.settings import JudgeSettings

SIDE = 299
BATCH = 8  # the largest activations stay below 32 MB, above which malloc asks for fresh pages each time
EXACT = (4, 0)  # all of it in bfloat16 moved the FID by 0.4 %, this by 0.04 % (random weights)
URL = "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth"  # IMAGENET1K_V1
NOT_OF_THE_TRUNK = ("AuxLogits", "avgpool", "dropout", "fc")


class InceptionV3:
    """The judge `inception-v3`: classes must be ImageNet's 1000, in sorted order."""

    name = "inception-v3"
    learns = False

    def __init__(self, classes: tuple[str, ...], weights: str | None) -> None:
        require_imagenet(self.name, classes)
        self.classes = classes
        self.network = inception(find_weights(weights, URL, wanted_by=f"judge.name: {self.name}"))

    @classmethod
    def fit(cls, examples: Examples, settings: JudgeSettings) -> "InceptionV3":
        """The judge as it comes: nothing is learnt from the examples."""
        return cls(examples.classes, settings.weights)

    @classmethod
    def load(
        cls, classes: tuple[str, ...], tensors: dict[str, Tensor], settings: JudgeSettings
    ) -> "InceptionV3":
        """The judge as it comes: `tensors` is empty."""
        return cls(classes, settings.weights)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: the weights are torchvision's."""
        return {}

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, 1000), rows sum to 1."""
        return self.network.probabilities(images)


def inception(path: Path) -> Network:
    """The network with the weights of torchvision's file.

    Raises:
        UserError: when the file holds something else.
    """
    from torchvision.models import inception_v3  # takes two seconds to import

    with torch.device("meta"):
        whole = inception_v3(weights=None, aux_logits=True, transform_input=False, init_weights=False)
    fill(whole, path, what="torchvision's inception_v3", url=URL)
    parts = (part for name, part in whole.named_children() if name not in NOT_OF_THE_TRUNK)
    return Network(
        name=InceptionV3.name,
        side=SIDE,
        width=whole.fc.in_features,
        batch=BATCH,
        weights_sha256=sha256(path),
        trunk=folded(nn.Sequential(*parts)),
        scale_=lambda x: x.div_(127.5).sub_(1),
        exact=EXACT,
        head=whole.fc.requires_grad_(False),
    )


def folded(trunk: nn.Sequential) -> nn.Sequential:
    """An Inception's trunk, frozen, with each batch norm folded into its convolution."""
    trunk.eval()
    for part in trunk.modules():
        if hasattr(part, "conv"):
            fold(part, "conv", "bn")
    return frozen(trunk)
