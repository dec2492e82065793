"""Progressive growing of GANs (Karras, Aila, Laine & Lehtinen, 2018; arXiv:1710.10196).

Training begins with images of 4 x 4. When so many real images were shown, layers of twice the side are
added to G and to D; they fade in while as many are shown again, and so on up to the full resolution. Real
images are as G's then: made smaller, and in a fade-in between two resolutions. The critic f descends the loss
of WGAN-GP with a further term, which keeps its values from drifting (appendix A.1)

    L = E[f(G(z))] - E[f(x)] + lambda / gamma^2 E[(|grad f(x^)| - gamma)^2] + e_drift E[f(x)^2]

once for each update of G, which descends -E[f(G(z))]. Weights are scaled at run time, features of G are
normalised at each pixel, and the critic sees how far the images of a minibatch differ (`nets.progressive`).
No classes.

Departures and decisions; "that code" is the authors' in TensorFlow
    1. Layers are those of Table 2 up to 128 px. `maps` over the side is how many each has: 16,384 gives the
       table's, 8,192 those of the authors' first code for CIFAR-10, 4,096 for section 6.1.
    2. Lengths of phases are the 800,000 images of appendix A.1. Iterations do not stop when all is grown, and
       a training may end before: then samples are small images, enlarged by repeating pixels.
    3. Adam's moments are forgotten where a fade-in begins and where it ends, as in that code; the paper does
       not say so.
    4. |grad f| is that of images enlarged to the full resolution, as in that code: where the side is halved
       k times, 2^-k of the norm that f has there. So nothing jumps where networks grow, nor does the penalty.
    5. The deviation is over a whole minibatch, as in the paper; that code has groups of four by default.
       Real and generated images are minibatches apart. f at x^ depends on other x^ by it, and |grad f| is
       that of the sum, as in that code. `realness` is of images that are judged together.
    6. Minibatches have one size at every resolution: 16 up to 128 px in the paper. Step sizes do not rise
       slowly at first, as for 1024 px in that code.
    7. In bfloat16 the penalty is float32 throughout, as WGAN-GP's.
    8. The average of G (`train.ema`, .999 in the paper) is as far grown as G is.
    9. `width` scales every feature-map count.
"""

from functools import partial
from math import ceil, floor

import torch
from torch import Generator, Tensor

from centigan.nets.blocks import evaluated, without_autocast
from centigan.nets.gradient_penalty import between, gradient_norms
from centigan.nets.progressive import growing_networks, levels_of, shrunk
from centigan.settings.families.progressive import ProgressiveConfig as Config
from centigan.types import Batch, Given, Latent, Shape
from centigan.updates import adams, ascend


class ProgressiveGAN(Latent):
    """The family: G and the critic with one Adam each, and the levels that a step runs."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.resolution, self.all_levels = shape.resolution, levels_of(shape.resolution)
        self.levels = self.all_levels  # `grow` leaves out those that change no value
        self.networks = growing_networks(shape, config.latent, config.maps, config.width, rng)
        rates = {"generator": config.generator_lr, "critic": config.critic_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def growth_after(self, shown: Tensor) -> Tensor:
        """How far the networks are grown, () float32, when so many real images, () int64, were shown.

        k where level k is the finest, k + alpha while level k + 1 fades in.
        """
        steady, fade = self.config.steady_images, self.config.fade_images
        doublings, since = shown // (steady + fade), shown % (steady + fade)
        alpha = (since - steady).clamp(min=0) / fade
        return (doublings + alpha).clamp(max=self.all_levels[-1])

    def grow(self, iteration: int, images: int) -> bool:
        """Take the levels of an iteration, on so many images each; where they change, Adam begins anew."""
        past, self.levels = (self._levels_of(max(n, 0), images) for n in (iteration - 2, iteration - 1))
        if past == self.levels:
            return False
        for optimizer in self.optimizers.values():
            optimizer.state.clear()
        return True

    def _levels_of(self, iterations: int, images: int) -> range:
        """One level, or the two of a fade-in, after so many iterations."""
        growth = float(self.growth_after(torch.tensor(iterations * images)))
        return range(floor(growth), ceil(growth) + 1)

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """An update of the critic on real images and samples of the present growth, then one of G."""
        generator, critic = self.networks["generator"], self.networks["critic"]
        growth = self.growth_after((batch.iteration - 1) * len(batch.images))
        for network in (generator, critic):
            network.get_buffer("growth").copy_(growth)
        told = self._update_critic(shrunk(batch.images, self.levels, growth), rng)

        fake = generator(self.latent(len(batch.images), rng), self.levels)
        judged = critic(fake, self.levels).mean()
        gradient_generator = ascend(judged, self.optimizers["generator"])
        return told | {
            "loss_generator": -judged.detach(),
            "gradient_generator": gradient_generator,
            "growth": growth,
        }

    def _update_critic(self, real: Tensor, rng: Generator) -> dict[str, Tensor]:
        """One descent of L, on real images (N, C, H, H) of the present growth and as many samples."""
        critic, gamma = self.networks["critic"], self.config.slope
        with torch.no_grad():
            fake = self.networks["generator"](self.latent(len(real), rng), self.levels)

        of_real, of_fake = critic(real, self.levels), critic(fake, self.levels)
        wasserstein, drift = of_real.mean() - of_fake.mean(), of_real.square().mean()
        with without_autocast(real.device):  # the update too: a second derivative multiplies matrices anew
            judge = partial(critic.forward, levels=self.levels)
            norms = gradient_norms(judge, between(real, fake.float(), rng))
            norms = norms * (real.shape[-1] / self.resolution)
            penalty = (norms / gamma - 1).square().mean()
            objective = wasserstein - self.config.penalty * penalty - self.config.drift * drift
            gradient_critic = ascend(objective, self.optimizers["critic"])

        return {
            "loss_critic": -objective.detach(),
            "wasserstein": wasserstein.detach(),
            "penalty": penalty.detach(),
            "norm": norms.detach().mean(),
            "drift": drift.detach(),
            "gradient_critic": gradient_critic,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent); of the full side, however far G is grown."""
        return evaluated(self.networks["generator"], latent).clamp(-1, 1)

    def realness(self, images: Tensor) -> Tensor:
        """The critic's values (N,) of images (N, C, H, W), by what it is grown to see of them."""
        return evaluated(self.networks["critic"], images)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent); G takes it to the sphere."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)
