"""A style encoder (Reed, Akata, Yan, Logeswaran, Schiele & Lee, 2016; arXiv:1605.05396, section 4.4).

What a caption does not say of an image, a generator draws of z: pose, background, style. An encoder S finds
that z. G is another experiment's (`starts_from`) and rests; h = phi(t) is the embedding of a caption t.
S descends equation 6,

    L_style = E |z - S(G(z, h))|^2,   z ~ N(0, I).

The style of an image x, on what another caption says, is x' = G(S(x), h).

Departures and decisions
    1. The paper does not tell networks and optimiser of S, and there is no code: it has D's layers for
       images, a layer of 4 x 4 behind them, and Adam as G and D have it.
    2. G runs in evaluation mode, with the weights that it draws with: their moving average, where it has one.
    3. Captions are those of the training images, averaged as G's were by `captions_averaged`; the images
       themselves are not used.
    4. What is saved holds G, too, so that the experiment whose G it is need not be there afterwards.
    5. Any family that draws by captions may be the other one; its latents must be flat.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from centigan.families import build_parent
from centigan.nets.blocks import evaluated
from centigan.nets.described import StyleEncoder, begin
from centigan.settings.families.style_encoder import StyleEncoderConfig as Config
from centigan.sheets import evenly
from centigan.shown import drawn
from centigan.types import Batch, Given, Latent, Shape, Sheet, captions_of
from centigan.updates import adams, ascend

ROWS, COLUMNS = 6, 8  # of the demonstration: captions, images whose style they are drawn in


class Style(nn.Module):
    """S, and the networks of another experiment, which rest."""

    def __init__(self, encoder: nn.Module, networks: dict[str, nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.networks = nn.ModuleDict(networks).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> z (N, L)."""
        z: Tensor = self.encoder(x)
        return z


class StyleEncoding(Latent):
    """The family: S under Adam; G moves nowhere."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        other, self.started = build_parent(config, shape, rng)
        assert isinstance(other, Latent)  # `params.load` makes sure
        self.other = other
        encoder = StyleEncoder(shape, other.latent(1, rng).shape[1], config.width)
        begin(encoder, rng)
        self.networks: dict[str, nn.Module] = {"style": Style(encoder, self.started)}
        self.optimizers = adams(self.networks, {"style": config.lr}, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """S descends equation 6, on images drawn of the batch's captions and z drawn anew."""
        z = self.latent(len(captions_of(batch.given)), rng)
        images = self.other.generate(z, batch.given)
        distance = (z - self.networks["style"](images)).square().sum(1).mean()
        gradient = ascend(-distance, self.optimizers["style"])
        return {
            "loss_style": distance.detach(),
            "found": 1 - distance.detach() / z.square().sum(1).mean(),
            "gradient": gradient,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """What the other experiment draws of z (N, L) and the captions that are wanted."""
        return self.other.generate(latent, wanted)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z of the other experiment's prior, (count, L)."""
        return self.other.latent(count, rng)

    def encode(self, images: Tensor) -> Tensor:
        """S(x), (N, L), of images (N, C, H, W)."""
        return evaluated(self.networks["style"], images)

    def demonstrate_captions(
        self, real: Tensor, captions: Tensor, texts: Sequence[str], rng: Generator
    ) -> list[Sheet]:
        """Fig 6: images of captions in the style of real ones, which are the top row."""
        styles, rows = evenly(len(real), COLUMNS), evenly(len(real), ROWS)
        codes = self.encode(real[styles]).expand(len(rows), -1, -1)
        transferred = drawn(self, codes, captions[rows, None].expand(-1, len(styles), -1))
        return [
            Sheet(
                "styles",
                "Captions in the style of images",
                "The top row are held-out images, and below each what is drawn of its code and the caption "
                "at the left (Fig 6). A row should show what its caption says, a column one position and "
                "one background.",
                torch.cat([real[None, styles], transferred]),
                rows=["style", *(texts[n] for n in rows)],
            )
        ]
