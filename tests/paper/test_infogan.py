"""InfoGAN by its algebra, its networks against the paper's table, and the errors of public code."""

import copy
from math import exp, log, pi

import pytest
import torch
from torch import Tensor, nn

from centigan.families.infogan import Codes, InfoGAN, information
from centigan.losses import log_fake, log_real
from centigan.nets.code_finding import (
    Answers,
    Discriminator,
    ImageGenerator,
    above_the_floor,
    latent_size,
    parts,
)
from centigan.settings.families.infogan import InfoganConfig
from centigan.types import Batch, Given, Shape

BATCH = 6
OF_LOGITS = pytest.approx(log(10), rel=1e-6)


def family(**change: object) -> InfoGAN:
    config = InfoganConfig.model_validate({"width": 0.05} | change)
    return InfoGAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def images(count: int = BATCH) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def step(infogan: InfoGAN, seed: int = 0) -> dict[str, Tensor]:
    real = Batch(images(), Given(torch.full((BATCH,), -1)), torch.tensor(1))
    return infogan.step(real, torch.Generator().manual_seed(seed))


def gradients(network: nn.Module) -> list[Tensor]:
    return [p.grad.clone() for p in network.parameters() if p.grad is not None]


def told(logits: Tensor, values: Tensor) -> float:
    """Nats of one categorical code: logits (N, K), values (N,)."""
    nothing = torch.zeros(len(values), 0)
    answers = Answers(logits.unsqueeze(1), nothing, nothing)
    return information(answers, Codes(values.unsqueeze(1), nothing))[0].item()


def told_of_numbers(means: Tensor, codes: Tensor, log_deviations: Tensor | None = None) -> float:
    """Nats of continuous codes: (N, U) each."""
    deviations = torch.zeros_like(means) if log_deviations is None else log_deviations
    count = len(codes)
    answers = Answers(torch.zeros(count, 1, 10), means, deviations)
    return information(answers, Codes(torch.zeros(count, 1, dtype=torch.int64), codes))[1].item()


def test_a_q_that_finds_every_value_tells_log_10_nats() -> None:
    """2.302585, the entropy of the code: the end of Figure 1."""
    values = torch.arange(10)
    assert told(100 * nn.functional.one_hot(values, 10).float(), values) == OF_LOGITS


def test_a_q_that_answers_by_the_prior_tells_nothing() -> None:
    assert told(torch.zeros(5, 10), torch.arange(5)) == pytest.approx(0, abs=1e-6)


def test_a_q_that_is_surely_wrong_has_a_finite_bound_and_gradient() -> None:
    """-inf in the paper's terms: that probability is 0 in float32, and no log is taken of it."""
    logits = torch.zeros(4, 1, 10)
    logits[..., 0] = -1e4
    logits.requires_grad_()
    nothing = torch.zeros(4, 0)
    zeros = torch.zeros(4, 1, dtype=torch.int64)
    bound, _ = information(Answers(logits, nothing, nothing), Codes(zeros, nothing))
    assert bound.item() == pytest.approx(-1e4 - log(9) + log(10), rel=1e-6)
    bound.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[0, 0, 0].item() == pytest.approx(0.25)  # of one image of four: 1 - p


def test_no_q_tells_more_than_the_entropy_of_the_codes() -> None:
    rng = torch.Generator().manual_seed(0)
    for size in (0.1, 1, 10):
        values = torch.randint(10, (50,), generator=rng)
        assert told(size * torch.randn(50, 10, generator=rng), values) <= log(10)


def test_logits_are_taken_for_logits() -> None:
    """A softmax before the cross-entropy, as in PyTorch-GAN, ends .84 nats up, not log 10."""
    values = torch.arange(10)
    logits = 100 * nn.functional.one_hot(values, 10).float()
    assert told(logits.softmax(1), values) == pytest.approx(log(10) - log(9 / exp(1) + 1), rel=1e-5)
    infogan = family()
    _, answers = infogan.networks["discriminator"](images())
    sums = answers.logits.exp().sum(2)
    assert not torch.allclose(sums, torch.ones_like(sums), atol=0.1)
    assert answers.logits.min() < 0


