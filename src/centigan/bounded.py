"""What a model of codes tells of images by one draw of its encoder: bounds, codes, images drawn again."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from centigan.likelihood import OfImages, divergence, importance_bound, log_ratio
from centigan.nets.blocks import evaluating
from centigan.types import Code, Latent, of_no_class

DRAWS = 100  # z of q(z|x) behind the density of a point


class BoundedByCodes(Latent):
    """A family with an encoder q(z|x) and a decoder with noise; which of its networks move, its `step` says.

    A subclass says how ln p(w|z) is told.
    """

    bound = "elbo"
    networks: dict[str, nn.Module]  # "encoder" and "decoder"
    of: OfImages  # between images, or points, and what the density is of
    latents: int  # L

    def _one_draw(self, w: Tensor, rng: Generator) -> tuple[Tensor, Code]:
        """ln p(w|z) (N,) of w (N, C, H, W), by one z of q(z|w)."""
        raise NotImplementedError

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """The mean of q(z|x), (N, L), of images (N, C, H, W); behind a flow what that makes of it."""
        noise = torch.zeros(len(images), self.latents, device=images.device)
        code: Code = self.networks["encoder"](self.of.middles(images), noise)
        return code.z

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """What is generated of the mean of q; nothing is drawn."""
        codes = self.encode(images)
        return self.generate(codes, of_no_class(len(codes), codes.device))

    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """The bound for the bytes of images (N, C, H, W), nats (N,): one u and one z an image."""
        return self._nats(images, rng, divergence)

    def log_weight(self, images: Tensor, rng: Generator) -> Tensor:
        """ln p(x|z) + ln p(z) - ln q(z|x) for the same, nats (N,)."""
        return self._nats(images, rng, log_ratio)

    def _nats(self, images: Tensor, rng: Generator, cost: Callable[[Code], Tensor]) -> Tensor:
        with evaluating(self.networks["decoder"]):
            of_image, code = self._one_draw(self.of.spread(images, rng), rng)
            return self.of.nats(of_image - cost(code))

    def log_density(self, points: Tensor, rng: Generator) -> Tensor:
        """A bound below ln p of points (N, d), nats (N,), by DRAWS z of q; of images for middles of bins."""
        w = self.of.middles(points)
        with evaluating(self.networks["decoder"]):
            draws = (self._one_draw(w, rng) for _ in range(DRAWS))
            return importance_bound(torch.stack([of_w - log_ratio(code) for of_w, code in draws]))
