"""BatchGAN by its algebra: the share of real images, its best prediction, what no order changes."""

from itertools import product
from math import comb, log

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from centigan.families import build
from centigan.families.batchgan import BatchGAN, mix
from centigan.nets.plain import PlainDiscriminator
from centigan.nets.spectral import SpectralNorm
from centigan.nets.symmetric import OfBatch, show_the_batch
from centigan.settings.families.batchgan import BatchganConfig
from centigan.types import Batch, Given, Shape


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> BatchGAN:
    config = BatchganConfig.model_validate({"width": 0.05} | change)
    made = build(config, classes=3, resolution=32, rng=rng())
    assert isinstance(made, BatchGAN)
    return made


def images(count: int) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=rng(1)) * 2 - 1


def step(batchgan: BatchGAN, real: Tensor) -> dict[str, Tensor]:
    return batchgan.step(Batch(real, Given(torch.full((len(real),), -1)), torch.tensor(1)), rng())


def test_every_number_of_real_images_is_as_probable_as_another() -> None:
    real, fake, random = torch.ones(4, 1), torch.zeros(4, 1), rng()
    mixed = torch.stack([mix(real, fake, 4, random)[0][:, 0] for _ in range(2000)])
    shares = torch.bincount(mixed.sum(1).long(), minlength=5) / 2000
    torch.testing.assert_close(shares, torch.full((5,), 0.2), atol=0.04, rtol=0)
    torch.testing.assert_close(mixed.mean(0), torch.full((4,), 0.5), atol=0.04, rtol=0)  # in each place
    assert {int(mix(real, fake, 3, random)[0].sum()) for _ in range(200)} == {0, 1, 2, 3}


def test_an_image_keeps_its_place_in_the_mixed_batch() -> None:
    real, fake = images(6), -images(6)
    mixed, share = mix(real, fake, 6, rng(0))
    is_real = (mixed == real).flatten(1).all(1)
    assert torch.equal(mixed[~is_real], fake[~is_real])
    assert share == is_real.float().mean()
    assert 0 < share < 1


@pytest.mark.parametrize("prediction", ["image", "batch"])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_least_loss_is_the_entropy_of_the_share_where_it_is_predicted(
    prediction: str, share: float
) -> None:
    batchgan, s = family(prediction=prediction), torch.tensor(share)
    entropy = 0.0 if share == 1 else -share * log(share) - (1 - share) * log(1 - share)
    losses = {
        logit: -batchgan.value(torch.full((8,), logit), s).item()
        for logit in torch.linspace(-9, 9, 181).tolist()
    }
    best = min(losses, key=lambda logit: losses[logit])
    assert torch.tensor(best).sigmoid().item() == pytest.approx(share, abs=0.03)
    assert losses[best] == pytest.approx(entropy, abs=1e-3)


def test_the_loss_of_one_prediction_is_at_most_the_mean_of_the_losses() -> None:
    """By Jensen's inequality: the cross-entropy is convex in the logit. BGAN and M-BGAN differ by it."""
    logits, share = torch.tensor([-2.0, 1.0, 3.0]), torch.tensor(1 / 3)
    of_batch, of_images = (-family(prediction=p).value(logits, share) for p in ("batch", "image"))
    assert of_batch < of_images - 0.1
    said = torch.tensor(2 / 3).sigmoid()
    assert of_batch.item() == pytest.approx((-share * said.log() - (1 - share) * (1 - said).log()).item())


def test_a_batch_of_one_image_has_the_loss_of_a_gan() -> None:
    batchgan, logit = family(), torch.tensor([0.7])
    real, fake = (batchgan.value(logit, torch.tensor(s)) for s in (1.0, 0.0))
    assert real.item() == pytest.approx(logit.sigmoid().log().item())
    assert fake.item() == pytest.approx((1 - logit.sigmoid()).log().item())


