"""The network whose features stand for images in the Inception score, FID, KID and their like."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from centigan.judges.choose import load_judge
from centigan.judges.efficientnet import efficientnet
from centigan.judges.images import Images
from centigan.judges.inception import URL as INCEPTION_URL
from centigan.judges.inception import inception
from centigan.judges.inception_2015 import URL as INCEPTION_2015_URL
from centigan.judges.inception_2015 import read_inception_2015
from centigan.judges.network import Network
from centigan.judges.weights import find_weights
from centigan.settings import FeatureSettings


class Extractor:
    """A network under one resizing and one precision: the same three make features comparable."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.name = network.name
        self.side = network.side  # pixels
        self.resizing = network.resizing
        self.precision = str(network.dtype).removeprefix("torch.")
        self.weights_sha256 = network.weights_sha256

    def features(self, images: Images, *, progress: str | None = None) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> float32 (N, F); with `progress`, a bar of that name."""
        return self.network.features(images, progress=progress)

    def score_logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (N, F) -> the logits (N, C) behind the Inception score."""
        return self.network.logits(features)


def load_extractor(settings: FeatureSettings, judge: Path) -> Extractor:
    """The extractor that `settings` asks for.

    Args:
        settings: network, file of weights, resizing, precision.
        judge: folder of the experiment's own judge, read where `settings.network` is "judge".

    Raises:
        UserError: when weights cannot be had, or no judge lies there.
    """
    network = _network(settings, judge)
    if settings.resizing != "auto":
        network = replace(network, resizing=settings.resizing)
    return Extractor(network.in_precision(getattr(torch, settings.precision)))


def _network(settings: FeatureSettings, judge: Path) -> Network:
    wanted_by = f"features.network: {settings.network}"
    match settings.network:
        case "judge":
            return load_judge(judge).network
        case "efficientnet-lite0":
            return efficientnet()
        case "inception-v3":
            return inception(find_weights(settings.weights, INCEPTION_URL, wanted_by=wanted_by))
        case "inception-2015":
            path = find_weights(settings.weights, INCEPTION_2015_URL, wanted_by=wanted_by)
            return read_inception_2015(path)[0]
