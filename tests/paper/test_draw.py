"""DRAW by its algebra: filters that are known, a bound that is known, and the errors of public ports."""

from math import log

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.families.draw import Draw, GaussianDraw, draw
from centigan.likelihood import LEVELS, importance_bound
from centigan.nets.attention import LEAST, Look, Looking, Window, look_at, read, write
from centigan.nets.drawing import Encoder, drawn_again, drawn_from, movement
from centigan.nets.frames import RED, framed
from centigan.nets.recurrent import Gates, LstmCell, State
from centigan.settings.families.draw import DrawConfig
from centigan.types import Batch, Given, Shape

FULL, POINT = 8, log(1e-3)  # side of an image; log s^2 of filters that see one pixel each


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(resolution: int = 16, channels: int = 1, **change: object) -> Draw:
    small = {"units": 12, "latent": 3, "steps": 4, "read": 3, "write": 3}
    return draw(DrawConfig.model_validate(small | change), Shape(3, resolution, channels), rng())


def batch(family: Draw, count: int = 5) -> Batch:
    size = (count, family.shape.channels, family.shape.resolution, family.shape.resolution)
    levels = torch.randint(0, 256, size, generator=rng(1))
    return Batch(levels / 127.5 - 1, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(1))


def images(count: int = 2, channels: int = 3, side: int = FULL) -> Tensor:
    """(M, A, C, A)."""
    return torch.rand(count, side, channels, side, generator=rng(2))


def looks(numbers: list[float], points: int, side: int = FULL) -> Look:
    return look_at(torch.tensor([numbers]).expand(2, 5), points, side)


# The window


def test_at_zeros_the_window_is_the_whole_image() -> None:
    """Equations 22 to 24: centre (A + 1)/2, and N points from the first pixel to the last."""
    window = looks([0, 0, 0, 0, 0], points=5).window
    assert window.centre.tolist() == [[4.5, 4.5]] * 2
    assert (window.stride * 4).tolist() == [[7.0]] * 2
    assert window.variance.tolist() == [[1.0]] * 2


def test_the_first_two_numbers_are_x_and_y_and_rows_are_y() -> None:
    """gX~ = 1/3: 6 of 8 pixels; gY~ = -1/3: 3 of 8 (counted from 1)."""
    look = looks([1 / 3, -1 / 3, POINT, log(2 / 7), log(2)], points=2)
    torch.testing.assert_close(look.window.centre[0], torch.tensor([3.0, 6.0]))
    torch.testing.assert_close(look.rows[0].argmax(1) + 1, torch.tensor([2, 4]))  # 3 -+ 1, the stride being 2
    torch.testing.assert_close(look.columns[0].argmax(1) + 1, torch.tensor([5, 7]))
    torch.testing.assert_close(look.intensity, torch.full((2, 1), 2.0))


@pytest.mark.parametrize("points", [2, 5, 6])
def test_points_lie_symmetrically_about_the_centre(points: int) -> None:
    """A filter seen from the other end is that of the opposite point: so is no grid counted from 0."""
    look = looks([0, 0, 0.5, -0.7, 0], points)
    for filters in (look.rows, look.columns):
        torch.testing.assert_close(filters, filters.flip(1, 2))
    pixels = torch.arange(1, FULL + 1.0)
    assert (look.rows[0] @ pixels).mean().item() == pytest.approx(4.5, abs=1e-5)


def test_a_row_of_filters_adds_up_to_1_wherever_it_lies() -> None:
    for numbers in ([0.3, -0.2, 0.0, 0.0, 0.0], [9.0, -9.0, -6.0, 2.0, 0.0], [1e3, 1e3, -99.0, 99.0, 99.0]):
        look = looks(numbers, points=5)
        for filters in (look.rows, look.columns):
            torch.testing.assert_close(filters.sum(2), torch.ones(2, 5))
        assert look.intensity.isfinite().all()


def test_no_number_of_a_filter_is_denormal() -> None:
    rows, columns, *_ = looks([0.3, -2.0, -4.0, 0.0, 0.0], points=5)
    numbers = torch.cat([rows, columns]).flatten()
    assert (numbers == 0).any()
    assert numbers[numbers != 0].min() >= LEAST > torch.finfo(torch.float32).tiny


