"""PixelCNN++ (Salimans, Karpathy, Chen & Kingma, 2017; arXiv:1701.05517).

A pixel's distribution is told by the pixels before it, row by row and from left to right; all of them at once
in training, one after the other in sampling. It ascends the log-probability of bytes itself, no bound:

    log P(x) = sum_i log P(x_i | x_1 .. x_i-1)
    P(x_i | ...) = sum_k pi_k P(x_i | mu_k, s_k)                 (1, 2)

Each component is a logistic that is cut into the levels of a pixel value; green's mean is moved by red,
blue's by both (3). Formulas: `logistic.py`; the network of shifted convolutions: `nets/shifted.py`; how it is
sampled without running all of it for each pixel: `nets/pixel_by_pixel.py`.

Departures and decisions
    1. The probability of a bin is in closed form everywhere. The authors' code takes the density in the bin's
       middle where a probability is below 1e-5; then they do not add up to 1.
    2. Sampled values are rounded to levels; that code leaves them between levels, which no image of the data
       has, and feeds them back.
    3. A latent is the uniform numbers in (0, 1) that a sample is drawn by: of each pixel one for the
       component and one for each channel's value, (1 + C) H W of them. The same latent gives the same image.
    4. An image is shifted before the first convolutions; in that code their outputs are, so that a first row
       or column has 0 there in the place of a bias.
    5. Without classes; without the code's variants.
    6. Adam's moments decay by .95 and .9995, as in that code; the paper does not tell. Its batches are of 16
       images on each of 8 GPUs; one minibatch sets lengths and biases before the first step, with dropout,
       there one of 100 images.
    7. `width` scales `maps`.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from centigan.errors import UserError
from centigan.likelihood import bits_per_dim
from centigan.logistic import drawn_of, log_probability, mixture_of, numbers_of, rounded
from centigan.nets.blocks import evaluating, scaled
from centigan.nets.pixel_by_pixel import FedNetwork
from centigan.nets.shifted import PixelNetwork
from centigan.nets.weight_norm import initialise_by_data, initialise_normed
from centigan.settings.families.pixelcnn import PixelcnnConfig as Config
from centigan.sheets import evenly
from centigan.shown import samples_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import FadingAdam, ascend, follow_schedules

COMPLETED, TIMES = 6, 5  # images that are completed, and how often each


class PixelCNN(Latent):
    """The family: one network under one Adam."""

    bound = "exact"

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        """Build it, before anything is drawn.

        Raises:
            UserError: for more sides than the images can be halved to.
        """
        self.config, self.shape = config, shape
        if shape.resolution % 2 ** (config.sides - 1):
            raise UserError(
                f"model.sides: {config.sides}: a side of {shape.resolution} pixels cannot be halved "
                f"{config.sides - 1} times; fewer sides are needed"
            )
        self.levels = shape.levels
        self.sampled = config.sampled
        self.dimensions = shape.channels * shape.resolution**2
        network = PixelNetwork(
            shape.channels,
            config.components * numbers_of(shape.channels),
            maps=scaled(config.maps, config.width),
            blocks=config.blocks,
            sides=config.sides,
            dropout=config.dropout,
        )
        initialise_normed(network, 0.05, rng)
        self.networks: dict[str, nn.Module] = {"network": network}
        betas = (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {
            "network": FadingAdam(network.parameters(), config.lr, betas, factor=config.lr_decay)
        }

    def prime(self, batch: Batch, rng: Generator) -> None:
        """Set lengths and biases, so that on these images each unit has mean 0 and a given deviation."""
        initialise_by_data(self.network, rounded(batch.images, self.levels))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """The network ascends the likelihood; its bits a dimension, with dropout."""
        follow_schedules(self.optimizers.values(), batch.iteration)
        bits = bits_per_dim(self._nats(batch.images), self.dimensions).mean()
        gradient = ascend(-bits, self.optimizers["network"])
        return {"bits": bits.detach(), "gradient": gradient}

    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """log P of the bytes of images (N, C, H, W), nats (N,); nothing is drawn."""
        with evaluating(self.network):
            return self._nats(images)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """Uniform numbers in (0, 1), (count, (1 + C) H W)."""
        size = (count, (1 + self.shape.channels) * self.shape.resolution**2)
        return torch.rand(size, generator=rng, device=rng.device)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1], pixel by pixel, for uniform numbers (N, (1 + C) H W)."""
        size = (len(latent), self.shape.channels, self.shape.resolution, self.shape.resolution)
        return self._completed(latent.new_zeros(size), 0, latent)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Samples (Fig 3), and lower halves of held-out images, drawn several times each."""
        half, chosen = self.shape.resolution // 2, real[evenly(len(real), COMPLETED)]
        whole = rounded(chosen, self.levels).repeat_interleave(TIMES, dim=0)
        latent = self.latent(len(whole), rng).to(real.device)
        completed = self._completed(whole, half, latent).unflatten(0, (len(chosen), TIMES))
        upper = F.pad(chosen[:, :, :half], (0, 0, 0, half))  # grey below
        completion = Sheet(
            "completion",
            "Lower halves drawn",
            "A held-out image, its upper half, and that half with lower ones drawn, each by other random "
            "numbers; none is chosen.",
            torch.cat([chosen[:, None], upper[:, None], completed], dim=1),
            columns=["image", "upper half", *(f"drawn {n + 1}" for n in range(TIMES))],
        )
        return [samples_sheet(self, rng, real.device), completion]

    def _nats(self, images: Tensor) -> Tensor:
        """log P (N,) of images (N, C, H, W) of levels in [-1, 1]."""
        x = rounded(images.float(), self.levels)
        mixture = mixture_of(self.network(x).float(), self.shape.channels)
        return log_probability(mixture, x, self.levels).flatten(1).sum(1)

    def _completed(self, images: Tensor, rows: int, latent: Tensor) -> Tensor:
        """The first rows of images (N, C, H, W), and below them what uniform numbers draw."""
        channels, side = self.shape.channels, self.shape.resolution
        uniform = latent.double().unflatten(1, (1 + channels, side, side))
        canvas = F.pad(F.pad(images.double(), (0, 0, 0, 0, 0, 1), value=1.0), (1, 0, 1, 0))  # with ones
        with evaluating(self.network), torch.inference_mode():
            network = FedNetwork(self.network, side)
            for row in range(side):
                network.begin_row(row, canvas[:, :, row, 1:])
                for column in range(side):
                    told = network.tell(column, canvas[:, :, row + 1, column])
                    if row >= rows:
                        mixture = mixture_of(told, channels)
                        pixel = drawn_of(mixture, uniform[:, :, row, column], self.levels)
                        canvas[:, :channels, row + 1, column + 1] = pixel
        return canvas[:, :channels, 1:, 1:].float()

    @property
    def network(self) -> PixelNetwork:
        """The one in use: as trained, or its moving average."""
        network = self.networks["network"]
        assert isinstance(network, PixelNetwork)
        return network