def test_a_q_that_finds_a_continuous_code_exactly_tells_minus_226_thousandths() -> None:
    """log N(c; c, 1) = -.918939, and H(c) = log 2 of U(-1, 1), not that of N(0, 1), a normal density's."""
    codes = torch.tensor([[0.5, -1.0], [0.25, 1.0]])
    assert told_of_numbers(codes[:, :1], codes[:, :1]) == pytest.approx(-0.918939 + log(2), rel=1e-5)
    assert told_of_numbers(codes, codes) == pytest.approx(2 * (log(2) - log(2 * pi) / 2), rel=1e-6)


def test_means_of_0_tell_a_sixth_of_a_nat_less() -> None:
    codes = torch.linspace(-1, 1, 2001).unsqueeze(1)
    zeros = torch.zeros_like(codes)
    less = told_of_numbers(codes, codes) - told_of_numbers(zeros, codes)
    assert less == pytest.approx(1 / 6, rel=2e-3)


def test_a_deviation_of_a_tenth_tells_what_a_tenth_of_the_density_does() -> None:
    codes = torch.zeros(3, 1)
    narrow = told_of_numbers(codes, codes, torch.full_like(codes, log(0.1)))
    assert narrow - told_of_numbers(codes, codes) == pytest.approx(log(10), rel=1e-6)
    off = told_of_numbers(codes + 0.2, codes, torch.full_like(codes, log(0.1)))
    assert narrow - off == pytest.approx(2, rel=1e-5)  # two deviations away: 2^2 / 2


def test_bounds_are_sums_over_codes_and_means_over_images() -> None:
    values = torch.tensor([[1, 2], [3, 4], [5, 6]])
    logits = 100 * nn.functional.one_hot(values, 10).float()
    nothing = torch.zeros(3, 0)
    assert information(Answers(logits, nothing, nothing), Codes(values, nothing))[0].item() == pytest.approx(
        2 * log(10), rel=1e-6
    )


def test_a_learnt_deviation_has_a_floor_that_a_gradient_passes() -> None:
    """Without it the likelihood of a code that Q knows exactly has no end."""
    free = torch.tensor([-1e6, -50.0, -3.0, 10.0], requires_grad=True)
    log_deviations = above_the_floor(free)
    assert log_deviations.exp().min().item() == pytest.approx(exp(-3))
    assert log_deviations[3].item() == pytest.approx(10, abs=1e-4)
    log_deviations[2].backward()
    assert free.grad is not None
    assert free.grad[2].item() == pytest.approx(0.5)
    codes = torch.zeros(2, 1)
    most = told_of_numbers(codes, codes, above_the_floor(torch.full_like(codes, -1e30)))
    assert most == pytest.approx(3 - log(2 * pi) / 2 + log(2), rel=1e-5)


def test_a_deviation_is_1_unless_it_is_learnt() -> None:
    _, fixed = family().networks["discriminator"](images())
    _, learnt = family(learn_deviation=True).networks["discriminator"](images())
    assert not fixed.log_deviations.any()
    assert fixed.log_deviations.shape == learnt.log_deviations.shape == (BATCH, 2)
    assert learnt.log_deviations.all()


def test_the_bound_of_a_linear_generator_and_a_linear_q_reaches_the_information() -> None:
    """G(c) = c + n with c ~ N(0, 1), n ~ N(0, 1/3): c given x is N(3 x / 4, 1/4), known in closed form.

    With H(c) = log(2 pi e) / 2 of that code in place of log 2, the bound is I = log(1 + 3) / 2 = log 2.
    """
    rng = torch.Generator().manual_seed(0)
    codes = torch.randn(200_000, 1, generator=rng)
    x = codes + torch.randn(200_000, 1, generator=rng) / 3**0.5
    to_normal = log(2 * pi * exp(1)) / 2 - log(2)
    best = told_of_numbers(0.75 * x, codes, torch.full_like(x, log(0.5))) + to_normal
    assert best == pytest.approx(log(2), rel=0.01)
    for slope, deviation in ((0.6, 0.5), (0.9, 0.5), (0.75, 0.7), (0.75, 0.35)):  # of any other Q it is less
        worse = told_of_numbers(slope * x, codes, torch.full_like(x, log(deviation))) + to_normal
        assert worse < best - 0.01


