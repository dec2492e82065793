"""Inception v3 (Szegedy et al., 2015; arXiv:1512.00567), the paper's judge, with torchvision's weights.

Images are resized to 299 x 299, without a crop, and scaled to [-1, 1]: what torchvision's
normalisation followed by its `transform_input` amounts to. Outputs stand in sorted-synset order.
"""

from pathlib import Path

import torch
from torch import nn

from centigan.judges.imagenet import ImageNetJudge
from centigan.judges.network import Network
from centigan.judges.weights import fill, find_weights, fold, frozen
from centigan.manifest import sha256
from centigan.weights import URLS

SIDE = 299
BATCH = 8  # the largest activations stay below 32 MB, above which malloc asks for fresh pages each time
EXACT = (4, 0)  # all of it in bfloat16 moved the FID by 0.4 %, this by 0.04 % (random weights)
URL = URLS["inception-v3"]
NOT_OF_THE_TRUNK = ("AuxLogits", "avgpool", "dropout", "fc")


class InceptionV3(ImageNetJudge):
    """The judge `inception-v3`."""

    name = "inception-v3"

    @staticmethod
    def read(weights: str | None) -> tuple[Network, nn.Module]:
        """torchvision's weights."""
        network = inception(find_weights(weights, URL, wanted_by=f"judge.name: {InceptionV3.name}"))
        return network, network.head


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