def test_logarithms_without_end_give_no_infinity_and_far_windows_no_nan() -> None:
    for numbers in ([50.0, -50.0, -200.0, 300.0, 200.0], [0.0, 0.0, 300.0, -300.0, -200.0]):
        free = torch.tensor([numbers], requires_grad=True)
        look = look_at(free, 3, FULL)
        (read(images(1), look).sum() * look.intensity.sum()).backward()
        assert free.grad is not None
        assert free.grad.isfinite().all()
        assert (free.grad[:, 2:] == 0).all()  # beyond where they are held


def test_gradients_of_filters_are_those_of_their_formulas() -> None:
    numbers = torch.randn(3, 5, generator=rng(), dtype=torch.float64) * 0.4
    numbers.requires_grad_(requires_grad=True)
    assert torch.autograd.gradcheck(lambda n: Looking.apply(n, 4, FULL)[:2], numbers)


# Reading and writing


def identity() -> Look:
    """N = A, d = 1, in the middle: a filter is a pixel."""
    return looks([0, 0, POINT, 0, 0], points=FULL)


def test_as_many_points_as_pixels_read_the_image_and_write_it_back() -> None:
    x = images()
    torch.testing.assert_close(identity().rows, torch.eye(FULL).expand(2, FULL, FULL))
    torch.testing.assert_close(read(x, identity()), x)
    torch.testing.assert_close(write(read(x, identity()), identity()), x)


def test_all_channels_are_read_and_written_through_the_same_filters() -> None:
    """Equations 27 and 29, one channel after the other: F_Y x F_X' and F_Y' w F_X."""
    look, x, w = looks([0.2, -0.3, 0.1, -0.5, 0], 3), images(), images(side=3)
    for channel in range(3):
        seen = look.rows @ x[:, :, channel] @ look.columns.mT
        torch.testing.assert_close(read(x, look)[:, :, channel], seen)
        wrote = look.rows.mT @ w[:, :, channel] @ look.columns
        torch.testing.assert_close(write(w, look)[:, :, channel], wrote)


def test_what_is_read_is_multiplied_by_the_intensity_and_what_is_written_divided() -> None:
    made = family()
    with torch.no_grad():
        for layer, first in ((made.encoder.look, 4), (made.decoder.write, 4)):
            layer.weight.zero_()
            layer.bias.zero_()
            layer.bias[first] = log(3)
        made.decoder.write.bias[5:] = 6.0
    added, *_ = made.decoder(torch.zeros(1, 3), made.decoder.cell.start(1))
    middle = look_at(torch.zeros(1, 5), 3, 16)
    torch.testing.assert_close(added, write(torch.full((1, 3, 1, 3), 2.0), middle))
    seen: list[Tensor] = []
    made.encoder.cell.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]))
    list(drawn_again(made.encoder, made.decoder, torch.ones(1, 1, 16, 16), [None]))
    torch.testing.assert_close(
        seen[0][:, :18], torch.tensor([3.0, 1.5]).repeat(9).view(3, 3, 2).mT.reshape(1, 18)
    )


# The recurrence


def test_the_lstm_is_pytorchs() -> None:
    cell, theirs = LstmCell(3, 4, learned=False), nn.LSTMCell(3, 4)
    order = torch.cat([torch.arange(4 * n, 4 * n + 4) for n in (0, 1, 3, 2)])  # theirs: in, forget, new, out
    with torch.no_grad():
        cell.gates.weight.copy_(torch.cat([theirs.weight_ih, theirs.weight_hh], dim=1)[order])
        cell.gates.bias.copy_((theirs.bias_ih + theirs.bias_hh)[order])
    x, state = torch.randn(5, 3, generator=rng()), [torch.randn(5, 4, generator=rng(n)) for n in (1, 2)]
    torch.testing.assert_close(tuple(cell([x], State(*state))), theirs(x, tuple(state)))
    gates, old = (torch.randn(2, n, generator=rng(n), dtype=torch.float64) for n in (12, 3))
    assert torch.autograd.gradcheck(Gates.apply, (gates.requires_grad_(), old.requires_grad_()))


