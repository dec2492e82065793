"""The values that rooms hand to each other: a batch, the contract of a family, and what a family may do.

Image convention of the whole project: files hold uint8 (N, H, W, 3) in 0..255; networks see float
(N, C, H, W) in [-1, 1], where C is 3, or 1 for grey images, whose three channels are equal in files.
`to_network` and `to_uint8` are the only two crossings. Under a protocol of points both hold float32 (N, d).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.errors import UserError

UNLABELLED = -1


class Shape(NamedTuple):
    """What a family is built for."""

    classes: int  # K, of a split
    resolution: int  # side of the square images, pixels
    channels: int = 3  # C: 3, or 1 for grey images
    dimensions: int = 0  # d, where points (N, d) take the place of images; 0: images
    levels: int = 256  # values of a pixel, evenly over [-1, 1]; the digits as they are stored have 17
    embedding: int = 0  # E, numbers that a caption is embedded in; 0: images have no captions


class Given(NamedTuple):
    """What is known of each image in training, or asked for in sampling: a row an image."""

    labels: Tensor  # (N,) int64, position of the class within the split; -1: not known, or none asked for
    captions: Tensor | None = None  # (N, E) float32, what a text encoder makes of captions; None: no captions


class Batch(NamedTuple):
    """What a family's step receives: `batches` minibatches of different images, one after the other."""

    images: Tensor  # (N, C, H, W) float32 in [-1, 1]; points (N, d) under a protocol of points
    given: Given
    iteration: Tensor  # () int64, from 1: schedules are functions of it; a tensor, so that a graph reads it
    labelled: "Batch | None" = None  # a minibatch of images of known class, of a family that takes them apart


class Code(NamedTuple):
    """A draw of q(z|x): of a Gaussian, or of what a flow makes of one."""

    mean: Tensor  # of the Gaussian, (N, L)
    log_variance: Tensor
    first: Tensor  # its draw, z_0
    z: Tensor  # what the flow makes of it; itself without one
    log_sigmas: Tensor | None  # sums of the flow's ln sigma, (N,): ln q(z) = ln q(z_0) less these


@runtime_checkable
class Family(Protocol):
    """What the engine asks of a model family; it never asks for the family's name."""

    networks: dict[str, nn.Module]  # what a checkpoint saves
    optimizers: dict[str, Optimizer]
    sampled: tuple[str, ...]  # networks that `sample` runs

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """One full update of every network; returns named scalar losses, detached."""
        ...

    def sample(self, wanted: Given, rng: Generator) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of what is wanted; each is the same whatever stands beside it.

        A family that draws without classes asks `wanted` for nothing but its length. `rng` may be a CPU's
        while the labels lie on a GPU: then the random numbers are those of any device.
        """
        ...


@runtime_checkable
class Latent(Protocol):
    """Draws an image from each point of a latent space. Ability `latent`."""

    def latent(self, count: int, rng: Generator) -> Tensor:
        """Draws (count, L) from the prior over latents."""
        ...

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] for latents (N, L)."""
        ...

    def sample(self, wanted: Given, rng: Generator) -> Tensor:
        """What is generated of draws from the prior, as many as are wanted: a family inherits it."""
        latent = self.latent(len(wanted.labels), rng)
        return self.generate(latent.to(wanted.labels.device), wanted)


@runtime_checkable
class Decodes(Latent, Protocol):
    """Its images follow from z ~ N(0, I) alone, by networks that can be differentiated. Ability `decodes`."""

    def decode(self, latent: Tensor) -> Tensor:
        """What `generate` draws of z (N, L), before it is clamped to [-1, 1]: evaluated, with gradients."""
        ...


@runtime_checkable
class Starts(Protocol):
    """Begins with networks that another experiment trained."""

    started: dict[str, nn.Module]  # by the names that they have there


@runtime_checkable
class Encodes(Protocol):
    """Finds the latent that an image comes from. Ability `encodes`."""

    def encode(self, images: Tensor) -> Tensor:
        """Latents (N, L) of images (N, C, H, W): of a distribution its mean."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Draws images again. Ability `reconstructs`."""

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] like those given."""
        ...


@runtime_checkable
class Likelihood(Protocol):
    """Tells the log-probability of an image's bytes, or a bound below it. Ability `likelihood`."""

    bound: str  # exact | dequantised | elbo | iwae

    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """Nats (N,) of the bytes behind images (N, C, H, W) in [-1, 1]; one draw of what is random."""
        ...


