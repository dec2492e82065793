"""Real NVP (Dinh et al., 2017): what algebra gives, and what public code gets wrong."""

from functools import partial
from itertools import pairwise
from math import log, pi

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles, make_moons
from torch import Tensor, nn

from centigan.families import build
from centigan.families.real_nvp import RealNvp
from centigan.likelihood import middles
from centigan.metrics.density import gaussian_nats
from centigan.nets.coupling import (
    Actnorm,
    Chain,
    Coupling,
    Flow,
    Plan,
    ResidualNet,
    checkerboard,
    halves,
    logistic,
    logit,
    squeeze,
    unsqueeze,
)
from centigan.nets.weight_norm import initialise_by_data
from centigan.settings.families.real_nvp import RealNvpConfig
from centigan.types import Batch, Given


@pytest.fixture(autouse=True)
def _first_weights() -> None:
    """PyTorch's own draws of weights, which some networks here begin with, are the same in any order."""
    torch.manual_seed(0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def disturbed(network: nn.Module, std: float = 0.3) -> nn.Module:
    """With weights that are far from the identity."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=rng(3), dtype=parameter.dtype) * std)
    return network


def flow(scales: int, *, tail: bool, channels: int = 1, side: int = 8) -> Flow:
    made = Flow((channels, side, side), Plan(4, 1, actnorm=True), scales=scales, tail=tail)
    disturbed(made, 0.1)
    return made


def images(count: int = 4, channels: int = 1, side: int = 8, levels: int = 17) -> Tensor:
    stored = torch.randint(levels, (count, channels, side, side), generator=rng(1))
    return stored * 2 / (levels - 1) - 1


def family(**change: object) -> RealNvp:
    config = RealNvpConfig.model_validate({"maps": 4, "blocks": 1, "scales": 2} | change)
    made = build(config, classes=1, resolution=8, channels=1, levels=17, rng=rng())
    assert isinstance(made, RealNvp)
    return made


def log_determinant(of: nn.Module, x: Tensor) -> Tensor:
    """ln |det dy/dx| of one x (1, ...) by autograd."""
    jacobian = torch.autograd.functional.jacobian(lambda t: of(t)[0], x)
    return torch.linalg.slogdet(jacobian.view(x.numel(), x.numel())).logabsdet


@pytest.mark.parametrize(("scales", "tail"), [(1, False), (1, True), (2, True)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_inverse_is_exact(scales: int, tail: bool, channels: int) -> None:
    made = flow(scales, tail=tail, channels=channels)
    w = torch.rand(5, channels, 8, 8, generator=rng()) * 2 - 1
    y, _ = made(w)
    assert (made.inverse(y) - w).abs().max() < 1e-4
    assert (y - logit(w)[0]).abs().max() > 0.1  # it is not the logit alone


@pytest.mark.parametrize("shape", [(2, 2, 4), (1, 4, 4)])
def test_the_determinant_is_that_of_the_jacobian(shape: tuple[int, int, int]) -> None:
    made = Flow(shape, Plan(4, 1, actnorm=True), scales=1, tail=True)
    disturbed(made)
    couplings = made.couplings.double()
    x = torch.randn(1, *shape, dtype=torch.float64, generator=rng())
    torch.testing.assert_close(couplings(x)[1][0], log_determinant(couplings, x), rtol=0, atol=1e-9)


def test_the_logits_determinant_is_that_of_its_jacobian() -> None:
    class Logit(nn.Module):
        def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
            return logit(w)

    w = torch.rand(1, 2, 4, 4, dtype=torch.float64, generator=rng()) * 2 - 1
    torch.testing.assert_close(logit(w)[1][0], log_determinant(Logit(), w), rtol=0, atol=1e-9)


def test_in_the_middle_the_logits_slope_is_3_6_of_v() -> None:
    """d logit(.05 + .9 v) / dv = .9 / (1/4) at v = 1/2; of w it is half of that."""
    _, slope = logit(torch.zeros(1, 1, dtype=torch.float64))
    assert slope.item() == pytest.approx(log(3.6) - log(2))


def test_the_logit_is_undone_whole() -> None:
    """The authors' code draws sigmoid(y), without undoing .05 + .9 v: paler images."""
    w = torch.linspace(-1, 1, 9)[None]
    torch.testing.assert_close(logistic(logit(w)[0]), w, rtol=0, atol=1e-5)


def test_it_begins_with_the_logit_alone() -> None:
    made = Flow((1, 8, 8), Plan(4, 1, actnorm=True), scales=1, tail=True)
    w = torch.rand(3, 1, 8, 8, generator=rng()) * 2 - 1
    (y, log_det), (expected, of_logit) = made(w), logit(w)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(log_det, of_logit)


@pytest.mark.parametrize("mask", [checkerboard((4, 6, 6)), halves((4, 6, 6))])
def test_what_a_mask_keeps_is_kept_to_the_bit_and_its_inverse_is_another_half(mask: Tensor) -> None:
    assert mask.mean() == 0.5
    coupling = disturbed(Coupling(ResidualNet(4, 4, 1), mask))
    x = torch.randn(2, 4, 6, 6, generator=rng())
    y, _ = coupling(x)
    assert torch.equal(y * mask, x * mask)
    assert ((y - x) * (1 - mask) != 0).any()


def test_what_is_moved_hears_nothing_of_itself() -> None:
    """dy_j/dx_k of two moved places is 0 but for j = k: the Jacobian is triangular (section 3.2)."""
    mask = checkerboard((1, 4, 4))
    coupling = disturbed(Coupling(ResidualNet(1, 4, 1), mask)).double()
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64, generator=rng())
    jacobian = torch.autograd.functional.jacobian(lambda t: coupling(t)[0], x).view(16, 16)
    moved = (mask.flatten() == 0).nonzero()[:, 0]
    within = jacobian[moved][:, moved]
    assert (within - within.diag().diag()).abs().max() == 0
    assert jacobian[moved].abs().sum() > within.abs().sum()  # it hears of what is kept


