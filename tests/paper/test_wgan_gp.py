"""WGAN-GP by its algebra, its networks against those that its docstring names, and the traps of a penalty."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import SGD

from centigan.families.wgan_gp import WGANGP, Critic, ImageGenerator, plan
from centigan.nets.blocks import Doubling
from centigan.nets.gradient_penalty import between, gradient_norms
from centigan.settings.families.wgan_gp import WganGpConfig
from centigan.training.engine import autocast
from centigan.types import Batch, Given, Shape

CPU = torch.device("cpu")


def family(**change: object) -> WGANGP:
    config = WganGpConfig.model_validate({"width": 0.05, "critic_steps": 3} | change)
    return WGANGP(config, Shape(3, 32), torch.Generator().manual_seed(0))


def images(count: int, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def step(wgan: WGANGP, real: Tensor) -> dict[str, Tensor]:
    labels = torch.full((len(real),), -1)
    return wgan.step(Batch(real, Given(labels), torch.tensor(1)), torch.Generator().manual_seed(0))


def zero(network: nn.Module) -> None:
    for parameter in network.parameters():
        nn.init.zeros_(parameter)


def linear(*weights: float) -> nn.Module:
    """f(x) = w . x of images (N, 3, 32, 32); w has these numbers and zeros."""
    layer = nn.Linear(3 * 32 * 32, 1)
    zero(layer)
    layer.weight.data[0, : len(weights)] = torch.tensor(weights)
    return nn.Sequential(nn.Flatten(), layer, nn.Flatten(0))


class HalfSquare(nn.Module):
    """f(x) = |x|^2 / 2 + w sum(x), whose gradient is x where w = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return (x.square() / 2 + self.w * x).sum((1, 2, 3))


def test_the_penalty_of_a_linear_critic_is_lambda_times_its_norm_less_1_squared() -> None:
    """w = (3, 4): 10 (5 - 1)^2 = 160, with whatever images."""
    wgan, critic = family(), linear(3, 4)
    wgan.networks["critic"], wgan.optimizers["critic"] = critic, SGD(critic.parameters(), 0.0)
    losses = step(wgan, images(6))
    assert losses["norm"].item() == pytest.approx(5)
    assert losses["penalty"].item() == pytest.approx(16)
    assert (losses["loss_critic"] + losses["wasserstein"]).item() == pytest.approx(160)


def test_the_penalty_moves_a_linear_critic_along_its_weights() -> None:
    """The gradient of 10 (|w| - 1)^2 is 20 (|w| - 1) w / |w| = 80 (0.6, 0.8): a second derivative of f."""
    critic = linear(3, 4)
    (10 * (gradient_norms(critic, images(2)) - 1).square().mean()).backward()
    weight = critic[1].weight
    assert weight.grad is not None
    assert weight.grad[0, :3].tolist() == pytest.approx([48, 64, 0])


def test_a_critic_that_is_constant_costs_lambda() -> None:
    wgan = family(critic_lr=1e-30)
    zero(wgan.networks["critic"])
    losses = step(wgan, images(6))
    assert losses["loss_critic"].item() == pytest.approx(10, rel=1e-5)
    assert losses["wasserstein"].item() == losses["loss_generator"].item() == 0


def test_the_root_of_a_gradient_of_zero_has_a_finite_derivative() -> None:
    critic = linear(0)
    (gradient_norms(critic, images(2)) - 1).square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


def test_a_norm_is_that_of_one_image_over_all_its_channels_and_pixels() -> None:
    """f(x) = |x|^2 / 2 has the gradient x, however many images stand beside it."""
    x = images(5)
    half_squares = gradient_norms(lambda x: x.square().sum((1, 2, 3)) / 2, x)
    torch.testing.assert_close(half_squares, x.flatten(1).norm(dim=1))


def test_every_image_has_a_place_of_its_own_between_real_and_generated() -> None:
    shares = between(torch.zeros(500, 3, 4, 4), torch.ones(500, 3, 4, 4), torch.Generator().manual_seed(0))
    of_image = shares[:, 0, 0, 0]
    assert torch.equal(shares, of_image.view(-1, 1, 1, 1).expand_as(shares))
    assert of_image.min() >= 0
    assert of_image.max() <= 1
    assert of_image.std().item() == pytest.approx(1 / 12**0.5, rel=0.1)


def test_the_penalty_is_taken_between_real_and_generated_images() -> None:
    """|x|^2 / 2 has a gradient of the length |x|. Real images are 1, G's 0: it is uniform in 0 to 55.4."""
    wgan, real, critic = family(critic_steps=1), torch.ones(400, 3, 32, 32), HalfSquare()
    zero(wgan.networks["generator"])
    wgan.networks["critic"], wgan.optimizers["critic"] = critic, SGD(critic.parameters(), 0.0)
    losses, length = step(wgan, real), (3 * 32 * 32) ** 0.5
    assert losses["norm"].item() == pytest.approx(length / 2, rel=0.1)
    # a square for each image: E[(u L - 1)^2] with u ~ U(0, 1); that of the mean has L^2 / 4
    assert losses["penalty"].item() == pytest.approx(length**2 / 3 - length + 1, rel=0.1)


def test_every_update_of_the_critic_has_a_minibatch_of_its_own() -> None:
    wgan, real, seen = family(critic_steps=3), images(12), []
    wgan.networks["critic"].register_forward_hook(lambda _, x, y: seen.append(x[0].detach()))
    step(wgan, real)
    assert torch.equal(torch.cat(seen[0:6:2]), real)  # real and fake in turn
    fakes = torch.cat(seen[1:6:2])
    assert len(fakes.flatten(1).unique(dim=0)) == 12
    counts = {name: {int(s["step"]) for s in o.state.values()} for name, o in wgan.optimizers.items()}
    assert counts == {"critic": {3}, "generator": {1}}


