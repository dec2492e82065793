"""LAPGAN (Denton et al., 2015; arXiv:1506.05751).

The Laplacian pyramid of an image is its smallest copy I_K and the residuals h_k that lead back to it
(`nets.pyramid`). Each level has a conditional GAN of its own, told the low-pass image l_k = u(I_k+1), and the
coarsest one a plain GAN:

    min_G max_D  E[log D_k(h_k, l_k)] + E[log(1 - D_k(G_k(z_k, l_k), l_k))],   h_K = I_K, l_K = 0

In training l_k is always of real images, so that no level waits for another. Only sampling makes a chain:

    I~_K = G_K(z_K),   I~_k = u(I~_k+1) + G_k(z_k, u(I~_k+1))

Networks are those of section 3 and of the authors' code for CIFAR-10 (eyescream). D_k adds h_k + l_k before
all else: it sees an image, whatever of it is residual. `conditional` tells networks the class (CC-LAPGAN).

Departures and decisions
    1. All levels are moved in one step, by the sum of their objectives. Since no parameter is shared, each
       moves as it would alone.
    2. G ascends log D(G(z, l), l), the non-saturating form, as that code does.
    3. A fake has the l_k of another image of the batch, and its class (code: of any other image). With that
       of the very image D could compare the two, and G would learn a regression.
    4. D's value is the mean over real and fake images together, as in that code: half of the sum above.
    5. Fakes of D's update serve G's; that code draws as many again as real and fake together.
    6. d is the mean of four pixels, u is bilinear; that code calls one routine of its library for both.
    7. Pixels lie in [-1, 1]; that code subtracts the mean of each channel and divides by its deviation.
    8. G_k ends without tanh: a residual may reach beyond [-1, 1]. Only the last image of a chain is clamped.
    9. Convolutions begin uniform within 1 / sqrt(fan-in), Torch's default, which that code leaves as it is;
       the layers of the coarsest level begin at N(0, .05^2) in G and N(0, .005^2) in D.
    10. The coarsest side is 8 at every resolution. The paper crops CIFAR-10 to 28 px (8, 14, 28); that code
       has 16 and 32. It does not say how large the coarsest networks are; 1200 and 600 units are the paper's.
    11. `width` scales every number of feature maps or units.
    12. Adam in the place of gradient descent is ours, for trainings of minutes. The dense networks of the
       coarsest level then have a greater rate than the others, `coarsest_lr`: with theirs G_K still drew one
       image after 1,000 iterations on digits, while at 5e-4 residuals swing.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from centigan.errors import UserError
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluating
from centigan.nets.levels import Discriminators, Generators, initialise
from centigan.nets.pyramid import COARSEST, Level, levels_of, sides_of
from centigan.settings.families.lapgan import LapganConfig as Config
from centigan.types import Batch, Given, Latent, Shape, Sheet, one_hot
from centigan.updates import ScheduledSGD, ascend, follow_schedules

SHOWN = 8  # rows of a sheet
ENLARGED = 3.0  # what residuals are multiplied by where they are shown


class LAPGAN(Latent):
    """The family: G and D of every level, all updated once a step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.classes = shape.classes if config.conditional else 0
        self.sides = sides_of(shape.resolution)
        shape = shape._replace(classes=self.classes)
        networks: dict[str, Generators | Discriminators] = {
            "generator": Generators(shape, config.latent, config.width),
            "discriminator": Discriminators(shape, config.width),
        }
        for network in networks.values():
            initialise(network, rng)
        self.networks: dict[str, nn.Module] = {**networks}
        self.optimizers = {name: optimizer_of(config, name, net) for name, net in networks.items()}
        if not config.conditional:  # else D judges an image of a class, and none alone
            self.realness = self._realness

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D of each level ascends the mean log-probability of its answers; G log D on the same fakes.

        The journal has means over levels, and each level's own; `spread` is std(G_k) / std(h_k).
        """
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        follow_schedules(self.optimizers.values(), batch.iteration)
        count = len(batch.images)
        if count < 2:
            raise UserError(
                "lapgan compares images of a batch with others; set train.batch_size to 2 or more"
            )
        real, y = levels_of(batch.images), self.one_hot(batch.given.labels)
        lows, y_fake = [level.low.roll(1, 0) for level in real], y.roll(1, 0)  # of other images
        residuals = generator(self.latent(count, rng), lows, y_fake)
        fake = [Level(*level) for level in zip(lows, residuals, strict=True)]

        both = [joined(*levels) for levels in zip(real, fake, strict=True)]
        logits = [each.split(count) for each in discriminator(both, torch.cat([y, y_fake]))]
        values = torch.stack([(log_real(r) + log_fake(f)) / 2 for r, f in logits])
        gradient_discriminator = ascend(values.sum(), self.optimizers["discriminator"])

        judged = torch.stack([log_real(each) for each in discriminator(fake, y_fake)])
        gradient_generator = ascend(judged.sum(), self.optimizers["generator"])

        of_levels = {
            "loss_discriminator": -values.detach(),
            "loss_generator": -judged.detach(),
            "source_real": torch.stack([(r > 0).float().mean() for r, _ in logits]),
            "source_fake": torch.stack([(f < 0).float().mean() for _, f in logits]),
        }
        journal = {name: each.mean() for name, each in of_levels.items()}
        for name, each in of_levels.items():
            journal |= {f"level_{side}_{name}": each[number] for number, side in enumerate(self.sides)}
        for side, r, f in zip(self.sides, real, residuals, strict=True):
            journal[f"level_{side}_spread"] = f.detach().float().std() / r.residual.std()
        norms = {"discriminator": gradient_discriminator, "generator": gradient_generator}
        return journal | {f"gradient_{name}": norm for name, norm in norms.items()}

    @torch.no_grad()
    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z and noise (N, L): the end of the chain."""
        return self.chain(latent, wanted)[-1].image.clamp(-1, 1)

    def chain(self, latent: Tensor, wanted: Given) -> list[Level]:
        """Every level of the images of z and noise (N, L)."""
        generators = self.networks["generator"]
        assert isinstance(generators, Generators)
        return generators.chain(latent, self.one_hot(wanted.labels))

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z of the coarsest level and a noise plane of each other, (count, latent + 16^2 + ...): U(-1, 1)."""
        length = self.config.latent + sum(side**2 for side in self.sides[1:])
        return torch.rand(count, length, generator=rng, device=rng.device) * 2 - 1

    def _realness(self, images: Tensor) -> Tensor:
        """Logits (N,) of the finest level's D, which sees whole images (N, C, H, W)."""
        discriminators = self.networks["discriminator"]
        assert isinstance(discriminators, Discriminators)
        level, y = Level(torch.zeros_like(images), images), images.new_zeros(len(images), 0)
        with evaluating(discriminators):
            logits: Tensor = discriminators.of[str(self.sides[-1])](level, y)
        return logits

    def one_hot(self, labels: Tensor) -> Tensor:
        """y (N, K) of labels (N,); zeros where the class is not known, (N, 0) of a family without classes."""
        return one_hot(labels, self.classes)

    @torch.no_grad()
    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Figures 1 and 2 of the paper: a pyramid taken apart, and samples put together."""
        labels = torch.arange(SHOWN, device=real.device) % len(classes)
        latent = self.latent(SHOWN, rng).to(real.device)
        return [self._coarse_to_fine(latent, labels, classes), self._pyramid(real[:SHOWN])]

    def _coarse_to_fine(self, latent: Tensor, labels: Tensor, classes: Sequence[str]) -> Sheet:
        coarsest, *finer = self.chain(latent, Given(labels))
        shown = [coarsest.image, *(each for level in finer for each in (level.low, level.image))]
        steps = [each for side in self.sides[1:] for each in (f"u, {side} px", f"+ h, {side} px")]
        return Sheet(
            "coarse_to_fine",
            "Coarse to fine",
            f"A row a sample: drawn at {COARSEST} px, then at each level enlarged by u, and with what the "
            "level's generator adds.",
            beside(shown, self.sides[-1]),
            [classes[label] for label in labels.tolist()] if self.classes else (),
            [f"{COARSEST} px", *steps],
        )

    def _pyramid(self, real: Tensor) -> Sheet:
        coarsest, *finer = levels_of(real)
        shown = [each for level in finer[::-1] for each in (level.image, ENLARGED * level.residual)]
        steps = [each for side in self.sides[:0:-1] for each in (f"I, {side} px", f"h, {side} px")]
        return Sheet(
            "pyramid",
            "The pyramid of a real image",
            f"A row an image, from the finest level to the coarsest; residuals h are multiplied by "
            f"{ENLARGED:.0f} for sight, and grey where they are 0.",
            beside([*shown, coarsest.image], self.sides[-1]),
            columns=[*steps, f"I, {COARSEST} px"],
        )


def joined(one: Level, other: Level) -> Level:
    """The images of both, one after the other; nothing leads back to what the residuals came from."""
    return Level(torch.cat([one.low, other.low]), torch.cat([one.residual, other.residual.detach()]))


def beside(images: Sequence[Tensor], side: int) -> Tensor:
    """S columns of images (N, C, h, h) -> (N, S, C, side, side) in [-1, 1], pixels kept whole."""
    return torch.stack([F.interpolate(each, size=side) for each in images], dim=1).clamp(-1, 1)


def optimizer_of(config: Config, name: str, network: Generators | Discriminators) -> Optimizer:
    """Of the networks that are named generator or discriminator."""
    of = config.sgd if config.optimizer == "sgd" else config
    rate = of.generator_lr if name == "generator" else of.discriminator_lr
    if config.optimizer == "sgd":
        return ScheduledSGD(network.parameters(), rate, config.sgd)
    coarsest, *finer = network.of.values()
    groups = [
        {"params": [*coarsest.parameters()], "lr": config.coarsest_lr},
        {"params": [parameter for each in finer for parameter in each.parameters()], "lr": rate},
    ]
    return Adam(groups, betas=(config.beta1, config.beta2), fused=True)