def test_squeezing_only_moves_pixels_and_places_a_field_side_by_side() -> None:
    x = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    squeezed = squeeze(x)
    assert squeezed.shape == (2, 12, 2, 3)
    assert sorted(squeezed.flatten().tolist()) == sorted(x.flatten().tolist())
    assert torch.equal(squeezed[0, :, 0, 0].view(2, 2, 3), x[0, :, :2, :2].permute(1, 2, 0))
    assert torch.equal(unsqueeze(squeezed), x)


def test_actnorm_begins_with_the_batchs_moments() -> None:
    x = torch.randn(64, 3, 4, 4, generator=rng()) * torch.tensor([1.0, 5.0, 0.1])[:, None, None] + 7
    norm = Actnorm((3, 4, 4))
    norm.begin(x)
    y, log_det = norm(x)
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(y.std((0, 2, 3), correction=0), torch.ones(3), rtol=0, atol=1e-4)
    expected = -16 * torch.std(x, (0, 2, 3), correction=0).log().sum()
    torch.testing.assert_close(log_det, expected.expand(64), rtol=1e-4, atol=0)


def test_a_primed_flow_gives_standard_moments() -> None:
    made = Flow((1, 8, 8), Plan(4, 1, actnorm=True), scales=1, tail=True)
    w = torch.rand(64, 1, 8, 8, generator=rng()) * 2 - 1
    initialise_by_data(made, w)
    y, _ = made(w)
    assert y.mean().abs() < 1e-3
    assert y.std().item() == pytest.approx(1, abs=1e-2)