def test_without_attention_the_gates_are_those_of_x_and_its_error_side_by_side() -> None:
    """read(x, x^) = [x, x^] (equation 17), though the product of x is made once."""
    made = family(attention=False)
    encoder = made.encoder
    x, canvas, told = (torch.rand(2, *size, generator=rng()) for size in ((16, 1, 16), (16, 1, 16), (12,)))
    *_, state, _ = encoder(x, encoder.once(x), canvas, told, encoder.cell.start(2))
    weight = torch.cat([encoder.of_image.weight, encoder.of_error.weight, encoder.cell.gates.weight], dim=1)
    whole = torch.cat([x, x - canvas.sigmoid()], dim=1).flatten(1)
    beside = torch.cat([whole, told, torch.zeros(2, 12)], dim=1)
    gates = F.linear(beside, weight, encoder.cell.gates.bias)
    torch.testing.assert_close(state.hidden, Gates.apply(gates, torch.zeros(2, 12))[0])


def test_each_step_looks_at_what_the_canvas_lacks_by_then_and_hears_the_decoder() -> None:
    """Equations 3 to 5: x^_t of c_t-1, and h_dec_t-1 beside what is read."""
    made, heard = family(), []
    made.encoder.register_forward_pre_hook(lambda _, inputs: heard.append(inputs))
    states: list[State] = []
    made.decoder.register_forward_hook(lambda _, inputs, outputs: states.append(outputs[1]))
    x = torch.rand(2, 1, 16, 16, generator=rng())
    steps = list(drawn_again(made.encoder, made.decoder, x, [None] * 4))
    for t in range(1, 4):
        assert torch.equal(heard[t][2], steps[t - 1].canvas)
        assert torch.equal(heard[t][3], states[t - 1].hidden)
    assert all(torch.equal(one.z, one.mean) for one in steps)


def test_a_canvas_is_the_sum_of_what_was_written_from_the_first_on() -> None:
    made = family()
    nn.init.constant_(made.decoder.first, 0.7)
    added: list[Tensor] = []
    made.decoder.register_forward_hook(lambda _, inputs, outputs: added.append(outputs[0]))
    canvases = [
        canvas for canvas, _ in drawn_from(made.decoder, torch.randn(4, 2, 3, generator=rng()).unbind())
    ]
    for t in range(4):
        torch.testing.assert_close(canvases[t], 0.7 + torch.stack(added[: t + 1]).sum(0))


@pytest.mark.parametrize("start", ["learned", "zero"])
def test_first_canvas_and_states_begin_at_zero_and_are_learnt_where_asked(start: str) -> None:
    made = family(start=start)
    firsts = [made.encoder.cell.first, made.decoder.cell.first, made.decoder.first]
    assert all((first == 0).all() for first in firsts)
    made.step(batch(made), rng())
    made.step(batch(made), rng())
    assert all(((first != 0).any().item() == (start == "learned")) for first in firsts)


# The bound


def test_one_step_without_attention_is_a_vae() -> None:
    """By one encoder of [x, x - 1/2], one draw of z, one decoder; both terms of its bound by torch's own."""
    made = family(steps=1, attention=False, start="zero", latent=3)
    binary = torch.where(batch(made).images < 0, -1.0, 1.0)
    x, cells = (binary.flatten(1) + 1) / 2, (made.encoder.cell, made.decoder.cell)
    nothing = torch.zeros(len(x), 12)
    gates = made.encoder.of_image(x) + made.encoder.of_error(x - 0.5)
    hidden, _ = Gates.apply(gates + cells[0].gates.bias, nothing)
    mean, log_variance = nn.functional.linear(hidden, made.encoder.head.weight, made.encoder.head.bias).chunk(
        2, dim=1
    )
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    z = mean + posterior.scale * torch.randn(len(x), 3, generator=rng(5))
    hidden, _ = Gates.apply(cells[1].gates(torch.cat([z, nothing], dim=1)), nothing)
    logits = made.decoder.write(hidden)
    of_image = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum(1)
    prior = torch.distributions.Normal(torch.zeros(3), torch.ones(3))
    of_code = torch.distributions.kl_divergence(posterior, prior).sum(1)
    torch.testing.assert_close(made.binary_log_likelihood(binary, rng(5)), of_image - of_code)  # type: ignore[attr-defined]


