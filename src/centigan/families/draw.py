"""DRAW (Gregor et al., 2015; arXiv:1502.04623).

An image is drawn on a canvas c in T steps. At each an encoder looks at the image x and at what the canvas
lacks of it, and tells a distribution of z_t; a decoder writes what z_t says:

    x^_t = x - sigmoid(c_t-1)                                              (3)
    r_t = read(x, x^_t, h_dec_t-1)                                         (4)
    h_enc_t = LSTM(h_enc_t-1, [r_t, h_dec_t-1])                            (5)
    z_t ~ Q(Z_t | h_enc_t) = N(mu_t, sigma_t^2)                            (1, 2, 6)
    h_dec_t = LSTM(h_dec_t-1, z_t)                                         (7)
    c_t = c_t-1 + write(h_dec_t)                                           (8)

Both ascend a bound on log P(x), with z_t ~ N(0, I) a priori:

    L = -(L^x + L^z),  L^x = -log D(x | c_T)                               (9, 12)
    L^z = 1/2 sum_t sum_i (mu_ti^2 + sigma_ti^2 - log sigma_ti^2 - 1)      (10, 11)

Departures and decisions
    1. Equation 11 ends with -T/2; that is of each dimension of z_t, or L^z would not be 0 where Q = P.
    2. D is a Bernoulli of binarised images: grey values are chances, and each step and each measurement
       draws from them anew (Salakhutdinov & Murray, 2008). The cross-entropy of grey values themselves, which
       the paper takes for colours, is of no distribution, and is not offered.
    3. `decoder: gaussian` is of bytes instead, as the VAE's: N(w; 2 sigmoid(c_T) - 1, s^2), s learnt, one a
       channel, above `sigma_floor`; x is (w + 1) / 2. Its bound compares with other families'.
    4. A latent is z itself, all T of them one after the other. `encode` tells the means mu_t, each of the
       canvas that the means before have drawn; by a Bernoulli decoder of the likeliest binarised image.
    5. Without attention read gives both whole images; the product of x is the same at all steps, and made
       once. Images are square: A = B.
    6. Log variances of z_t are clamped to -8 and 8, as the window's logarithms are (`nets/attention.py`).
    7. `clip` bounds the norm of the whole gradient; a public port clips each tensor's, which turns the
       gradient. Weights begin as N(0, 1 / fan-in), forget gates at bias 1; the paper says nothing of these.
    8. What is drawn is the mean, sigmoid(c_T), as in the paper's figures, and not a draw from D.
    9. `width` scales the LSTMs' units.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.likelihood import (
    bernoulli_nats,
    binarised,
    bits_per_dim,
    dequantised,
    divergence_from_standard,
    gaussian_nats,
    log_weight_of,
    middles,
    nats_of_bytes,
)
from centigan.nets.drawing import Decoder, Encoder, Step, drawn_again, drawn_from, movement, shown
from centigan.nets.frames import BLUE, RED, enlarged, strip
from centigan.nets.gaussian import noise_apart
from centigan.nets.recurrent import LstmCell
from centigan.settings.families.draw import DrawConfig as Config
from centigan.sheets import evenly
from centigan.types import Batch, Given, Latent, Shape, Sheet

MOST_ROWS, MOST_COLUMNS = 8, 12  # of a sheet
RED_FRAME = (
    "The red frame is the window that the step wrote through: its side is d (N - 1), its line as wide as "
    "a filter's deviation. A frame without a visible line is larger than the image."
)
BLUE_FRAME = "The blue frame is the window that it read through before."


class Draw(Latent):
    """The family: encoder and decoder under one Adam. A subclass says what of an image is drawn."""

    bound = "elbo"

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.shape = config, shape
        self.sampled = config.sampled
        self.dimensions = shape.channels * shape.resolution**2
        self.networks: dict[str, nn.Module] = {
            "encoder": Encoder(config, shape),
            "decoder": Decoder(config, shape),
        }
        for network in self.networks.values():
            initialise(network, rng)
        groups = noise_apart(self.networks.values(), config.sigma_lr)
        betas = (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {"both": Adam(groups, config.lr, betas, fused=True)}

    def seen(self, images: Tensor, rng: Generator) -> Tensor:
        """Of images (N, C, H, W) in [-1, 1] what is drawn, in [0, 1]: one draw of what is random."""
        raise NotImplementedError

    def likeliest(self, images: Tensor) -> Tensor:
        """The same, without chance."""
        raise NotImplementedError

    def nats(self, x: Tensor, canvas: Tensor) -> Tensor:
        """log D(x | c_T) (N,) of x in [0, 1] and of a canvas, (N, C, H, W) each."""
        raise NotImplementedError

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Encoder and decoder ascend the bound, one z an image; both terms are in nats."""
        drawn, of_image, of_code = self._bounded(self.seen(batch.images, rng), rng)
        gradient = self._ascend((of_image - of_code).mean())
        losses = {"loss_image": -of_image.detach().mean(), "loss_code": of_code.detach().mean()}
        return losses | movement([one.wrote for one in drawn], self.config.write) | {"gradient": gradient}

    def _ascend(self, objective: Tensor) -> Tensor:
        """A step of the optimiser up the objective, of a gradient that is not too long; its norm before."""
        optimizer = self.optimizers["both"]
        optimizer.zero_grad(set_to_none=True)
        (-objective).backward()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, self.config.clip or float("inf"))
        optimizer.step()
        return norm

    def _bounded(self, x: Tensor, rng: Generator) -> tuple[list[Step], Tensor, Tensor]:
        """A drawing of x (N, C, H, W) in [0, 1], with one z an image; log D(x | c_T) and L^z, nats (N,)."""
        noise = self.latent(len(x), rng).to(x.device)
        drawn = list(drawn_again(self.encoder, self.decoder, x, self._steps(noise)))
        of_image = self.nats(x, drawn[-1].canvas.transpose(1, 2))
        mean = torch.cat([one.mean for one in drawn], dim=1)
        log_variance = torch.cat([one.log_variance for one in drawn], dim=1)
        return drawn, of_image, divergence_from_standard(mean, log_variance)

    def _steps(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Of z (N, T latent) each z_t."""
        return latent.split(self.config.latent, dim=1)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """The last canvas for latents (N, T latent), as images (N, C, H, W) in [-1, 1]."""
        with torch.no_grad():
            *_, (canvas, _) = drawn_from(self.decoder, self._steps(latent))
        return shown(canvas)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z_1 .. z_T ~ N(0, I), (count, T latent)."""
        size = (count, self.config.steps * self.config.latent)
        return torch.randn(size, generator=rng, device=rng.device)

    @torch.no_grad()
    def by_means(self, images: Tensor) -> list[Step]:
        """Images (N, C, H, W) in [-1, 1] drawn again of the means, without chance."""
        return list(
            drawn_again(self.encoder, self.decoder, self.likeliest(images), [None] * self.config.steps)
        )

    def encode(self, images: Tensor) -> Tensor:
        """mu_1 .. mu_T (N, T latent) of images (N, C, H, W) in [-1, 1]."""
        return torch.cat([step.mean for step in self.by_means(images)], dim=1)

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """What is drawn of the means of their codes; nothing is drawn by chance."""
        return shown(self.by_means(images)[-1].canvas)

    @torch.no_grad()
    def _bound_of(self, x: Tensor, rng: Generator) -> Tensor:
        _, of_image, of_code = self._bounded(x, rng)
        return of_image - of_code

    @torch.no_grad()
    def _weight_of(self, x: Tensor, rng: Generator) -> Tensor:
        """log D(x | c_T) + log P(z) - log Q(z | x) (N,) for one z."""
        drawn, weight, _ = self._bounded(x, rng)
        for step in drawn:
            weight = log_weight_of(weight, step.z, step.mean, step.log_variance)
        return weight

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Drawings from the prior with the windows that write, and of real images with those that read."""
        latent, real = self.latent(MOST_ROWS, rng).to(real.device), real[:MOST_ROWS]
        times = evenly(self.config.steps, MOST_COLUMNS)
        columns = [f"t = {t + 1}" for t in times]
        with torch.no_grad():
            drawn = list(drawn_from(self.decoder, self._steps(latent)))
        drawing = strip([(shown(drawn[t][0]), drawn[t][1]) for t in times], self.config.write, RED)
        steps = self.by_means(real)
        again = strip([(shown(steps[t].canvas), steps[t].read) for t in times], self.config.read, BLUE)
        first = enlarged(real, again.shape[-1] // real.shape[-1]).expand(-1, again.shape[2], -1, -1)
        return [
            Sheet(
                "drawing",
                "drawing",
                "A row is one drawing from the prior: sigmoid(c_t) after a step. " + self._about(RED_FRAME),
                drawing,
                columns=columns,
            ),
            Sheet(
                "reading",
                "reading",
                "A held-out image, and how it is drawn again of the means. " + self._about(BLUE_FRAME),
                torch.cat([first[:, None], again], dim=1),
                columns=["image", *columns],
            ),
        ]

    def _about(self, frame: str) -> str:
        return frame if self.config.attention else "Without attention a step writes on the whole canvas."

    @property
    def encoder(self) -> Encoder:
        """The one in use: as trained, or its moving average."""
        encoder = self.networks["encoder"]
        assert isinstance(encoder, Encoder)
        return encoder

    @property
    def decoder(self) -> Decoder:
        """The one in use: as trained, or its moving average."""
        decoder = self.networks["decoder"]
        assert isinstance(decoder, Decoder)
        return decoder


class BernoulliDraw(Draw):
    """Draws binarised images: each pixel is 1 with the probability that is its grey value."""

    def seen(self, images: Tensor, rng: Generator) -> Tensor:
        """One binarisation: 0 or 1."""
        return (binarised(images, rng) + 1) / 2

    def likeliest(self, images: Tensor) -> Tensor:
        """0 where a pixel is nearer to black, else 1."""
        return (images >= 0).float()

    def nats(self, x: Tensor, canvas: Tensor) -> Tensor:
        """Of pixels that are 1 with probability sigmoid(c)."""
        return bernoulli_nats(x, canvas)

    def binary_log_likelihood(self, binary: Tensor, rng: Generator) -> Tensor:
        """-(L^x + L^z) of images (N, C, H, W) of -1 and 1, nats (N,): one z an image."""
        return self._bound_of((binary + 1) / 2, rng)

    def binary_log_weight(self, binary: Tensor, rng: Generator) -> Tensor:
        """The bound before its mean over z."""
        return self._weight_of((binary + 1) / 2, rng)


class GaussianDraw(Draw):
    """Draws the bytes of images, dequantised."""

    def seen(self, images: Tensor, rng: Generator) -> Tensor:
        """Each byte somewhere in its bin, as v = (w + 1) / 2."""
        return (dequantised(images, rng) + 1) / 2

    def likeliest(self, images: Tensor) -> Tensor:
        """Each byte in the middle of its bin."""
        return (middles(images) + 1) / 2

    def nats(self, x: Tensor, canvas: Tensor) -> Tensor:
        """log P of the bytes: N(w; 2 sigmoid(c) - 1, s^2) over their bins."""
        density = gaussian_nats(2 * x - 1, 2 * canvas.sigmoid() - 1, self.decoder.sigma)
        return nats_of_bytes(density, self.dimensions)

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """The same, and the bound in bits a dimension too."""
        losses = super().step(batch, rng)
        bits = bits_per_dim(-losses["loss_image"] - losses["loss_code"], self.dimensions)
        return losses | {"bits": bits, "sigma": self.decoder.sigma.detach().mean()}

    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """-(L^x + L^z) for the bytes of images (N, C, H, W), nats (N,): one u and one z an image."""
        return self._bound_of(self.seen(images, rng), rng)

    def log_weight(self, images: Tensor, rng: Generator) -> Tensor:
        """The bound before its mean over u and z."""
        return self._weight_of(self.seen(images, rng), rng)


def draw(config: Config, shape: Shape, rng: Generator) -> Draw:
    """The family that the settings ask for."""
    return (BernoulliDraw if config.decoder == "bernoulli" else GaussianDraw)(config, shape, rng)


def initialise(network: nn.Module, rng: Generator) -> None:
    """Weights N(0, 1 / fan-in), biases 0; of forget gates 1 (Jozefowicz et al. 2015)."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, module.in_features**-0.5, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, LstmCell):
            module.open_forget_gates()