def test_g_moves_to_where_the_critic_is_higher() -> None:
    """f(x) = x_1 - x_2 of points: Adam's first step is as long as its rate, so G's last biases move by it."""
    config = WganGpConfig(critic_steps=1, generator_lr=1e-3)
    wgan = WGANGP(config, Shape(1, 0, dimensions=2), torch.Generator().manual_seed(0))
    layer = nn.Linear(2, 1)
    critic = nn.Sequential(layer, nn.Flatten(0))
    wgan.networks["critic"], wgan.optimizers["critic"] = critic, SGD(critic.parameters(), 0.0)
    layer.weight.data = torch.tensor([[1.0, -1.0]])
    bias = [p for name, p in wgan.networks["generator"].named_parameters() if name.endswith("bias")][-1]
    before = bias.detach().clone()
    step(wgan, torch.randn(8, 2))
    assert (bias.detach() - before).tolist() == pytest.approx([1e-3, -1e-3], rel=1e-3)


def test_the_settings_are_those_of_algorithm_1() -> None:
    """n = 5, beta1 = 0, beta2 = .9; Adam takes them."""
    config, wgan = WganGpConfig(), family()
    assert (config.penalty, config.critic_steps, config.paper["batch_size"]) == (10, 5, 64)
    for optimizer in wgan.optimizers.values():
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (1e-4, (0, 0.9), 0)


def test_the_second_derivative_of_the_critic_is_that_of_finite_differences() -> None:
    critic = Critic(WganGpConfig(width=0.02), Shape(3, 32)).double()
    x = images(2).double()

    def penalty(*parameters: Tensor) -> Tensor:
        named = dict(zip(dict(critic.named_parameters()), parameters, strict=True))
        norms = gradient_norms(lambda x: functional_call(critic, named, x), x)
        return (norms - 1).square().mean()

    assert torch.autograd.gradcheck(penalty, tuple(critic.parameters()), fast_mode=True)
    assert torch.autograd.gradgradcheck(critic, x.requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_the_penalty_reaches_every_layer_of_the_critic(side: int) -> None:
    critic = Critic(WganGpConfig(width=0.02), Shape(3, side))
    (gradient_norms(critic, images(2, side)) - 1).square().mean().backward()
    weights = {name: p.grad for name, p in critic.named_parameters() if name.endswith("weight")}
    assert all(g is not None and g.isfinite().all() and g.abs().max() > 0 for g in weights.values())


def test_a_layer_that_is_differentiable_once_would_be_seen() -> None:
    """`Doubling` on a CPU; G may hold it, whose gradient is taken once."""
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient_norms(
            nn.Sequential(Doubling(3, 1), nn.Flatten(), nn.Linear(256, 1)), images(2, 8)
        ).sum().backward()


def test_in_bfloat16_the_penalty_and_its_derivative_are_those_of_float32() -> None:
    """G draws zeros, as the real images are: x^ = 0 in both, and the distance's gradient vanishes."""
    found = []
    for precision in (torch.float32, torch.bfloat16):
        wgan = family(critic_steps=1)
        zero(wgan.networks["generator"])
        for name, parameter in wgan.networks["critic"].named_parameters():
            if name.endswith("bias"):
                nn.init.normal_(parameter, generator=torch.Generator().manual_seed(2))
        with autocast(CPU, precision):
            losses = step(wgan, torch.zeros(4, 3, 32, 32))
        found.append((losses, [p.grad for p in wgan.networks["critic"].parameters()]))
    (losses, gradients), (losses_16, gradients_16) = found
    assert torch.equal(losses["penalty"], losses_16["penalty"])
    assert torch.equal(losses["norm"], losses_16["norm"])
    torch.testing.assert_close(gradients_16, gradients, rtol=1e-5, atol=1e-6)  # bfloat16: 4e-3


def test_the_critic_judges_an_image_alone() -> None:
    critic, x = family().networks["critic"].train(), images(4)
    torch.testing.assert_close(critic(x)[:1], critic(x[:1]))
    assert not [layer for layer in critic.modules() if "Norm" in type(layer).__name__]


@pytest.mark.parametrize(
    ("resolution", "maps"),
    [(32, [128, 256, 512]), (64, [128, 256, 512, 512]), (128, [128, 256, 512, 512, 512])],
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def test_the_networks_have_the_layers_of_the_authors_code() -> None:
    """Kernels 5 x 5; batch norm, in G alone, has two numbers a map."""
    config, taps = WganGpConfig(), 25 * (512 * 256 + 256 * 128 + 128 * 3)
    first = 128 * 8192 + 8192
    generator = ImageGenerator(config, Shape(10, 32))
    assert sum(p.numel() for p in generator.parameters()) == first + taps + 387 + 2 * (512 + 256 + 128)
    critic = Critic(config, Shape(10, 32))
    assert sum(p.numel() for p in critic.parameters()) == taps + 512 + 256 + 128 + 8192 + 1


def test_weights_are_uniform_with_the_variance_of_the_authors_code() -> None:
    networks = family(width=0.5).networks
    wanted = {
        networks["generator"].project: 2 / (128 + 4096),
        networks["generator"].blocks[0][0]: 4 / (25 * (256 / 4 + 128)),
        networks["critic"].blocks[1][0]: 4 / (25 * (64 + 128 / 4)),
        networks["critic"].head: 2 / (4096 + 1),
    }
    for layer, variance in wanted.items():
        assert layer.weight.var().item() == pytest.approx(variance, rel=0.05)
        assert layer.weight.abs().max().item() <= (3 * variance) ** 0.5
        assert not layer.bias.any()