def settled(made: Draw, mean: float = 0.0) -> Draw:
    """Q is N(mean, 1) whatever is seen."""
    nn.init.zeros_(made.encoder.head.weight)
    with torch.no_grad():
        made.encoder.head.bias.copy_(torch.tensor([mean] * 3 + [0.0] * 3))
    return made


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_codes_cost_nothing_where_q_is_the_prior_for_every_t(steps: int) -> None:
    """A port subtracts 1/2 a step, not 1/2 a step and dimension: T (z - 1)/2 nats too many."""
    made = settled(family(steps=steps, lr=1e-30))
    assert made.step(batch(made), rng())["loss_code"].item() == 0
    made = settled(family(steps=steps, lr=1e-30), mean=2.0)
    assert made.step(batch(made), rng())["loss_code"].item() == pytest.approx(steps * 3 * 2.0)


def test_each_step_and_image_draws_noise_of_its_own() -> None:
    """A port draws once for all steps."""
    made, kept = settled(family(steps=4)), []
    made.decoder.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].detach()))
    made.step(batch(made, 200), rng())
    z = torch.cat(kept, dim=1)
    assert z.shape == (200, 12)
    apart = torch.corrcoef(z.T) - torch.eye(12)
    assert apart.abs().max() < 0.3
    assert z.std().item() == pytest.approx(1, abs=0.05)


def test_the_losses_are_the_bound_in_nats_and_of_bytes_in_bits_too() -> None:
    made = family(decoder="gaussian", lr=1e-30, sigma_lr=1e-30, channels=3)
    assert isinstance(made, GaussianDraw)
    losses = made.step(batch(made), rng())
    nats = made.log_likelihood(batch(made).images, rng()).mean()
    torch.testing.assert_close(losses["loss_image"] + losses["loss_code"], -nats)
    torch.testing.assert_close(losses["bits"], -nats / (3 * 16**2 * log(2)))
    assert "bits" not in family().step(batch(family()), rng())  # of binarised pixels they would be misread


def test_a_gaussian_decoder_counts_bytes_in_their_bins() -> None:
    """At the first canvas w ~ N(0, s^2); an image of grey 127 and 128 lies within half a bin of 0."""
    made = settled(family(decoder="gaussian"))
    nn.init.zeros_(made.decoder.write.weight)
    images = torch.tensor([127, 128]).repeat(1, 1, 16, 8) / 127.5 - 1
    found = made.log_likelihood(images, rng()).item() / 256
    sigma = made.decoder.sigma.item()
    assert found == pytest.approx(log(2 / LEVELS) - log(sigma) - log(2 * torch.pi) / 2, abs=1e-3)


def test_importance_samples_have_the_likelihood_as_their_mean() -> None:
    """With two numbers of z the mean of P(x | z) over the prior is known; so must the mean of weights be."""
    made = family(steps=2, latent=1, attention=False)
    with torch.no_grad():
        made.encoder.head.bias.copy_(torch.tensor([0.4, -0.5]))  # Q is not the prior
    binary = torch.where(batch(made, 1).images < 0, -1.0, 1.0)
    many = binary.expand(20_000, -1, -1, -1)
    weights = made.binary_log_weight(many, rng())  # type: ignore[attr-defined]
    assert isinstance(made.encoder, Encoder)
    z = made.latent(20_000, rng(3))
    canvas = [canvas for canvas, _ in drawn_from(made.decoder, z.split(1, dim=1))][-1].detach()
    truth = importance_bound(made.nats((many + 1) / 2, canvas.transpose(1, 2)).view(-1, 1))
    assert importance_bound(weights.view(-1, 1)).item() == pytest.approx(truth.item(), abs=0.15)
    bound = made.binary_log_likelihood(many, rng()).mean().item()  # type: ignore[attr-defined]
    assert weights.mean().item() == pytest.approx(bound, abs=0.1)
    assert bound < truth.item()


