"""WGAN by its algebra, its networks against the authors' code, and the traps of clipping."""

from math import log

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import RMSprop

from centigan.families.wgan import WGAN, Critic, DenseGenerator, ImageGenerator, clip, plan
from centigan.settings.families.wgan import WganConfig
from centigan.types import Batch, Given, Shape


def family(**change: object) -> WGAN:
    config = WganConfig.model_validate({"width": 0.05, "critic_steps": 3} | change)
    return WGAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def of_points(dimensions: int, **change: object) -> WGAN:
    config = WganConfig.model_validate({"critic_steps": 1} | change)
    return WGAN(config, Shape(1, 0, dimensions=dimensions), torch.Generator().manual_seed(0))


def step(wgan: WGAN, real: Tensor) -> dict[str, Tensor]:
    labels = torch.full((len(real),), -1)
    return wgan.step(Batch(real, Given(labels), torch.tensor(1)), torch.Generator().manual_seed(0))


def images(count: int, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def linear(wgan: WGAN, dimensions: int) -> nn.Linear:
    """Makes f(x) = w . x + b its critic."""
    layer = nn.Linear(dimensions, 1)
    critic = nn.Sequential(layer, nn.Flatten(0))
    wgan.networks["critic"] = critic
    wgan.optimizers["critic"] = RMSprop(critic.parameters(), 0.01, 0.99)
    return layer


def test_the_best_clipped_linear_critic_has_c_times_the_absolute_difference_of_means() -> None:
    """max W over |w_i| <= c is c |mean(x) - mean(G(z))|_1: .01 (3 + 4) = .07. Real points lie at (3, -4)."""
    wgan = of_points(2, clip=0.01, generator_lr=1e-30)
    for parameter in wgan.networks["generator"].parameters():
        nn.init.zeros_(parameter)  # G draws (0, 0)
    layer = linear(wgan, 2)
    real = torch.tensor([[3.0, -4.0]]).repeat(8, 1)
    for _ in range(3):
        losses = step(wgan, real)
    assert layer.weight[0].tolist() == pytest.approx([0.01, -0.01])
    assert losses["wasserstein"].item() == pytest.approx(0.07)
    assert losses["loss_critic"].item() == pytest.approx(-0.07)
    assert losses["loss_generator"].item() == pytest.approx(-layer.bias.item(), abs=1e-6)


def test_the_distance_of_two_points_is_their_distance_where_that_of_jensen_and_shannon_is_log_2() -> None:
    """Example 1: f of slope 1 tells delta_0 from delta_t by |t|; a D tells them apart alike for each t."""
    for t in (0.1, 1.0, 10.0):
        slope = nn.Parameter(torch.tensor([[-3.0]]))
        clip(nn.ParameterList([slope]), 1.0)
        assert (F.linear(torch.zeros(1, 1), slope) - F.linear(torch.tensor([[t]]), slope)).item() == (
            pytest.approx(t)
        )
        sharp = 1e4 / t  # of D(x) = sigmoid(sharp (t / 2 - x))
        logits = sharp * torch.tensor([t / 2, -t / 2])
        value = F.logsigmoid(logits[0]) + F.logsigmoid(-logits[1])
        assert log(2) + value.item() / 2 == pytest.approx(log(2))


def test_the_critic_has_a_gradient_where_a_discriminator_has_none() -> None:
    """Figure 2: real points near 0, generated ones near 3; both learn until they tell them apart."""
    rng = torch.Generator().manual_seed(0)
    near, far = (0.1 * torch.randn(64, 1, generator=rng) + m for m in (0.0, 3.0))
    steepest = {}
    for loss in ("critic", "discriminator"):
        f = of_points(1, clip=0.1).networks["critic"]
        rmsprop = RMSprop(f.parameters(), 1e-3)
        for _ in range(300):
            values = f(near), f(far)
            value = values[0].mean() - values[1].mean()
            if loss == "discriminator":
                value = F.logsigmoid(values[0]).mean() + F.logsigmoid(-values[1]).mean()
            rmsprop.zero_grad()
            (-value).backward()
            rmsprop.step()
            if loss == "critic":
                clip(f, 0.1)
        x = far.clone().requires_grad_()
        judged = f(x)
        # what G descends: -f, or log(1 - D); the slope over the range of values, so that c does not count
        term = F.logsigmoid(-judged) if loss == "discriminator" else -judged
        (slope,) = torch.autograd.grad(term.sum(), x)
        scale = (f(near).mean() - judged.mean()).item()
        steepest[loss] = slope.abs() / scale
    assert steepest["critic"].min() > 0.1
    assert steepest["discriminator"].max() < 1e-3


@pytest.mark.parametrize("clip", [0.01, 0.1])
def test_after_a_step_every_number_of_the_critic_lies_in_the_box(clip: float) -> None:
    """Biases and batch norm's numbers too; the authors' code, which clips before, leaves it by a step."""
    wgan = family(clip=clip, critic_lr=0.02)
    step(wgan, images(12))
    numbers = torch.cat([p.detach().flatten() for p in wgan.networks["critic"].parameters()])
    assert numbers.abs().max().item() == pytest.approx(clip)
    points = of_points(2, clip=clip, critic_lr=0.02)
    step(points, torch.randn(8, 2))
    reach = {name: p.abs().max().item() for name, p in points.networks["critic"].named_parameters()}
    assert max(reach.values()) == pytest.approx(clip)
    assert max(r for name, r in reach.items() if name.endswith("bias")) == pytest.approx(clip)


def test_the_generator_is_not_clipped() -> None:
    wgan = family()
    step(wgan, images(12))
    assert max(p.abs().max().item() for p in wgan.networks["generator"].parameters()) > 0.9  # batch norm's 1


def test_running_statistics_are_not_clipped() -> None:
    """They are no weights. Images of 1 and -1 have second moments far above .01."""
    wgan = family()
    step(wgan, images(12).sign())
    variances = [b for name, b in wgan.networks["critic"].named_buffers() if name.endswith("running_var")]
    assert min(variance.max().item() for variance in variances) > 0.1


def test_the_critic_is_in_the_box_before_its_first_update() -> None:
    """Algorithm 1 clips after each; an update of a critic outside would not be one of equation 3."""
    numbers = torch.cat([p.detach().flatten() for p in family().networks["critic"].parameters()])
    assert numbers.abs().max().item() == pytest.approx(0.01)


def test_g_moves_to_where_the_critic_is_higher() -> None:
    """f(x) = .01 (x_1 - x_2): each step of RMSprop is as long as its rate, so each bias of G moves by it."""
    wgan = of_points(2, critic_lr=1e-30, generator_lr=1e-3)
    layer = linear(wgan, 2)
    wgan.optimizers["critic"].param_groups[0]["lr"] = 0.0
    layer.weight.data = torch.tensor([[0.01, -0.01]])
    bias = [p for name, p in wgan.networks["generator"].named_parameters() if name.endswith("bias")][-1]
    before = bias.detach().clone()
    step(wgan, torch.randn(8, 2))
    moved = (bias.detach() - before).tolist()
    assert moved[0] > 0 > moved[1]


def test_the_critic_is_linear_in_its_last_weights() -> None:
    """No sigmoid: twice the weights give twice the value, however large."""
    critic, x = family().networks["critic"].eval(), images(4)
    assert isinstance(critic, Critic)
    critic.head.weight.data.mul_(10 / critic(x).detach().abs().max())
    value = critic(x).detach()
    critic.head.weight.data.mul_(2)
    torch.testing.assert_close(critic(x).detach(), 2 * value)
    assert value.abs().max().item() == pytest.approx(10)


def test_every_update_of_the_critic_has_a_minibatch_of_its_own() -> None:
    wgan, real, seen = family(critic_steps=3), images(12), []
    wgan.networks["critic"].register_forward_hook(lambda _, x, y: seen.append(x[0].detach()))
    step(wgan, real)
    assert torch.equal(torch.cat(seen[0:6:2]), real)  # real and fake in turn
    assert len(torch.cat(seen[1:6:2]).flatten(1).unique(dim=0)) == 12
    assert len(seen) == 7  # the last of G
    counts = {name: {int(s["step"]) for s in o.state.values()} for name, o in wgan.optimizers.items()}
    assert counts == {"critic": {3}, "generator": {1}}


def test_real_and_fake_images_are_normalised_apart() -> None:
    """One pass over both would tell f(x) by the fakes beside x: the first pass is of real images alone."""
    wgan, real, seen = family(critic_steps=1), images(4), []
    critic = wgan.networks["critic"]
    critic.register_forward_hook(lambda _, x, y: seen.append((len(x[0]), y.detach().clone())))
    with torch.no_grad():
        alone = critic(real).clone()
    step(wgan, real)
    assert [count for count, _ in seen] == [4, 4, 4, 4]
    torch.testing.assert_close(seen[1][1], alone)


def test_g_asks_the_critic_with_the_statistics_of_its_own_images() -> None:
    """As the critic's updates do: running statistics are of real images and of fakes."""
    wgan, modes = family(critic_steps=1), []
    wgan.networks["critic"].register_forward_hook(lambda critic, x, y: modes.append(critic.training))
    step(wgan, images(4))
    assert modes == [True, True, True]


def test_weights_begin_as_in_the_authors_code() -> None:
    """N(0, .02^2), batch norm's gains N(1, .02^2); those of the critic are clipped then."""
    generator = family(width=0.5).networks["generator"]
    assert isinstance(generator, ImageGenerator)
    assert generator.project.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert generator.blocks[0][0].weight.std().item() == pytest.approx(0.02, rel=0.02)
    gains = generator.first[0].weight
    assert (gains.mean().item(), gains.std().item()) == pytest.approx((1, 0.02), rel=0.2)


def test_the_settings_are_those_of_algorithm_1() -> None:
    config = WganConfig()
    assert (config.clip, config.critic_steps, config.paper["batch_size"]) == (0.01, 5, 64)


def test_the_optimiser_has_no_momentum() -> None:
    for optimizer in family().optimizers.values():
        assert isinstance(optimizer, RMSprop)
        (group,) = optimizer.param_groups
        assert (group["lr"], group["alpha"], group["momentum"], group["centered"]) == (5e-5, 0.99, 0, False)


@pytest.mark.parametrize(
    ("resolution", "maps"), [(32, [64, 128, 256]), (64, [64, 128, 256, 512]), (128, [64, 128, 256, 512, 512])]
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def test_the_networks_have_the_layers_of_the_authors_code() -> None:
    """At 64 px; kernels 4 x 4 without biases, two numbers a map of batch norm."""
    config, shape = WganConfig(), Shape(10, 64)
    taps, maps = 16 * (512 * 256 + 256 * 128 + 128 * 64), 512 + 256 + 128
    generator, critic = ImageGenerator(config, shape), Critic(config, shape)
    assert sum(p.numel() for p in generator.parameters()) == (
        100 * 8192 + taps + 16 * 64 * 3 + 2 * (maps + 64)
    )
    assert sum(p.numel() for p in critic.parameters()) == 16 * 64 * 3 + taps + 2 * maps + 8192
    dense = DenseGenerator(config, shape)
    sizes = [
        (layer.in_features, layer.out_features) for layer in dense.layers if isinstance(layer, nn.Linear)
    ]
    assert sizes == [(100, 512), (512, 512), (512, 512), (512, 3 * 64 * 64)]


def test_the_pixels_of_the_dense_generator_are_cut_where_they_are_drawn() -> None:
    wgan = family(net="dense")
    generator = wgan.networks["generator"]
    assert isinstance(generator, DenseGenerator)
    generator.layers[-1].bias.data.fill_(3.0)
    drawn = wgan.sample(Given(torch.tensor([0, 0])), torch.Generator().manual_seed(0))
    assert drawn.max() == 1
    assert generator(torch.zeros(1, 100)).max() > 1
