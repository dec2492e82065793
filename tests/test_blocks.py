"""The building blocks that families share."""

import pytest
import torch

from centigan.nets.blocks import Doubling, DoublingOfSmallMaps, NoiseAndDropout, noise_table

N = 1 << 20


def disturbed(
    std: float, dtype: torch.dtype = torch.float32, value: float = 1.0, seed: int = 0
) -> torch.Tensor:
    torch.manual_seed(seed)
    return NoiseAndDropout(std)(torch.full((N,), value, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_half_of_the_activations_are_dropped_and_the_rest_doubled(dtype: torch.dtype) -> None:
    found = disturbed(0.0, dtype)
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert abs((found == 0).float().mean() - 0.5) < 0.002  # four standard errors


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_noise_is_normal_and_does_not_know_what_is_dropped(dtype: torch.dtype) -> None:
    found = disturbed(0.5, dtype, value=8.0).float()  # eight is 16 standard deviations: none reaches 0
    noise = (found[found != 0] / 2 - 8) / 0.5
    assert abs(noise.mean()) < 0.006
    assert abs(noise.std() - 1) < 0.004
    assert abs((noise.abs() < 1).float().mean() - 0.6827) < 0.04  # bfloat16 rounds 8 + noise to 1/16
    assert abs((noise**4).mean() - 3) < 0.06


def test_neighbours_are_independent() -> None:
    """Four activations come from one word of 64 bits."""
    kept = (disturbed(0.0) != 0).float().view(-1, 4)
    assert (torch.corrcoef(kept.T) - torch.eye(4)).abs().max() < 0.01
    assert (kept.mean(0) - 0.5).abs().max() < 0.005


def test_the_disturbance_follows_the_seed() -> None:
    assert torch.equal(disturbed(0.1, seed=1), disturbed(0.1, seed=1))
    assert not torch.equal(disturbed(0.1, seed=1), disturbed(0.1, seed=2))


def test_nothing_is_disturbed_in_evaluation() -> None:
    x = torch.randn(5, 3)
    assert NoiseAndDropout(0.3).eval()(x) is x


def test_the_gradient_is_twice_the_mask() -> None:
    torch.manual_seed(0)
    x = torch.ones(3, 5, 7, requires_grad=True)
    found = NoiseAndDropout(0.1)(x)
    found.sum().backward()
    assert torch.equal(x.grad, 2.0 * (found != 0))


def test_the_table_holds_doubled_quantiles_of_the_normal_distribution_and_nothing_for_dropped() -> None:
    dropped, table = noise_table(0.5, torch.float32).view(-1, 2).T
    assert not dropped.any()
    assert torch.allclose(table, -table.flip(0))
    assert abs((table < 1.96).float().mean() - 0.975) < 1e-4
    assert abs(table.double().var() - 1) < 1e-3


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_disturbance_keeps_the_layout(layout: torch.memory_format) -> None:
    x = torch.ones(2, 3, 4, 5).contiguous(memory_format=layout)
    assert NoiseAndDropout(0.1)(x).is_contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_doubling_small_maps_has_the_gradients_of_the_transposed_convolution(
    layout: torch.memory_format,
) -> None:
    torch.manual_seed(0)
    shapes = ((2, 3, 4, 4), (3, 5, 5, 5), (5,))
    x, weight, bias = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    values = [t.requires_grad_() for t in (x.contiguous(memory_format=layout), weight, bias)]
    assert torch.autograd.gradcheck(DoublingOfSmallMaps.apply, values)
    found = DoublingOfSmallMaps.apply(*values)
    assert found.shape == (2, 5, 8, 8)
    expected = torch.conv_transpose2d(*values, stride=2, padding=2, output_padding=1)
    upward = torch.randn_like(expected)
    gradients = [torch.autograd.grad(result, values, upward) for result in (found, expected)]
    assert all(torch.allclose(a, b) for a, b in zip(*gradients, strict=True))


def test_doubling_under_autocast_answers_and_learns_in_bfloat16() -> None:
    layer, x = Doubling(3, 5), torch.randn(2, 3, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        doubled = layer(x)
    assert doubled.dtype == torch.bfloat16
    doubled.sum().backward()
    assert layer.weight.grad.dtype == torch.float32