def test_a_density_over_a_plane_adds_up_to_1() -> None:
    """Two dimensions by couplings of one each: the integral of exp(log p) on a grid."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 4))

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.layers(x)
            return out

    masks = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
    chain = disturbed(Chain(Coupling(Half(), mask) for mask in masks * 2), 0.2)
    axis = torch.linspace(-9, 9, 601)
    grid = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        y, log_det = chain(grid)
    log_p = -y.square().sum(1) / 2 - log(2 * pi) + log_det
    assert log_p.exp().sum().item() * (18 / 600) ** 2 == pytest.approx(1, abs=1e-3)


def test_a_uniform_image_under_the_identity_costs_what_a_logistic_of_a_normal_does() -> None:
    """With f the logit alone log p is that of N(0, 1) at logits, and the bits count 17 levels."""
    made, x = family(), images()
    bound = made.log_likelihood(x, rng(5))
    w = ((x + 1) * 8).round().add(torch.rand(x.shape, generator=rng(5))) * (2 / 17) - 1
    y, slope = logit(w)
    expected = (-y.square() / 2 - log(2 * pi) / 2).flatten(1).sum(1) + slope + 64 * log(2 / 17)
    torch.testing.assert_close(bound, expected)


def test_an_image_is_drawn_again_of_its_code() -> None:
    made, x = family(), images()
    disturbed(made.flow, 0.1)
    again = made.generate(made.encode(x), Given(torch.full((4,), -1)))
    torch.testing.assert_close(again, x, rtol=0, atol=1e-4)
    torch.testing.assert_close(made.encode(x).view_as(x), made.flow(middles(x, 17))[0])


def test_the_temperature_is_the_deviation_of_codes() -> None:
    assert family(temperature=0.5).latent(1000, rng()).std() == pytest.approx(0.5, abs=0.01)


def test_the_penalty_is_of_lengths_and_gains_alone() -> None:
    made = family(blocks=1)
    lengths = sum(
        p.square().sum() for n, p in made.flow.named_parameters() if "original0" in n or n.endswith("gain")
    )
    torch.testing.assert_close(made.penalty(), lengths)


def test_a_step_ascends_the_likelihood() -> None:
    made, x = family(lr=0.01), images(count=16)
    made.prime(Batch(x, Given(torch.zeros(16)), torch.tensor(1)), rng())
    before = made.log_likelihood(x, rng(9)).mean()
    for n in range(1, 21):
        made.step(Batch(x, Given(torch.zeros(16)), torch.tensor(n)), rng(n))
    assert made.log_likelihood(x, rng(9)).mean() > before + 1


def test_networks_for_cifar10_have_the_papers_layers() -> None:
    """8 blocks, 64 maps, two scales (section 4.1): a squeeze between them."""
    with torch.device("meta"):
        made = Flow((3, 32, 32), Plan(64, 8, actnorm=False), scales=1, tail=True)
    couplings = [m for m in made.modules() if isinstance(m, Coupling)]
    shapes = [tuple(m.mask.shape) for m in couplings]
    assert shapes == [(3, 32, 32)] * 3 + [(12, 16, 16)] * 3 + [(6, 16, 16)] * 4
    masks = [m.mask for m in flow(1, tail=True).modules() if isinstance(m, Coupling)]
    for first, number in ((0, 3), (3, 3), (6, 4)):  # of a kind they alternate
        kind = masks[first : first + number]
        assert all(torch.equal(a + b, torch.ones_like(a)) for a, b in pairwise(kind))
    networks = [m for m in made.modules() if isinstance(m, ResidualNet)]
    assert [network.first.layer.out_channels for network in networks] == [64] * 3 + [128] * 7
    assert {len(network.blocks) for network in networks} == {8}
    first = networks[0]
    convolutions = 6 * 64 * 9 + 16 * 64 * 64 * 9 + 9 * 64 * 64 + 64 * 6
    lengths_and_biases = 2 * 64 * (1 + 16 + 9) + 6
    assert sum(p.numel() for p in first.parameters()) == convolutions + lengths_and_biases


def of_points(points: Tensor, iterations: int) -> RealNvp:
    """Six couplings of points (N, 2) after so many iterations of 256."""
    config = RealNvpConfig(lr=8e-3, norm="none")
    made = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(made, RealNvp)
    draws = rng(1)
    for number in range(1, iterations + 1):
        chosen = points[torch.randint(len(points), (256,), generator=draws)]
        batch = Batch(chosen, Given(torch.full((256,), -1)), torch.tensor(number))
        if number == 1:
            made.prime(batch, draws)
        made.step(batch, draws)
    return made


@pytest.mark.parametrize(("kind", "gain"), [("moons", 1.0), ("circles", 0.3)])
def test_points_that_no_gaussian_fits_are_denser_under_the_flow(kind: str, gain: float) -> None:
    """Held-out nats of two sets of scikit-learn's, against a Gaussian of full covariance."""
    draw = {"moons": make_moons, "circles": partial(make_circles, factor=0.5)}[kind]
    training, held_out = (draw(4000, noise=0.05, random_state=n)[0].astype(np.float32) for n in (0, 1))
    made = of_points(torch.from_numpy(training), 600)
    told = made.log_density(torch.from_numpy(held_out), rng()).mean().item()
    assert told > gaussian_nats(held_out, training).mean() + gain


def test_the_density_of_points_adds_up_to_1_over_a_grid() -> None:
    made = build(RealNvpConfig(), classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(made, RealNvp)
    disturbed(made.flow, 0.1)
    axis = torch.linspace(-12, 12, 501)
    places = torch.cartesian_prod(axis, axis)
    cell = (axis[1] - axis[0]) ** 2
    assert (made.log_density(places, rng()).exp().sum() * cell).item() == pytest.approx(1, abs=1e-3)


def test_points_come_back_from_their_codes_and_the_determinant_is_the_jacobians() -> None:
    made = build(RealNvpConfig(), classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(made, RealNvp)
    disturbed(made.flow, 0.1)
    points = torch.randn(16, 2, generator=rng(1))
    latent = made.encode(points)
    again = made.generate(latent, Given(torch.full((16,), -1)))
    torch.testing.assert_close(again, points, rtol=0, atol=1e-4)
    jacobian = torch.autograd.functional.jacobian(lambda x: made.flow(x[None])[0][0], points[0])
    torch.testing.assert_close(made.flow(points)[1][0], torch.linalg.slogdet(jacobian)[1])