def test_the_information_moves_the_generator() -> None:
    """torchgan builds it of numbers taken out of the graph: no gradient."""
    infogan = family()
    generator, discriminator = infogan.networks.values()
    latent = infogan.latent(BATCH, torch.Generator().manual_seed(0))
    _, answers = discriminator(generator(latent))
    for bound in information(answers, infogan.codes(latent)):
        found = torch.autograd.grad(bound, list(generator.parameters()), retain_graph=True)
        assert all(g.isfinite().all() for g in found)
        assert found[0].abs().max() > 0


def test_q_and_the_shared_layers_are_moved_with_d_and_not_with_g() -> None:
    """Natsu6767's code moves Q with G; PyTorch-GAN's has a third Adam over G and D."""
    infogan = family()
    generator, discriminator = infogan.networks.values()
    moved = {
        name: {id(p) for group in optimizer.param_groups for p in group["params"]}
        for name, optimizer in infogan.optimizers.items()
    }
    assert moved == {
        "generator": {id(p) for p in generator.parameters()},
        "discriminator": {id(p) for p in discriminator.parameters()},
    }
    assert {id(p) for p in discriminator.codes.parameters()} < moved["discriminator"]
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in infogan.optimizers.items()}
    assert rates == {"generator": 1e-3, "discriminator": 2e-4}


def test_the_update_of_d_descends_minus_v_minus_lambda_information_by_every_layer() -> None:
    infogan = family(lambda_discrete=1.5, lambda_continuous=0.5)
    twin = copy.deepcopy(infogan)
    losses = step(infogan)
    generator, discriminator = twin.networks.values()
    rng = torch.Generator().manual_seed(0)
    latent = twin.latent(BATCH, rng)
    with torch.no_grad():
        fake = generator(latent)
    real_source, _ = discriminator(images())
    fake_source, answers = discriminator(fake)
    categorical, continuous = information(answers, twin.codes(latent))
    value = log_real(real_source) + log_fake(fake_source)
    (-value - 1.5 * categorical - 0.5 * continuous).backward()
    assert all(map(torch.equal, gradients(infogan.networks["discriminator"]), gradients(discriminator)))
    assert losses["information_categorical"] == categorical
    assert losses["information_continuous"] == continuous
    discriminator.zero_grad()
    (categorical, _) = information(discriminator(fake)[1], twin.codes(latent))
    categorical.backward()  # the shared layers serve L_I
    assert discriminator.shared[0][0].weight.grad.abs().max() > 0


def plain_gradient_of_g(infogan: InfoGAN, seed: int, *, with_information: bool) -> list[Tensor]:
    """G's gradient in a step of a GAN of these networks and latents, Q beside it or not."""
    generator, discriminator = infogan.networks.values()
    rng = torch.Generator().manual_seed(seed)
    latent = infogan.latent(BATCH, rng)
    with torch.no_grad():
        fake = generator(latent)
    real_source, _ = discriminator(images())
    fake_source, answers = discriminator(fake)
    value = log_real(real_source) + log_fake(fake_source)
    if with_information:
        categorical, continuous = information(answers, infogan.codes(latent))
        value = value + (categorical + 0.1 * continuous)
    (-value).backward()
    infogan.optimizers["discriminator"].step()
    generator.zero_grad()
    (-log_real(discriminator(generator(infogan.latent(BATCH, rng)))[0])).backward()
    return gradients(generator)


@pytest.mark.parametrize("change", [{"lambda_discrete": 0, "lambda_continuous": 0}, {"encouraged": False}])
def test_without_lambda_the_gradient_of_g_is_that_of_a_gan_bit_for_bit(change: dict[str, object]) -> None:
    infogan = family(**change)
    twin = InfoGAN(infogan.config, Shape(3, 32), torch.Generator().manual_seed(0))
    step(infogan)
    plain = plain_gradient_of_g(twin, 0, with_information="encouraged" in change)
    assert len(plain) == len(gradients(infogan.networks["generator"])) > 0
    assert all(map(torch.equal, gradients(infogan.networks["generator"]), plain))


