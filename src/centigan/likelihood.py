"""From bytes to a density and back: what every likelihood of images shares.

An image has bytes x in {0..255}^D, D = C H W. Models give a density, so each byte is spread over its bin:
u ~ U[0, 1)^D, v = (x + u) / 256, w = 2 v - 1 in [-1, 1). By Jensen's inequality (Theis et al. 2016,
arXiv:1511.01844, equation 2)

    log P(x) >= E_u log p(w) - D ln 128,

the bins of w being 1/128 wide: 8 bits a dimension for a uniform density, and never less than 0 on average.
Batches hold x / 127.5 - 1, whose ends are the middles of the outermost bins; w is not that plus noise.
Of images with L levels, `Shape.levels`, bins are 2 / L wide; digits as stored have 17, log2 17 = 4.09 bits.

In this file nats are float32 (N,), sums over all dimensions of an image.
"""

from math import log, pi, prod

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from centigan.types import Code, Shape

LEVELS = 256  # of a byte


def dequantised(images: Tensor, rng: Generator, levels: int = LEVELS) -> Tensor:
    """w (N, C, H, W) in [-1, 1) of images (N, C, H, W) in [-1, 1], uniform over the bin of each level."""
    x = images.add(1.0).mul((levels - 1) / 2).round()
    noise = torch.rand(images.shape, generator=rng, device=rng.device).to(images.device)
    return x.add(noise).mul(2 / levels).sub(1.0)


def middles(images: Tensor, levels: int = LEVELS) -> Tensor:
    """w in the middle of each level's bin: (2 x + 1) / L - 1 of images (N, C, H, W) in [-1, 1]."""
    return images * ((levels - 1) / levels)


def unclamped_images(w: Tensor, levels: int = LEVELS) -> Tensor:
    """Images (N, C, H, W) of which w are the middles; outside of [-1, 1] where w is."""
    return w * (levels / (levels - 1))


def as_images(w: Tensor, levels: int = LEVELS) -> Tensor:
    """The same within [-1, 1]."""
    return unclamped_images(w, levels).clamp(-1.0, 1.0)


def binarised(images: Tensor, rng: Generator) -> Tensor:
    """-1 or 1 (N, C, H, W) for each pixel of images in [-1, 1]: its grey value is the chance of 1.

    (Salakhutdinov & Murray, 2008.) A likelihood of these is of binary images, and none of bytes.
    """
    chance = torch.rand(images.shape, generator=rng, device=rng.device).to(images.device)
    return torch.where(chance < (images + 1) / 2, 1.0, -1.0)


def nats_of_bytes(log_density: Tensor, dimensions: int, levels: int = LEVELS) -> Tensor:
    """A bound on log P(x), of log p(w) (N,) of images of so many dimensions."""
    return log_density + dimensions * log(2 / levels)


def bits_per_dim(nats: Tensor, dimensions: int) -> Tensor:
    """-log2 P(x) / D of log P(x) (N,) in nats."""
    return nats / (-dimensions * log(2))


def gaussian_nats(w: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    """log N(w; mean, sigma^2) (N,) of w (N, ...); sigma is broadcast."""
    squares = ((w.float() - mean.float()) / sigma).square()
    return -(squares / 2 + sigma.log() + log(2 * pi) / 2).flatten(1).sum(1)


def bernoulli_nats(x: Tensor, logits: Tensor) -> Tensor:
    """log P(x) (N,) of x (N, ...) of 0 and 1, each 1 with probability sigmoid(logits).

    Of values between 0 and 1 it would be no likelihood: it does not add up to 1 over them.
    """
    logits = logits.float()
    return (x * logits - F.softplus(logits)).flatten(1).sum(1)


def divergence_from_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)) (N,) of (N, L) each (Kingma & Welling, appendix B)."""
    mean, log_variance = mean.float(), log_variance.float()
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2


def log_weight_of(of_image: Tensor, z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x) (N,), of the first and one z of q, with z ~ N(0, I) a priori."""
    prior = gaussian_nats(z, torch.zeros_like(z), torch.ones_like(z))
    return of_image + prior - gaussian_nats(z, mean, (log_variance / 2).exp())


def log_ratio(code: Code) -> Tensor:
    """ln q(z|x) - ln p(z) (N,), of the one z, which is N(0, I) a priori."""
    log_q = gaussian_nats(code.first, code.mean, (code.log_variance / 2).exp())
    if code.log_sigmas is not None:
        log_q = log_q - code.log_sigmas
    return log_q - gaussian_nats(code.z, code.z.new_zeros(()), code.z.new_ones(()))


def divergence(code: Code) -> Tensor:
    """KL(q(z|x) || p(z)) (N,): in closed form, or behind a flow of the one z."""
    if code.log_sigmas is not None:
        return log_ratio(code)
    return divergence_from_standard(code.mean, code.log_variance)


def importance_bound(log_weights: Tensor) -> Tensor:
    """log 1/K sum_k w_k (N,) of log weights (K, N), a bound that rises with K (Burda et al. 2016,
    arXiv:1509.00519, equation 8)."""
    return log_weights.logsumexp(0) - log(len(log_weights))


class OfImages:
    """Between images of a shape and the w that a density is of."""

    def __init__(self, shape: Shape) -> None:
        self.size: tuple[int, ...] = (shape.channels, shape.resolution, shape.resolution)
        self.dimensions, self.levels = prod(self.size), shape.levels

    def spread(self, images: Tensor, rng: Generator) -> Tensor:
        """w over the bins of images (N, C, H, W)."""
        return dequantised(images, rng, self.levels)

    def middles(self, images: Tensor) -> Tensor:
        """w in the middles of bins."""
        return middles(images, self.levels)

    def unclamped(self, w: Tensor) -> Tensor:
        """Images of w, (N, C, H, W) each, wherever w is."""
        return unclamped_images(w, self.levels)

    def shown(self, w: Tensor) -> Tensor:
        """Images of w, (N, C, H, W) each."""
        return as_images(w, self.levels)

    def nats(self, log_density: Tensor) -> Tensor:
        """A bound on log P(x) (N,) of log p(w) (N,)."""
        return nats_of_bytes(log_density, self.dimensions, self.levels)


class OfPoints(OfImages):
    """The same of points (N, d), which have no bins: w is the point itself, and nats are of its density."""

    def __init__(self, shape: Shape) -> None:
        self.size, self.dimensions = (shape.dimensions,), shape.dimensions

    def spread(self, images: Tensor, rng: Generator) -> Tensor:
        """w (N, d)."""
        return images

    def middles(self, images: Tensor) -> Tensor:
        """w (N, d)."""
        return images

    def unclamped(self, w: Tensor) -> Tensor:
        """Points (N, d)."""
        return w

    def shown(self, w: Tensor) -> Tensor:
        """Points (N, d)."""
        return w

    def nats(self, log_density: Tensor) -> Tensor:
        """log p(w) (N,)."""
        return log_density


def density_of(shape: Shape) -> OfImages:
    """Of images, or of points."""
    return OfPoints(shape) if shape.dimensions else OfImages(shape)
