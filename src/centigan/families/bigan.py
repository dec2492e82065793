"""BiGAN (Donahue, Kraehenbuehl & Darrell, 2017; arXiv:1605.09782): adversarial feature learning.

An encoder E beside the generator G. D tells pairs of an image and its code from pairs of a z and its image:

    min_{G,E} max_D V(D, E, G)                                      (2)
    V = E_x[log D(x, E(x))] + E_z[log(1 - D(G(z), z))]              (3)

For the best D it is a divergence of the joint distributions of both kinds of pairs; where they are the same,
E and G are inverse to each other (section 3, theorems 1 and 2): nothing else asks for G(E(x)) = x.

Section 3.4: D ascends V, while E and G together ascend it with labels swapped: D is to take the real pair for
a generated one, which is E's gradient, and the generated pair for a real one, which is G's.

Departures and decisions
    1. As in the authors' code a step is one update of all three, by the same pairs and the same D, and values
       are halved: at D = 1/2 both losses are log 2. L2 is added to the gradient of all parameters. Weights of
       D's last layer begin at 0: both first losses are log 2, and E and G learn from the second step on.
    2. D sees real and generated pairs in separate passes, each with batch norm's own statistics, as there.
    3. z ~ N(0, I). `prior: uniform` is theirs; then, as in their code, E ends in 2 sigmoid - 1. A linear E
       would leave the box that z fills, which alone tells D the source.
    4. Step sizes fall with each iteration; there with each epoch.
    5. Whatever is not a training step has batch norm's running statistics; theirs are taken anew, over 1,000
       batches. E sees real images alone in training, and its statistics are of those.
    6. `realness` of an image is that of the pair which E completes, D(x, E(x)): D judges no image alone.
    7. Features (`represent`) are those before E's last layer, as in section 4.
    8. `width` scales every number of feature maps or units.
  convolution
    9. G is theirs for 64 px, with a layer less at 32 px, but ends in tanh and has no z after its first layer.
       There each layer after the first adds a projection of z, in G and in D. Here D has z pass through
       two layers of its own, joint with the image in the last two, as Dumoulin et al. (2017) have it.
    10. E has D's layers for images (theirs is AlexNet's, for crops of 64 px). Linear layers and
        convolutions have biases.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.losses import log_fake, log_real
from centigan.nets.bidirectional import Encoder, bidirectional_networks
from centigan.nets.blocks import evaluated
from centigan.nets.priors import standard
from centigan.settings.families.bigan import BiganConfig as Config
from centigan.sheets import evenly
from centigan.shown import drawn
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import DecayingAdam, ascend_together, follow_schedules

COLUMNS, SAMPLE_ROWS = 12, 8  # of the demonstration


class BiGAN(Latent):
    """The family: E and G under one Adam, D under another, all moved at once."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = bidirectional_networks(
            shape,
            config.latent,
            config.width,
            rng,
            dense=config.net == "dense",
            squashed=config.prior == "uniform",
        )
        rates = {
            "encoder_generator": (config.generator_lr, ("encoder", "generator")),
            "discriminator": (config.discriminator_lr, ("discriminator",)),
        }
        self.optimizers: dict[str, Optimizer] = {
            name: DecayingAdam(
                [p for network in moved for p in self.networks[network].parameters()],
                rate,
                (config.beta1, config.beta2),
                config.weight_decay,
                constant_for=config.constant_for,
                over=config.decay_over,
                last=config.last_rate,
            )
            for name, (rate, moved) in rates.items()
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends V / 2; E and G the same with labels swapped, of the same pairs."""
        discriminator = self.networks["discriminator"]
        follow_schedules(self.optimizers.values(), batch.iteration)
        z = self.latent(len(batch.images), rng)
        real_logits = discriminator(batch.images, self.networks["encoder"](batch.images))
        fake_logits = discriminator(self.networks["generator"](z), z)

        value = (log_real(real_logits) + log_fake(fake_logits)) / 2  # equation 3
        swapped = (log_fake(real_logits) + log_real(fake_logits)) / 2
        gradient_discriminator, gradient_generator = ascend_together(
            (value, self.optimizers["discriminator"]), (swapped, self.optimizers["encoder_generator"])
        )

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -swapped.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z, (count, latent): N(0, I), or U(-1, 1)."""
        return standard(self.config.prior, count, self.config.latent, rng)

    def encode(self, images: Tensor) -> Tensor:
        """E(x), (N, latent), of images (N, C, H, W)."""
        return evaluated(self.networks["encoder"], images)

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """G(E(x)); nothing is drawn."""
        return evaluated(self.networks["generator"], self.encode(images))

    def represent(self, images: Tensor) -> Tensor:
        """E's features (N, F) of images (N, C, H, W): 1024 units, or 4 x 4 maps."""
        encoder = self.networks["encoder"]
        assert isinstance(encoder, Encoder)
        return evaluated(encoder.features, images)

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W), each with the code that E finds."""
        return evaluated(self.networks["discriminator"], images, self.encode(images))

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Figures 2 and 4: x and G(E(x)), samples; and how near E and G are to inverse of each other."""
        shown = real[evenly(len(real), COLUMNS)]
        latent = self.latent(SAMPLE_ROWS * COLUMNS, rng).to(real.device)
        samples = drawn(self, latent.unflatten(0, (SAMPLE_ROWS, COLUMNS)))
        first = samples[0]
        return [
            Sheet(
                "inverse_of_generator",
                "Held-out images, encoded and drawn again",
                "Nothing in training compares an image with what is drawn of its code: a likeness comes of "
                "pairs that D cannot tell apart (Figures 2 and 4).",
                torch.stack([shown, self.reconstruct(shown, rng)]),
                rows=["x", "G(E(x))"],
            ),
            Sheet(
                "inverse_of_encoder",
                "Samples, encoded and drawn again",
                "Whether E finds the z that an image was drawn of: if it does, both rows are the same.",
                torch.stack([first, self.reconstruct(first, rng)]),
                rows=["G(z)", "G(E(G(z)))"],
            ),
            Sheet("samples", "Samples", "Draws of the prior, in the order drawn (Figures 2 and 4).", samples),
        ]