def test_beside_a_gan_q_learns_and_with_lambda_0_it_does_not() -> None:
    for change, learns in (
        ({"encouraged": False}, True),
        ({"lambda_discrete": 0, "lambda_continuous": 0}, False),
    ):
        infogan = family(**change)
        before = copy.deepcopy(infogan.networks["discriminator"].codes)
        step(infogan)
        after = infogan.networks["discriminator"].codes
        same = map(torch.equal, before.parameters(), after.parameters())
        assert not any(same) if learns else all(same)


def test_g_feels_both_kinds_of_codes() -> None:
    plain = family(encouraged=False)
    step(plain)
    of_plain = gradients(plain.networks["generator"])
    for weight in ("lambda_discrete", "lambda_continuous"):
        other = {"lambda_discrete": 0, "lambda_continuous": 0} | {weight: 1}
        infogan = family(**other)
        step(infogan)
        assert not torch.equal(gradients(infogan.networks["generator"])[0], of_plain[0])


def test_the_update_of_g_has_new_latents_and_asks_d_as_it_is_after_its_update() -> None:
    infogan, drawn, judged = family(discriminator_lr=0.05), [], []
    generator, discriminator = infogan.networks.values()
    generator.register_forward_hook(lambda _, z, x: drawn.append((z[0], x.detach())))
    discriminator.register_forward_hook(lambda _, x, answers: judged.append((x[0], answers[0].detach())))
    step(infogan)
    (first, fake), (second, again) = drawn
    assert not (first == second).all(1).any()
    assert [torch.equal(x, seen) for (x, _), seen in zip(judged, (images(), fake, again), strict=True)] == [
        True
    ] * 3
    assert torch.equal(discriminator(again)[0], judged[2][1])


def test_a_latent_is_noise_then_one_hot_codes_then_continuous_codes() -> None:
    infogan = family(noise=7, categories=4, categorical_codes=3, continuous_codes=2)
    latent = infogan.latent(4000, torch.Generator().manual_seed(0))
    assert latent.shape == (4000, 7 + 12 + 2)
    noise, one_hot, continuous = latent.split(parts(infogan.config), dim=1)
    of_codes = one_hot.unflatten(1, (3, 4))
    assert torch.equal(of_codes.sum(2), torch.ones(4000, 3))
    assert set(one_hot.unique().tolist()) == {0, 1}
    torch.testing.assert_close(of_codes.mean(0), torch.full((3, 4), 0.25), rtol=0, atol=0.03)
    for uniform in (noise, continuous):
        assert uniform.min() >= -1
        assert uniform.max() <= 1
        assert uniform.var().item() == pytest.approx(1 / 3, rel=0.05)  # Natsu6767's is normal
    codes = infogan.codes(latent)
    assert torch.equal(nn.functional.one_hot(codes.categorical, 4), of_codes.long())
    assert torch.equal(codes.continuous, continuous)


def test_the_latents_of_the_papers_data_have_their_sizes() -> None:
    assert latent_size(InfoganConfig()) == 74  # digits
    svhn = InfoganConfig(noise=124, categorical_codes=4, continuous_codes=4)
    assert latent_size(svhn) == 168
    assert latent_size(InfoganConfig(noise=128, categorical_codes=10, continuous_codes=0)) == 228  # faces