@runtime_checkable
class Weighs(Likelihood, Protocol):
    """A likelihood whose bound importance samples make tighter (Burda et al. 2016; arXiv:1509.00519)."""

    def log_weight(self, images: Tensor, rng: Generator) -> Tensor:
        """Nats (N,): the log of one draw of what has the probability of an image's bytes as its mean."""
        ...


@runtime_checkable
class TellsDensity(Protocol):
    """Tells the log-density of a point, or a bound below it. Ability `density`."""

    def log_density(self, points: Tensor, rng: Generator) -> Tensor:
        """Nats (N,) of points (N, d); what is random is drawn within, as often as the bound asks."""
        ...


@runtime_checkable
class Noisy(Protocol):
    """Has a decoder of means and of noise around them, and draws images with it, too. Ability `noisy`."""

    def sample_noisy(self, wanted: Given, rng: Generator) -> Tensor:
        """Images (N, C, H, W) in [-1, 1]: draws of the model whose likelihood is bounded."""
        ...


@runtime_checkable
class BinaryLikelihood(Protocol):
    """Tells the log-probability of binarised images, or a bound below it. Ability `binary_likelihood`."""

    bound: str  # as above

    def binary_log_likelihood(self, binary: Tensor, rng: Generator) -> Tensor:
        """Nats (N,) of images (N, C, H, W) of -1 and 1; one draw of what is random."""
        ...

    def binary_log_weight(self, binary: Tensor, rng: Generator) -> Tensor:
        """Nats (N,): the log of one draw of what has an image's probability as its mean."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """Names the class of an image. Ability `classifies`."""

    networks: dict[str, nn.Module]

    def class_logits(self, images: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        ...

    def class_step(self, batch: Batch) -> Tensor:
        """One update of what names classes, by labelled real images alone; the loss, detached."""
        ...


@runtime_checkable
class Clusters(Protocol):
    """Tells groups of images apart that no label named. Ability `clusters`."""

    def cluster_logits(self, images: Tensor) -> Tensor:
        """Logits (N, M) of images (N, C, H, W) over M clusters, in evaluation mode."""
        ...


@runtime_checkable
class Represents(Protocol):
    """Has features of an image that a linear classifier may learn from. Ability `represents`."""

    networks: dict[str, nn.Module]

    def represent(self, images: Tensor) -> Tensor:
        """Features (N, F) of images (N, C, H, W), in evaluation mode."""
        ...


@runtime_checkable
class Discriminates(Protocol):
    """Tells how real an image looks. Ability `discriminates`."""

    def realness(self, images: Tensor) -> Tensor:
        """D's logits, or the critic's values, (N,) of images (N, C, H, W), in evaluation mode."""
        ...


@runtime_checkable
class Matches(Protocol):
    """Tells whether an image is what a caption says. Ability `matches`."""

    def matches(self, images: Tensor, captions: Tensor) -> Tensor:
        """Logits (N,) of images (N, C, H, W) beside captions (N, E), in evaluation mode; 0: undecided."""
        ...


class Sheet(NamedTuple):
    """Rows of images that show what a paper is known for."""

    name: str  # of a file: lower case and _
    title: str
    caption: str  # what is seen, in a sentence or two
    images: Tensor  # (R, S, C, H, W) in [-1, 1]
    rows: Sequence[str] = ()  # a label a row
    columns: Sequence[str] = ()  # a label a column


@runtime_checkable
class Demonstrates(Protocol):
    """Draws what its paper shows. Ability `demonstrates`."""

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """The paper's pictures, of a trained model; `real`: some held-out images (N, C, H, W).

        `rng` may be a CPU's while the images lie on a GPU.
        """
        ...


@runtime_checkable
class DemonstratesClasses(Demonstrates, Protocol):
    """Draws what its paper shows of images whose classes are known, too."""

    def demonstrate_classes(self, real: Tensor, labels: Tensor, classes: Sequence[str]) -> list[Sheet]:
        """More of the paper's pictures; labels (N,) are positions among the classes."""
        ...