def test_the_best_prediction_is_the_expected_share_of_the_batch() -> None:
    """Batches of two of the values 0 and 1, p(1) = .9 real and q(1) = .4: found by descent on all batches.

    By Bayes it is half of p_unbalanced / p_balanced: each number of real images weighs 1 / (B + 1).
    """
    batchgan, probability = family(prediction="batch"), {0: (0.6, 0.1), 1: (0.4, 0.9)}
    seen = torch.zeros(2, 2, 3)  # the batch's values, number of real images
    for values in product((0, 1), repeat=2):
        for mixing in product((0, 1), repeat=2):
            weight = 1 / (3 * comb(2, sum(mixing)))
            for value, real in zip(values, mixing, strict=True):
                weight *= probability[value][real]
            seen[*values, sum(mixing)] += weight
    assert seen.sum().item() == pytest.approx(1)
    wanted = (seen * torch.tensor([0, 0.5, 1])).sum(2) / seen.sum(2)
    logits = torch.zeros(2, 2, requires_grad=True)
    descent = torch.optim.Adam([logits], 0.1)
    for _ in range(200):
        loss = -sum(
            seen[i, j, n] * batchgan.value(logits[i, j, None], torch.tensor(n / 2))
            for i, j, n in product((0, 1), (0, 1), (0, 1, 2))
        )
        descent.zero_grad()
        loss.backward()
        descent.step()
    torch.testing.assert_close(logits.sigmoid(), wanted, atol=5e-3, rtol=0)
    assert wanted[1, 1] > wanted[0, 1] > wanted[0, 0]


@pytest.mark.parametrize("dimensions", [0, 2])
def test_an_image_is_judged_alike_in_whatever_order_and_otherwise_in_another_batch(dimensions: int) -> None:
    made = build(BatchganConfig(width=0.05), classes=1, resolution=32, dimensions=dimensions, rng=rng())
    discriminator = made.networks["discriminator"].eval()
    x = torch.randn(6, dimensions, generator=rng(1)) if dimensions else images(6)
    order, said = torch.tensor([3, 1, 5, 0, 4, 2]), discriminator(x)
    torch.testing.assert_close(discriminator(x[order]), said[order])
    others = torch.cat([x[:1], x[1:] * 0.5])
    assert (discriminator(others)[0] - said[0]).abs() > 1e-6


def test_without_the_path_of_the_mean_it_is_the_plain_discriminator() -> None:
    plain = PlainDiscriminator(Shape(1, 32), 0.05)
    x = images(3)
    wanted = plain(x)
    show_the_batch(plain.layers)
    assert not torch.equal(plain(x), wanted)
    for layer in plain.modules():
        if isinstance(layer, OfBatch):
            nn.init.zeros_(layer.of_mean.weight)
    torch.testing.assert_close(plain(x), wanted)


def test_every_layer_of_d_sees_the_batch_and_the_mean_has_no_bias() -> None:
    discriminator = family().networks["discriminator"]
    layers = [m for m in discriminator.modules() if isinstance(m, OfBatch)]
    assert len(layers) == 8  # seven convolutions and the last layer
    assert all(layer.of_mean.bias is None and layer.own.bias is not None for layer in layers)
    assert sum(isinstance(m, SpectralNorm) for m in discriminator.modules()) == 16
    plain = family(spectral=False).networks["discriminator"]
    assert not any(isinstance(m, SpectralNorm) for m in plain.modules())


def test_a_layer_adds_a_map_of_the_mean() -> None:
    """(L x_i + b) + M mean_j x_j with L = 2, M = 3, b = 1 and x = (1, 3): 2 + 1 + 6, 6 + 1 + 6."""
    layer = OfBatch(nn.Linear(1, 1))
    nn.init.constant_(layer.own.weight, 2)
    nn.init.constant_(layer.own.bias, 1)
    nn.init.constant_(layer.of_mean.weight, 3)
    assert layer(torch.tensor([[1.0], [3.0]]))[:, 0].tolist() == [9, 13]


def test_each_place_of_a_map_has_a_mean_of_its_own() -> None:
    """The mean is over the batch, not over the map: of (1, 2) and (3, 6) it is (2, 4)."""
    layer = OfBatch(nn.Conv2d(1, 1, 1))
    for number, value in ((layer.own.weight, 0), (layer.own.bias, 0), (layer.of_mean.weight, 1)):
        nn.init.constant_(number, value)
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]]).view(2, 1, 1, 2)
    assert layer(x).flatten(1).tolist() == [[2, 4], [2, 4]]


def test_only_generated_images_pull_at_the_generator() -> None:
    batchgan, real = family(), images(6)
    fake = (-real).requires_grad_()
    mixed, _ = mix(real, fake, 5, rng(3))
    batchgan.value(batchgan.networks["discriminator"](mixed), 1.0).backward()
    assert fake.grad is not None
    pulled = fake.grad.flatten(1).abs().sum(1) > 0
    assert torch.equal(pulled, (mixed != real).flatten(1).any(1))


