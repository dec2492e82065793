"""A small convnet trained in seconds on augmented real images.

Sizes and schedule are chosen on the 1,442 digits of the demo: 14 s of one core, and no more steps or
maps (400, 24 to 128) named more of the held-out ones, clean (99 %) or disturbed.
"""

import logging
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from centigan.judges.augmentation import augment
from centigan.judges.images import Examples, Images, device, exact, resized
from centigan.judges.network import Network
from centigan.judges.weights import digest, frozen
from centigan.settings.evaluation import JudgeSettings

MAPS = (16, 32, 64, 128)  # each a block of two convolutions, the second at stride 2
LARGEST_SIDE = 64  # larger images are shrunk to it
BATCH = 64
TOLD_EVERY = 50  # steps
PEAK_LR, WEIGHT_DECAY, LABEL_SMOOTHING = 3e-3, 1e-2, 0.05
log = logging.getLogger(__name__)


class SmallCnn:
    """The judge `small-cnn`."""

    name = "small-cnn"
    learns = True

    def __init__(self, classes: tuple[str, ...], layers: nn.Sequential, side: int) -> None:
        self.classes = self.known = classes
        state = {name: value.cpu().contiguous() for name, value in layers.state_dict().items()}
        self.learnt = {**state, "side": torch.tensor(side)}
        self.network = Network(
            name=self.name,
            side=side,
            width=MAPS[-1],
            batch=256,
            weights_sha256=digest(self.learnt),
            trunk=frozen(layers[:-3]),
            scale_=lambda x: x.div_(255),
            head=layers[-1].requires_grad_(False).cpu(),
        )

    @classmethod
    def fit(cls, examples: Examples, settings: JudgeSettings) -> "SmallCnn":
        """Train on the examples: same examples and seed, same network."""
        rng = Generator().manual_seed(settings.seed)
        side = min(examples.images.shape[1], LARGEST_SIDE)
        network = build(len(examples.classes), side, rng)
        labels = torch.from_numpy(examples.labels)
        with exact():
            train(network, resized(examples.images, side) / 255, labels, settings.steps, rng)
        return cls(examples.classes, network, side)

    @classmethod
    def load(
        cls, classes: tuple[str, ...], tensors: dict[str, Tensor], settings: JudgeSettings
    ) -> "SmallCnn":
        """The judge that `tensors` wrote."""
        side = int(tensors["side"])
        network = build(len(classes), side, Generator())
        network.load_state_dict({name: value for name, value in tensors.items() if name != "side"})
        return cls(classes, network, side)

    def tensors(self) -> dict[str, Tensor]:
        """The network's state, and the side of its input."""
        return self.learnt

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, C), rows sum to 1."""
        return self.network.probabilities(images)

    def logits(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, C)."""
        return self.network.logits(self.network.features(images))


def build(classes: int, side: int, rng: Generator) -> nn.Sequential:
    """Images (N, 3, side, side) in [0, 1] -> logits (N, classes); above 32 px the first layer halves."""
    stride = 2 if side > 32 else 1
    layers: list[nn.Module] = [*_convolution(3, MAPS[0], stride)]
    for before, maps in pairwise(MAPS):
        layers += [*_convolution(before, before), *_convolution(before, maps, 2)]
    last = nn.Linear(MAPS[-1], classes)
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    for weight in (p for p in network.parameters() if p.ndim > 1):
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
    nn.init.zeros_(last.bias)
    return network.to(memory_format=torch.channels_last)


def _convolution(before: int, maps: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, maps, 3, stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(maps), nn.ReLU()


def train(network: nn.Module, images: Tensor, labels: Tensor, steps: int, rng: Generator) -> None:
    """AdamW under a one-cycle schedule on augmented minibatches of images (N, 3, H, W) in [0, 1]."""
    network.train().to(device())
    optimizer = AdamW(network.parameters(), PEAK_LR, weight_decay=WEIGHT_DECAY)
    schedule = OneCycleLR(optimizer, PEAK_LR, total_steps=steps)
    for step in range(1, steps + 1):
        chosen = torch.randint(len(images), (BATCH,), generator=rng)
        x = augment(images[chosen], rng).to(device())
        logits = network(x)
        loss = F.cross_entropy(logits, labels[chosen].to(device()), label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % TOLD_EVERY == 0:
            log.info("small-cnn: step %d of %d, loss %.2f", step, steps, loss.item())