@runtime_checkable
class DemonstratesCaptions(Protocol):
    """Draws what its paper shows of captions. Ability `demonstrates`, too."""

    def demonstrate_captions(
        self, real: Tensor, captions: Tensor, texts: Sequence[str], rng: Generator
    ) -> list[Sheet]:
        """The paper's pictures, of held-out images (N, C, H, W) and a caption of each, (N, E) and in words.

        `rng` may be a CPU's while the images lie on a GPU.
        """
        ...


class ReadsCaptions(Protocol):
    """A text encoder."""

    def embed(self, sentences: Sequence[str]) -> Tensor:
        """(N, E) float32 of N sentences; a UserError for one that it cannot read."""
        ...


@runtime_checkable
class TakesClassCaptions(Protocol):
    """Draws by captions; of a class alone by the caption that it was given of it."""

    def take_class_captions(self, captions: Tensor) -> None:
        """Called once, before the first step: what is drawn of a class alone, (K, E), one a class."""
        ...


@runtime_checkable
class Grows(Protocol):
    """Has steps that run other layers than those before them; a recording of a step is made anew then."""

    def grow(self, iteration: int, images: int) -> bool:
        """Called before the step of an iteration, from 1, on so many images: whether it runs other layers."""
        ...


@runtime_checkable
class Primes(Protocol):
    """Has a state that begins with real images: a reference batch, weights that depend on data."""

    def prime(self, batch: Batch, rng: Generator) -> None:
        """Called once, before the first step of a training."""
        ...


def labels_of(groups: Sequence[str], classes: Sequence[str], per_class: int) -> Tensor:
    """Labels (K per_class,) to draw samples with: of each class in turn, or of none of one group of all."""
    if len(groups) == len(classes):
        return torch.arange(len(classes)).repeat_interleave(per_class)
    return torch.full((len(classes) * per_class,), UNLABELLED)


def of_no_class(count: int, device: torch.device) -> Given:
    """What is known of so many images, or asked for, where no class is."""
    return Given(torch.full((count,), UNLABELLED, device=device))


def parts_of(wanted: Given, count: int, device: torch.device) -> Iterator[Given]:
    """What is wanted, so many images at a time, on the device."""
    for first in range(0, max(1, len(wanted.labels)), count):  # of none, one part of none
        part, captions = slice(first, first + count), wanted.captions
        yield Given(wanted.labels[part].to(device), None if captions is None else captions[part].to(device))


def captions_of(given: Given) -> Tensor:
    """Captions (N, E) of what is given.

    Raises:
        UserError: when there are none, and a family learns by them or is asked to draw.
    """
    if given.captions is None:
        raise UserError(
            "a family that draws by captions was handed none: the protocol's data must have captions, and "
            "images be asked for by captions; or name another `model.family`"
        )
    return given.captions


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """y (N, K) of labels (N,), float32: a row of zeros where the class is not known; (N, 0) of no classes."""
    return (labels[:, None] == torch.arange(classes, device=labels.device)).float()


def to_network(images: Tensor, channels: int = 3) -> Tensor:
    """uint8 (N, H, W, 3) in 0..255 -> float32 (N, C, H, W) in [-1, 1]; of equal channels, C = 1 keeps one.

    Points, float32 (N, d), are the same in files and networks.
    """
    if images.ndim == 2:
        return images
    return images[..., :channels].permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


def to_file(images: Tensor, source: str = "the generator") -> Tensor:
    """What files hold: of images `to_uint8`, points (N, d) as they are, in float32.

    Raises:
        UserError: when a value is no finite number.
    """
    if images.ndim > 2:
        return to_uint8(images, source)
    _require_finite(images, source, "points")
    return images.float()


def to_uint8(images: Tensor, source: str = "the generator") -> Tensor:
    """Float (N, C, H, W) in [-1, 1] -> uint8 (N, H, W, 3), rounded to the nearest level; grey thrice.

    Raises:
        UserError: when a value is no finite number: as bytes NaN would be black, and say nothing.
    """
    levels = images.float().add(1.0).mul(127.5).round()
    _require_finite(levels, source, "images")
    return levels.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).expand(-1, -1, -1, 3).contiguous()


def _require_finite(values: Tensor, source: str, kind: str) -> None:
    if not values.isfinite().all():
        raise UserError(
            f"{source} gives {kind} of NaN or infinity, since its training diverged; lower the "
            "learning rates in `model`, or set train.on_divergence: halve; train again"
        )
