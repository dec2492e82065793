"""The Inception of 2015-12-05, which published Inception scores and FIDs are made with.

torch-fidelity's port of TensorFlow's graph, with its weights: other pooling than Inception v3 elsewhere,
and 1008 outputs, of which rows 1..1000 are classes in the order of ILSVRC2012_ID and eight are idle. As
a judge it reads those rows in sorted order, with their biases; the Inception score (Salimans et al.,
2016; arXiv:1606.03498) has always been computed from all 1008 without biases.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

from centigan.data.ilsvrc2012 import IDS
from centigan.judges.imagenet import CLASSES, ImageNetJudge
from centigan.judges.inception import BATCH, EXACT, SIDE, folded
from centigan.judges.network import Network
from centigan.judges.weights import fill, find_weights
from centigan.manifest import sha256
from centigan.weights import URLS

WIDTH, OUTPUTS = 2048, 1008
URL = URLS["inception-2015"]


class Inception2015(ImageNetJudge):
    """The judge `inception-2015`."""

    name = "inception-2015"

    @staticmethod
    def read(weights: str | None) -> tuple[Network, nn.Module]:
        """The port's weights; asked are the rows of the classes, with their biases."""
        path = find_weights(weights, URL, wanted_by=f"judge.name: {Inception2015.name}")
        network, outputs = read_inception_2015(path)
        return network, of_sorted_classes(outputs)


def read_inception_2015(path: Path) -> tuple[Network, nn.Linear]:
    """The network with the weights of the port's file, and its last layer with all rows and biases.

    Raises:
        UserError: when the file holds something else.
    """
    with torch.device("meta"):
        outputs = nn.Linear(WIDTH, OUTPUTS)
        without_biases = nn.Linear(WIDTH, OUTPUTS, bias=False)
        whole = nn.Sequential(OrderedDict({**_trunk(), "fc": outputs}))
    fill(whole, path, what="torch-fidelity's Inception of 2015", url=URL)
    outputs.requires_grad_(False)
    without_biases.weight = outputs.weight
    network = Network(
        name=Inception2015.name,
        side=SIDE,
        width=WIDTH,
        batch=BATCH,
        weights_sha256=sha256(path),
        trunk=folded(whole[:-1]),
        scale_=lambda x: x.sub_(128).div_(128),
        head=without_biases,
        resizing="bilinear-2015",
        exact=EXACT,
    )
    return network, outputs


def of_sorted_classes(outputs: nn.Linear) -> nn.Linear:
    """The rows of the 1000 classes of a layer of 1008, sorted by WordNet id."""
    row = {class_id: number for number, class_id in enumerate(IDS, start=1)}
    chosen = [row[class_id] for class_id in CLASSES]
    head = nn.Linear(WIDTH, len(chosen), device="meta")
    head.weight = nn.Parameter(outputs.weight[chosen], requires_grad=False)
    head.bias = nn.Parameter(outputs.bias[chosen], requires_grad=False)
    return head


def _trunk() -> dict[str, nn.Module]:
    """The layers of the port in their order, under its names.

    Its own class builds the same, but only together with reading a pickle that may hold code.
    """
    from torch_fidelity import feature_extractor_inceptionv3 as port  # takes three seconds to import

    return {
        "Conv2d_1a_3x3": port.BasicConv2d(3, 32, kernel_size=3, stride=2),
        "Conv2d_2a_3x3": port.BasicConv2d(32, 32, kernel_size=3),
        "Conv2d_2b_3x3": port.BasicConv2d(32, 64, kernel_size=3, padding=1),
        "MaxPool_1": nn.MaxPool2d(kernel_size=3, stride=2),
        "Conv2d_3b_1x1": port.BasicConv2d(64, 80, kernel_size=1),
        "Conv2d_4a_3x3": port.BasicConv2d(80, 192, kernel_size=3),
        "MaxPool_2": nn.MaxPool2d(kernel_size=3, stride=2),
        "Mixed_5b": port.InceptionA(192, pool_features=32),
        "Mixed_5c": port.InceptionA(256, pool_features=64),
        "Mixed_5d": port.InceptionA(288, pool_features=64),
        "Mixed_6a": port.InceptionB(288),
        "Mixed_6b": port.InceptionC(768, channels_7x7=128),
        "Mixed_6c": port.InceptionC(768, channels_7x7=160),
        "Mixed_6d": port.InceptionC(768, channels_7x7=160),
        "Mixed_6e": port.InceptionC(768, channels_7x7=192),
        "Mixed_7a": port.InceptionD(768),
        "Mixed_7b": port.InceptionE_1(1280),
        "Mixed_7c": port.InceptionE_2(2048),
    }