def test_the_networks_are_those_of_the_papers_table_for_svhn() -> None:
    config = InfoganConfig(noise=124, categorical_codes=4, continuous_codes=4)
    generator, discriminator = ImageGenerator(config, Shape(10, 32)), Discriminator(config, Shape(10, 32))
    project = 168 * 1792 + 1792 + 2 * 1792
    doublings = 16 * (448 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 256 + 128 + 64 + 3 + 2 * 256
    assert sum(p.numel() for p in generator.parameters()) == project + doublings
    halvings = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 64 + 128 + 256 + 2 * (128 + 256)
    heads = 4096 + 1 + 4096 * 128 + 128 + 2 * 128 + 128 * 44 + 44
    assert sum(p.numel() for p in discriminator.parameters()) == halvings + heads
    slopes = {layer.negative_slope for layer in discriminator.modules() if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.1}


@pytest.mark.parametrize("side", [64, 128])
def test_a_doubling_of_the_side_adds_a_layer_of_256_maps_to_both(side: int) -> None:
    config = InfoganConfig(width=1 / 64)
    generator, discriminator = ImageGenerator(config, Shape(3, side)), Discriminator(config, Shape(3, side))
    further = {64: 1, 128: 2}[side]
    of_g = [m.out_channels for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    of_d = [m.out_channels for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert of_g == [4] * (1 + further) + [2, 1, 3]
    assert of_d == [1, 2, *[4] * (1 + further)]


def test_weights_begin_as_in_the_authors_code() -> None:
    networks = family(width=0.5).networks
    convolution, transposed = networks["discriminator"].shared[1][0], networks["generator"].blocks[0][0]
    assert convolution.weight.abs().max() <= 0.04
    assert convolution.weight.std().item() == pytest.approx(0.02 * 0.8796, rel=0.03)  # cut at two deviations
    assert transposed.weight.std().item() == pytest.approx(0.02, rel=0.03)
    scale = networks["generator"].project[1].weight
    assert scale.mean().item() == pytest.approx(1, abs=0.003)
    assert scale.std().item() == pytest.approx(0.02, rel=0.1)
    assert not any(m.bias.any() for n in networks.values() for m in n.modules() if hasattr(m, "bias"))


def test_one_image_can_be_asked_about() -> None:
    """Natsu6767's `squeeze` takes the axis of images away."""
    infogan, x = family(), images()
    step(infogan)
    assert infogan.cluster_logits(x[:1]).shape == (1, 10)
    assert infogan.realness(x[:1]).shape == (1,)
    torch.testing.assert_close(infogan.cluster_logits(x)[:1], infogan.cluster_logits(x[:1]))
    torch.testing.assert_close(infogan.realness(x)[:1], infogan.realness(x[:1]))
    answers = Answers(torch.zeros(1, 1, 10), torch.zeros(1, 2), torch.zeros(1, 2))
    categorical, continuous = information(answers, infogan.codes(infogan.latent(1, torch.Generator())))
    assert categorical.shape == continuous.shape == ()


def test_a_cluster_is_what_q_says_of_the_first_code() -> None:
    infogan, x = family(categorical_codes=3, categories=4), images()
    with torch.no_grad():
        _, answers = infogan.networks["discriminator"].eval()(x)
    infogan.networks["discriminator"].train()
    assert torch.equal(infogan.cluster_logits(x), answers.logits[:, 0])
    assert infogan.networks["discriminator"].training


def test_along_a_row_of_a_sheet_one_code_changes_and_nothing_else() -> None:
    infogan, seen = family(noise=3, categories=4, categorical_codes=2), []
    infogan.networks["generator"].register_forward_hook(
        lambda _, z, x: seen.append(z[0].unflatten(0, (10, -1)))
    )
    sheets = infogan.demonstrate(images(), ["a"], torch.Generator().manual_seed(0))
    assert [sheet.title for sheet in sheets] == ["categorical code", "continuous code 1", "continuous code 2"]
    for latent, sheet, changes in zip(seen, sheets, (range(3, 7), [11], [12]), strict=True):
        assert sheet.images.shape[:2] == latent.shape[:2]
        same = (latent == latent[:, :1]).all(1).all(0)
        assert [place for place, is_same in enumerate(same.tolist()) if not is_same] == list(changes)
    assert torch.equal(seen[0][0, :, 3:7], torch.eye(4))
    assert seen[1][0, [0, -1], 11].tolist() == [-2, 2]  # drawn from -1 to 1 in training
    assert "-1 to 1" in sheets[1].caption
    assert sheets[2].columns == ["-2", "-1.5", "-1", "-0.5", "0", "0.5", "1", "1.5", "2"]
    assert torch.equal(seen[1][:, 0, 3:7].argmax(1), torch.arange(10) % 4)


def test_codes_need_not_be_continuous() -> None:
    infogan = family(continuous_codes=0)
    assert step(infogan)["information_continuous"] == 0
    assert len(infogan.demonstrate(images(), ["a"], torch.Generator().manual_seed(0))) == 1