def test_every_step_binarises_anew_and_by_grey_values() -> None:
    made, seen = family(), []
    made.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    grey = batch(made)._replace(images=torch.full((400, 1, 16, 16), -0.5))
    made.step(grey, rng(1))
    made.step(grey, rng(2))
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert seen[0].mean().item() == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(seen[0], seen[4])
    assert all(torch.equal(seen[0], each) for each in seen[1:4])


def test_the_gradient_keeps_its_direction_when_it_is_clipped() -> None:
    """A port clips each tensor by itself."""
    plain, clipped = family(clip=None), family(clip=1e-3)
    for made in (plain, clipped):
        made.step(batch(made), rng())
    parameters = zip(gradients(plain), gradients(clipped), strict=True)
    free, held = (torch.cat([g.flatten() for g in each]) for each in zip(*parameters, strict=True))
    assert F.cosine_similarity(free, held, dim=0).item() == pytest.approx(1, abs=1e-5)
    assert held.norm().item() == pytest.approx(1e-3, rel=1e-3)
    assert free.norm().item() > 1


def gradients(made: Draw) -> list[Tensor]:
    found = [p.grad for network in made.networks.values() for p in network.parameters()]
    assert all(gradient is not None for gradient in found)
    return [gradient for gradient in found if gradient is not None]


# Codes and pictures


def test_what_is_drawn_again_is_what_is_generated_of_the_code() -> None:
    for decoder in ("bernoulli", "gaussian"):
        made = family(decoder=decoder)
        real = batch(made)
        again = made.generate(made.encode(real.images), real.given)
        torch.testing.assert_close(made.reconstruct(real.images, rng()), again)


def test_a_frame_lies_where_its_window_does() -> None:
    """Of 8 x 8 pixels, each 16 of the picture: side d (N - 1) = 2 about row 3 and column 6."""
    window = Window(torch.tensor([[3.0, 6.0]]), torch.tensor([[1.0]]), torch.tensor([[1e-4]]))
    picture = framed(torch.full((1, 1, 8, 8), -1.0), window, 3, RED)
    assert picture.shape == (1, 3, 128, 128)
    lit = (picture[0, 0] > -0.9).nonzero()
    assert lit.min(0).values.tolist() == pytest.approx([(3 - 1.5) * 16, (6 - 1.5) * 16], abs=1)
    assert lit.max(0).values.tolist() == pytest.approx([(3 + 0.5) * 16, (6 + 0.5) * 16], abs=1)
    assert (picture[0, 1:] == -1).all()
    assert (picture[0, 0, 30:50, 78:98] == -1).all()  # nothing within
    thick = framed(torch.full((1, 1, 8, 8), -1.0), window._replace(variance=torch.tensor([[0.09]])), 3, RED)
    assert (thick > 0).sum() > 2 * (picture > 0).sum()


def test_the_journal_tells_how_windows_move() -> None:
    def window(stride: float, row: float, column: float) -> Window:
        return Window(torch.tensor([[row, column]]), torch.tensor([[stride]]), torch.ones(1, 1))

    moved = movement([window(2.0, 1.0, 1.0), window(1.0, 4.0, 5.0), window(0.5, 4.0, 6.0)], 5)
    assert {name: value.item() for name, value in moved.items()} == {
        "window_first": 8,
        "window_last": 2,
        "window_path": 6,
    }
    assert movement([None, None], 5) == {}


def test_parameters_are_those_of_the_papers_layers() -> None:
    """MNIST's settings, at 32 px: LSTMs of 256 units, 100 latents, read 2 x 2 and write 5 x 5."""
    made = draw(DrawConfig(), Shape(1, 32, 1), rng())
    encoder = 5 * 257 + 4 * 256 * (2 * 4 + 256 + 256 + 1) + 200 * 257 + 2 * 256
    decoder = 4 * 256 * (100 + 256 + 1) + (25 + 5) * 257 + 2 * 256 + 32 * 32
    counted = {name: sum(p.numel() for p in net.parameters()) for name, net in made.networks.items()}
    assert counted == {"encoder": encoder, "decoder": decoder}
