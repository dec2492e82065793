"""Unrolled GAN (Metz et al., 2016; arXiv:1611.02163).

    f(G, D) = E[log D(x)] + E[log(1 - D(G(z)))]                          (1)
    D_0 = D;  D_(k+1) = D_k + Adam's step up df / dD_k                   (4, 5)
    G descends f_K(G, D) = f(G, D_K(G, D)),  D ascends f(G, D)           (7 to 9)

D's coming K steps are functions of G, and G's gradient goes through them: the second term of

    df_K / dG = df(G, D_K) / dG + df(G, D_K) / dD_K  dD_K / dG           (10)

With K = 0 it is the GAN of equation 1, both moved at once.

Departures and decisions
    1. D's steps looked ahead begin with the moments and the number of steps of D's own Adam, and all see the
       minibatch and latents of this step. Nothing of them is kept: D then makes the first of them.
    2. Adam's root is of v + eps^2, that of torch is followed by + eps: the derivative of a root at 0, where
       a unit is dead, is infinite.
    3. `saturating: false` has G ascend log D_K(G(z)), the form of the GAN's section 3; the paper has it not.
    4. What D computes is float32 under bfloat16 too: a second derivative multiplies matrices anew.
    5. Images: the networks for stacked MNIST at 32, not 28 px. Each doubling above has a layer more at the
       side of 4 pixels, of twice the maps. Kernels of 3 x 3, batch norm in G alone: in D it would make
       an image's logit depend on others, and its statistics would count steps that are never made. Slope .2.
    6. Points: the networks of the ring of eight Gaussians (`points`). Weights are orthogonal with gain .8.
       That is the paper's for the ring; here images have it too.
    7. `width` scales every feature-map count, `discriminator_share` those of D besides.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import LEAKY_SLOPE, evaluated, scaled, with_gradients, without_autocast
from centigan.nets.points import PointDiscriminator, PointGenerator
from centigan.settings.families.unrolled import UnrolledConfig as Config
from centigan.types import Batch, Decodes, Given, Shape
from centigan.updates import adams, ascend

FIRST_SIDE, FIRST_MAPS = 4, 8
GAIN = 0.8


def plan(resolution: int, width: float) -> list[int]:
    """Maps at the full resolution, half of it, ... down to 4 x 4: 8, 16, 32, 64 at 32 px."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    return [scaled(FIRST_MAPS * 2**n, width) for n in range(halvings + 1)]


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)[::-1]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(config.latent, maps[0] * FIRST_SIDE**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps)
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1) for a, b in pairwise(maps)
        )
        self.convolutions.append(nn.Conv2d(maps[-1], shape.channels, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        x = self.project(z).view(-1, *self.maps)
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            x = convolution(norm(x).relu())
        return x.tanh()


class ImageDiscriminator(nn.Module):
    """D(x): images (N, C, H, W) -> logits (N,). Every layer can be differentiated twice."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        *maps, _ = plan(shape.resolution, config.width * config.discriminator_share)
        layers: list[nn.Module] = []
        for a, b in pairwise([shape.channels, *maps]):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.LeakyReLU(LEAKY_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(maps[-1] * FIRST_SIDE**2, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        logits: Tensor = self.layers(x)[:, 0]
        return logits


def networks_for(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D for images or for points, with orthogonal weights and biases 0."""
    shape = shape._replace(classes=0)  # neither is told y
    networks: dict[str, nn.Module]
    if shape.dimensions:
        generator = PointGenerator(config.points, config.latent, shape)
        networks = {"generator": generator, "discriminator": PointDiscriminator(config.points, shape)}
    else:
        networks = {
            "generator": ImageGenerator(config, shape),
            "discriminator": ImageDiscriminator(config, shape),
        }
    for network in networks.values():
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.orthogonal_(layer.weight, GAIN, generator=rng)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
    return networks


class UnrolledGAN(Decodes):
    """The family: G and D with one Adam each; G is moved by D's coming steps, and then D makes one."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.networks = networks_for(config, shape, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """G descends f_K, equation 8, and D ascends f, equation 9, from the same parameters."""
        discriminator, move = self.networks["discriminator"], self.optimizers["discriminator"]
        real, parameters = batch.images, list(discriminator.parameters())
        fake = self.networks["generator"](self.latent(len(real), rng))

        with without_autocast(real.device):
            fake = fake.to(real.dtype)
            logits = discriminator.forward(real), discriminator.forward(fake)
            value = objective(*logits)
            looks = self.config.steps > 0
            gradients = torch.autograd.grad(-value, parameters, retain_graph=True, create_graph=looks)
            ahead = self._judged_ahead(real, fake, gradients) if looks else logits
            judged = -objective(*ahead) if self.config.saturating else log_real(ahead[1])
            gradient_generator = ascend(judged, self.optimizers["generator"])

        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.detach()
        move.step()
        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            "value": value.detach(),
            "ahead": objective(*ahead).detach(),
            "source_real": (logits[0] > 0).float().mean(),
            "source_fake": (logits[1] < 0).float().mean(),
            "gradient_discriminator": get_total_norm([gradient.detach() for gradient in gradients]),
            "gradient_generator": gradient_generator,
        }

    def _judged_ahead(self, real: Tensor, fake: Tensor, gradients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """D_K's logits (N,) of real and of generated images; `gradients` of -f are those of D as it is."""
        discriminator = self.networks["discriminator"]
        shapes = {name: parameter.shape for name, parameter in discriminator.named_parameters()}
        network = Forward(discriminator)

        def judge(row: Tensor) -> tuple[Tensor, Tensor]:
            pieces = row.split([shape.numel() for shape in shapes.values()])
            named = {f"network.{n}": p.view(s) for (n, s), p in zip(shapes.items(), pieces, strict=True)}
            return functional_call(network, named, (real,)), functional_call(network, named, (fake,))

        row = in_a_row(discriminator.parameters()).detach()
        adam = AdamAhead(self.optimizers["discriminator"])
        return judge(
            looked_ahead(
                lambda row: -objective(*judge(row)), row, in_a_row(gradients), adam, self.config.steps
            )
        )

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, with gradients."""
        return with_gradients(self.networks["generator"], latent)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    @torch.no_grad()
    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        logits: Tensor = self.networks["discriminator"](images)
        return logits

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)


class Forward(nn.Module):
    """A network by its `forward`: a compiled form (train.compile) cannot be differentiated twice."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """What the network makes of x."""
        return self.network.forward(x)


class AdamAhead:
    """Adam's next steps down a function of parameters in a row (P,), written out so that they have a graph.

    They begin with the optimiser's moments and number of steps, and leave both as they are.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        (group,) = optimizer.param_groups
        self.lr, self.betas, self.eps = group["lr"], group["betas"], group["eps"]
        states = [optimizer.state[p] for p in group["params"] if p in optimizer.state]
        if states:
            self.count = states[0]["step"]
            self.mean, self.square = (in_a_row(s[key] for s in states) for key in ("exp_avg", "exp_avg_sq"))
        else:  # before the first step
            self.mean = torch.zeros_like(in_a_row(group["params"]).detach())
            self.count, self.square = self.mean.new_zeros(()), self.mean

    def __call__(self, row: Tensor, gradient: Tensor) -> Tensor:
        """The parameters (P,) after a step by their gradient (P,)."""
        first, second = self.betas
        self.count = self.count + 1
        self.mean = first * self.mean + (1 - first) * gradient
        self.square = second * self.square + (1 - second) * gradient.square()
        mean, square = self.mean / (1 - first**self.count), self.square / (1 - second**self.count)
        moved: Tensor = row - self.lr * mean / (square + self.eps**2).sqrt()
        return moved


def looked_ahead(
    function: Callable[[Tensor], Tensor],
    row: Tensor,
    gradient: Tensor,
    move: Callable[[Tensor, Tensor], Tensor],
    steps: int,
) -> Tensor:
    """Parameters (P,) after so many steps down a function, with the graph of every step.

    Args:
        function: of parameters (P,), and of whatever the result is to be differentiated by.
        row: the parameters (P,) as they are.
        gradient: the function's gradient (P,) there, with its graph.
        move: parameters and gradient -> parameters after a step.
    """
    row = move(row, gradient)
    for _ in range(steps - 1):
        (gradient,) = torch.autograd.grad(function(row), row, create_graph=True)
        row = move(row, gradient)
    return row


def in_a_row(tensors: Iterable[Tensor]) -> Tensor:
    """All their numbers one after the other, (P,)."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def objective(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """f of equation 1, of D's logits (N,)."""
    return log_real(real_logits) + log_fake(fake_logits)
