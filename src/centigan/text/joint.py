"""Structured joint embedding of images and captions (Reed, Akata, Lee & Schiele, 2016; arXiv:1605.05395).

Two encoders are learnt so that an image and a caption of its class are compatible, and others are not:

    F(v, t) = theta(v)' phi(t)                                                      (their equation 2)

of an image v and a caption t. Images are then classified by the captions of classes, also of classes that
were never trained on, and captions by images.
"""

import logging
import time
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.optim import RMSprop
from tqdm import tqdm

from centigan.judges.images import device, exact
from centigan.settings.text import TextSettings

TOLD_EVERY = 200  # iterations
log = logging.getLogger(__name__)


def joint_loss(scores: Tensor) -> Tensor:
    """The symmetric hinge loss of a minibatch of K classes, an image and a caption of each.

    Of images without classes each is a class of its own.

        1/K^2 sum_i sum_{j != i} max(0, 1 + F(v_i, t_j) - F(v_i, t_i)) + max(0, 1 + F(v_j, t_i) - F(v_i, t_i))

    The first is the surrogate of their 0-1 loss for images (equations 3 and 4), the second has the roles
    swapped; as in the authors' code 1 stands for the loss of every wrong class. Equal scores give (K - 1) / K
    a side, scores that are right by 1 or more give 0.

    Args:
        scores: F (K, K), a row an image and a column a caption, in the same order of classes.
    """
    right = scores.diagonal()
    of_images = (1 + scores - right[:, None]).relu()
    of_captions = (1 + scores - right[None, :]).relu()
    wrong = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return ((of_images + of_captions) * wrong).sum() / len(scores) ** 2


class Pairs(NamedTuple):
    """Images that are trained on, sorted by class, and the captions of each, in their order."""

    images: Tensor  # (N, ...), whatever the image encoder takes
    codes: Tensor  # (T, ...), whatever the text encoder takes; images' captions one after the other
    of_class: Tensor  # (C,) int64, how many images each class has
    of_image: Tensor  # (N,) int64, how many captions each image has


class Drawer:
    """Draws minibatches: some classes, of each an image, of that a caption."""

    def __init__(self, pairs: Pairs, classes: int, rng: Generator) -> None:
        self.pairs, self.rng = pairs, rng
        self.classes = min(classes, len(pairs.of_class))
        self.first_image = pairs.of_class.cumsum(0) - pairs.of_class
        self.first_caption = pairs.of_image.cumsum(0) - pairs.of_image

    def draw(self) -> tuple[Tensor, Tensor]:
        """Positions (K,) of images, each of another class, and of a caption of each."""
        chosen = torch.randperm(len(self.pairs.of_class), generator=self.rng)[: self.classes]
        images = self.first_image[chosen] + self._one_of(self.pairs.of_class[chosen])
        return images, self.first_caption[images] + self._one_of(self.pairs.of_image[images])

    def _one_of(self, counts: Tensor) -> Tensor:
        drawn = torch.rand(len(counts), generator=self.rng, dtype=torch.float64) * counts
        return drawn.long().clamp(max=counts - 1)  # the product may be rounded up


def learn_jointly(
    seen_by: nn.Module, read_by: nn.Module, pairs: Pairs, settings: TextSettings, rng: Generator
) -> None:
    """Train image encoder theta and text encoder phi, in place; same pairs, settings and rng, same weights.

    RMSprop, whose step size falls by `decay` after as many minibatches as hold all images once.
    """
    networks = nn.ModuleList([seen_by, read_by]).train().to(device())
    drawer = Drawer(pairs, settings.classes, rng)
    optimizer = RMSprop(networks.parameters(), settings.lr)
    epoch = max(1, len(pairs.images) // drawer.classes)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, epoch, settings.decay)
    began = time.monotonic()
    for iteration in tqdm(range(1, settings.iterations + 1), "text encoder", unit="batch", disable=None):
        images, captions = drawer.draw()
        with exact():
            v, t = seen_by(pairs.images[images].to(device())), read_by(pairs.codes[captions].to(device()))
            loss = joint_loss(v @ t.T)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
        optimizer.step()
        schedule.step()
        if iteration % TOLD_EVERY == 0:
            log.info(
                "text encoder: iteration %d of %d, loss %.3f", iteration, settings.iterations, loss.detach()
            )
    log.info("text encoder: %d iterations in %.0f s", settings.iterations, time.monotonic() - began)
    networks.eval().requires_grad_(False)
