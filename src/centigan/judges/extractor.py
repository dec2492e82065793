"""The network whose features stand for images in the Inception score, FID, KID and their like."""

from dataclasses import replace
from pathlib import Path

import torch

from centigan.judges.choose import load_judge
from centigan.judges.efficientnet import efficientnet
from centigan.judges.inception import URL as INCEPTION_URL
from centigan.judges.inception import inception
from centigan.judges.inception_2015 import URL as INCEPTION_2015_URL
from centigan.judges.inception_2015 import read_inception_2015
from centigan.judges.network import Network
from centigan.judges.weights import find_weights
from centigan.settings.evaluation import FeatureSettings


def load_extractor(settings: FeatureSettings, judge: Path) -> Network:
    """The network that `settings` asks for, under one resizing and one precision.

    Args:
        settings: network, file of weights, resizing, precision.
        judge: folder of the experiment's own judge, read where `settings.network` is "judge".

    Raises:
        UserError: when weights cannot be had, or no judge lies there.
    """
    network = _network(settings, judge)
    if settings.resizing != "auto":
        network = replace(network, resizing=settings.resizing)
    return network.in_precision(getattr(torch, settings.precision))


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