def of_points(bias: float = 0.0, weight: float = 0.0, **change: object) -> tuple[BatchGAN, nn.Linear]:
    """With D(x) = sigmoid(w (x_1 - x_2) + b) of points of two dimensions, beside each."""
    config = BatchganConfig.model_validate({"generator_lr": 1e-3} | change)
    made = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(made, BatchGAN)
    layer = nn.Linear(2, 1)
    layer.weight.data, layer.bias.data = torch.tensor([[weight, -weight]]), torch.tensor([bias])
    d = nn.Sequential(layer, nn.Flatten(0))
    made.networks["discriminator"], made.optimizers["discriminator"] = d, Adam(d.parameters(), 1e-30)
    return made, layer


@pytest.mark.parametrize("says", [5.0, -5.0])
def test_g_wants_a_batch_that_is_taken_for_real_and_its_loss_does_not_saturate(says: float) -> None:
    """-log o whatever the share is: .0067 and 5.0067; log(1 - o) would be -5.0067 and -.0067."""
    losses = step(of_points(bias=says)[0], torch.ones(8, 2))
    assert losses["loss_generator"].item() == pytest.approx(5.0067 if says < 0 else 0.0067, abs=1e-4)


def test_g_moves_to_where_d_says_more() -> None:
    """Adam's first step is as long as its rate, so G's last biases move by it."""
    batchgan, _ = of_points(weight=1.0)
    bias = [p for name, p in batchgan.networks["generator"].named_parameters() if name.endswith("bias")][-1]
    before = bias.detach().clone()
    step(batchgan, torch.randn(8, 2, generator=rng(1)))
    assert (bias.detach() - before).tolist() == pytest.approx([1e-3, -1e-3], rel=1e-3)


def test_d_moves_to_the_share_of_real_images() -> None:
    """From o = 1/2 its bias rises where more than half of the mixed batch are real, else falls."""
    found = {}
    for seed in range(8):
        batchgan, layer = of_points()
        batchgan.optimizers["discriminator"] = Adam(layer.parameters(), 1e-3)
        seen: list[Tensor] = []
        layer.register_forward_hook(lambda _, x, y, seen=seen: seen.append(x[0].detach()))
        real = Batch(torch.full((7, 2), 9.0), Given(torch.full((7,), -1)), torch.tensor(1))
        losses = batchgan.step(real, rng(seed))
        share = (seen[0] == 9).all(1).float().mean().item()
        least = torch.distributions.Bernoulli(share).entropy().item()
        assert losses["loss_discriminator"].item() == pytest.approx(log(2))
        assert losses["excess"].item() == pytest.approx(log(2) - least, abs=1e-5)
        found[share > 0.5] = layer.bias.item()
    assert found == {True: pytest.approx(1e-3), False: pytest.approx(-1e-3)}


def test_the_batch_of_g_has_real_images_too_but_one_sample_at_the_least() -> None:
    counts = set()
    for seed in range(40):
        batchgan, layer = of_points()
        seen: list[Tensor] = []
        layer.register_forward_hook(lambda _, x, y, seen=seen: seen.append(x[0].detach()))
        batchgan.step(Batch(torch.full((4, 2), 9.0), Given(torch.full((4,), -1)), torch.tensor(1)), rng(seed))
        counts.add(int((seen[-1] == 9).all(1).sum()))
    assert counts == {0, 1, 2, 3}


def test_the_power_iteration_goes_on_once_for_each_update_of_d() -> None:
    """Not in G's update: as far as two passes with these weights."""
    batchgan = family(discriminator_steps=2, discriminator_lr=1e-30)
    by_hand = family().networks["discriminator"]
    step(batchgan, images(8))
    for _ in range(2):
        by_hand(images(4))
    networks = (batchgan.networks["discriminator"], by_hand)
    got, wanted = ([m.u for m in net.modules() if isinstance(m, SpectralNorm)] for net in networks)
    torch.testing.assert_close(got, wanted)
    assert batchgan.networks["discriminator"].training


def test_adam_has_the_values_of_dcgan() -> None:
    for optimizer in family().optimizers.values():
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0)


def test_d_sees_one_mixed_batch_an_update_of_other_real_images_each() -> None:
    batchgan, real, seen = family(discriminator_steps=2), images(8), []
    batchgan.networks["discriminator"].register_forward_hook(lambda _, x, y: seen.append(x[0].detach()))
    losses = step(batchgan, real)
    assert [len(x) for x in seen] == [4, 4, 4]
    of_first, of_second = real.chunk(2)
    for mixed, own, others in ((seen[0], of_first, of_second), (seen[1], of_second, of_first)):
        assert not any(torch.equal(image, other) for image in mixed for other in others)
        assert sum(torch.equal(*pair) for pair in zip(mixed, own, strict=True)) <= 4
    assert losses["excess"] >= 0
