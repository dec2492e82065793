"""The adversarial autoencoder by its algebra, the order of its updates, and the traps of other code."""

from itertools import pairwise
from math import log
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from centigan.families.aae import Autoencoder, NamingAAE, aae, one_hot_or_unknown, squared_error
from centigan.nets.autoencoder import Decoder, Encoder
from centigan.nets.priors import SwissRoll, grid, percentiles
from centigan.settings.families.aae import AaeConfig
from centigan.types import Batch, Given, Reconstructs, Shape, one_hot

BATCH, CLASSES = 8, 3
STILL: dict[str, Any] = {"lr": 1e-30, "adversarial_lr": 1e-30, "class_lr": 1e-30}
USES = ["unsupervised", "style", "semi_supervised", "clustering", "reduction"]


def family(**change: object) -> Autoencoder:
    config = AaeConfig.model_validate({"width": 0.02, "clusters": 4} | change)
    return aae(config, Shape(CLASSES, 32, 1), rng())


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = BATCH) -> Tensor:
    return torch.rand(count, 1, 32, 32, generator=rng(1)) * 2 - 1


def batch(labels: list[int] | None = None) -> Batch:
    known = torch.tensor(labels) if labels else torch.arange(BATCH) % CLASSES
    return Batch(images(), Given(known), torch.tensor(1))


def step(model: Autoencoder, real: Batch | None = None) -> dict[str, float]:
    torch.manual_seed(0)
    return {name: value.item() for name, value in model.step(real or batch(), rng()).items()}


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def answering(model: Autoencoder, name: str, logit: float) -> None:
    """This discriminator gives one answer to whatever it sees."""
    last = model.networks[name].layers[-1]
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, logit)


def moved(model: Autoencoder) -> set[str]:
    """Which networks one step moves."""
    before = {name: weights(network) for name, network in model.networks.items()}
    step(model)
    after = {name: weights(network) for name, network in model.networks.items()}
    return {name for name in before if (after[name] - before[name]).abs().max() > 1e-6}


def test_a_discriminator_of_equal_laws_answers_one_half_and_loses_2_log_2() -> None:
    model = family(**STILL)
    answering(model, "discriminator_z", 0)
    losses = step(model)
    assert losses["loss_discriminator"] == pytest.approx(2 * log(2))
    assert losses["loss_encoder"] == pytest.approx(log(2))
    both = family(use="clustering", **STILL)
    for name in ("discriminator_z", "discriminator_y"):
        answering(both, name, 0)
    assert step(both)["loss_discriminator"] == pytest.approx(4 * log(2))


def test_d_ascends_the_log_of_1_minus_d_of_codes_and_the_encoder_the_log_of_d() -> None:
    """The slides write log D(1 - G(z)) for the former."""
    model = family(**STILL)
    answering(model, "discriminator_z", 1.5)
    d = torch.tensor(1.5).sigmoid()
    losses = step(model)
    assert losses["loss_discriminator"] == pytest.approx(-(d.log() + (1 - d).log()).item(), rel=1e-5)
    assert losses["loss_encoder"] == pytest.approx(-d.log().item(), rel=1e-5)
    assert losses["source_prior"] == 1
    assert losses["source_code"] == 0


def test_d_moves_to_tell_draws_from_codes_and_the_encoder_to_be_taken_for_draws() -> None:
    """With the others at rest: what D says of draws less what it says of codes rises, then that of codes."""
    model, real = family(), batch()
    draws = model.prior.draw(torch.full((BATCH,), -1), rng(5))
    discriminator = model.networks["discriminator_z"].eval()  # without its noise

    def told() -> tuple[float, float]:
        codes = model.coded(real.images)[1]
        with torch.no_grad():
            of = [discriminator(each, each.new_zeros(BATCH, 0)).mean().item() for each in (draws, codes)]
        return of[0], of[1]

    def move(moved: str) -> None:
        for name, optimizer in model.optimizers.items():
            optimizer.param_groups[0]["lr"] = 2e-3 if name == moved else 0.0
        for seed in range(20):
            model.step(real, rng(seed))

    before = told()
    move("discriminator_z")
    after = told()
    assert after[0] - after[1] > before[0] - before[1]
    move("regulariser")
    assert told()[1] > after[1]


def test_the_error_is_half_a_sum_over_pixels_from_0_to_1() -> None:
    """A mean over pixels would let the adversary dominate where one optimiser serves both."""
    white, black = torch.ones(4, 3, 5, 5), -torch.ones(4, 3, 5, 5)
    assert squared_error(white, black).item() == 75 / 2
    assert squared_error(white, white - 1).item() == 75 / 8


@pytest.mark.parametrize(
    ("rate", "networks"),
    [
        ("lr", {"encoder", "decoder"}),
        ("adversarial_lr", {"encoder", "discriminator_z", "discriminator_y"}),
        ("class_lr", {"encoder"}),
    ],
)
def test_each_phase_moves_its_own_networks(rate: str, networks: set[str]) -> None:
    assert moved(family(use="semi_supervised", **STILL | {rate: 0.01})) == networks


@pytest.mark.parametrize("use", USES)
def test_each_phase_has_moments_of_its_own(use: str) -> None:
    model = family(use=use)
    step(model)
    encoder = set(model.encoder.parameters())
    for name in ("autoencoder", "regulariser", "classifier"):
        if name in model.optimizers:
            own = model.optimizers[name].state
            assert encoder <= set(own)
            assert {int(state["step"]) for state in own.values()} == {1}
    assert ("classifier" in model.optimizers) == (use in ("semi_supervised", "reduction"))


def test_reconstruction_comes_first_then_each_d_and_last_the_encoder() -> None:
    """D sees codes of the encoder that has drawn images again, and judges it after its own update."""
    model, seen = family(lr=0.01, adversarial_lr=0.01, noise=0), []
    for name, network in model.networks.items():
        network.register_forward_hook(
            lambda module, inputs, _, name=name: seen.append((name, weights(module), inputs[0].detach()))
        )
    step(model)
    assert [name for name, *_ in seen] == ["encoder", "decoder", "encoder", *["discriminator_z"] * 3]
    of_encoder = [own for name, own, _ in seen if name == "encoder"]
    assert not torch.equal(*of_encoder)
    of_prior, of_codes, judged = seen[3:]
    assert torch.equal(of_prior[1], of_codes[1])
    assert not torch.equal(of_codes[1], judged[1])
    assert torch.equal(of_codes[2], judged[2])
    assert not torch.equal(of_encoder[1], weights(model.encoder))


def test_codes_of_a_minibatch_have_the_moments_of_the_prior_and_logits_the_deviation_asked_for() -> None:
    """Without batch norm 7 of 16 clusters had no image after 600 iterations."""
    model = family(use="clustering", latent=3, deviation=5.0, sharpness=3.0)
    logits, z = model.encoder(images(64))
    torch.testing.assert_close(logits.std(0, correction=0), torch.full((4,), 3.0), rtol=1e-2, atol=0)
    torch.testing.assert_close(z.std(0, correction=0), torch.full((3,), 5.0), rtol=1e-2, atol=0)
    for each in (logits, z):
        torch.testing.assert_close(each.mean(0), torch.zeros(each.shape[1]), rtol=0, atol=1e-4)
    norms = [layer for layer in model.encoder.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert [norm.affine for norm in norms] == [True, True, False]


def test_codes_for_a_roll_have_its_mean_too() -> None:
    mean, deviation = SwissRoll(10).moments()
    _, z = family(prior="swiss_roll").encoder(images(64))
    torch.testing.assert_close(z.mean(0), mean, rtol=0, atol=1e-3)
    torch.testing.assert_close(z.std(0, correction=0), deviation, rtol=1e-2, atol=0)


def test_the_papers_encoder_has_no_norm_and_its_layers_are_of_1000_units() -> None:
    model = family(width=1, normalised=False, latent=8)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in model.encoder.modules())
    sizes = {
        "encoder": [1024, 1000, 1000, 8],
        "decoder": [8, 1000, 1000, 1024],
        "discriminator_z": [8, 1000, 1000, 1],
    }
    for name, units in sizes.items():
        assert len(weights(model.networks[name])) == sum((a + 1) * b for a, b in pairwise(units)), name


@pytest.mark.parametrize("use", USES)
def test_a_code_is_the_same_whatever_stands_beside_the_image_and_training_does_not_notice(use: str) -> None:
    model = family(use=use, input_dropout=0.2)
    step(model)
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    together = model.encode(images())
    apart = torch.cat([model.encode(image) for image in images().split(1)])
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in model.encoder.state_dict().items())
    assert model.encoder.training


def test_few_labelled_images_leave_no_trace_in_running_statistics() -> None:
    model = family(use="semi_supervised", **STILL)
    odd = batch()._replace(images=torch.ones(BATCH, 1, 32, 32))
    alike = family(use="semi_supervised", **STILL)
    step(model, batch()._replace(labelled=odd))
    step(alike, batch()._replace(labelled=batch()))
    norms = [[m for m in each.encoder.modules() if isinstance(m, nn.BatchNorm1d)] for each in (model, alike)]
    for one, other in zip(*norms, strict=True):
        torch.testing.assert_close(one.running_mean, other.running_mean)


def test_d_sees_codes_and_draws_through_noise_while_it_learns() -> None:
    discriminator = family(noise=0.3).networks["discriminator_z"]
    code, nothing = torch.zeros(4000, 2), torch.zeros(4000, 0)
    seen: list[Tensor] = []
    discriminator.layers.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    discriminator(code, nothing)
    assert seen[0].std().item() == pytest.approx(0.3, rel=0.05)


def test_an_unlabelled_image_has_a_class_of_its_own_for_d_and_none_for_the_decoder() -> None:
    labels = torch.tensor([0, 2, -1])
    assert one_hot_or_unknown(labels, 3).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert one_hot(labels, 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_a_label_aware_d_sees_draws_of_the_part_of_that_class() -> None:
    model, seen = family(prior="mixture", label_aware=True, noise=0, components=10), []
    model.networks["discriminator_z"].register_forward_hook(lambda _, inputs, __: seen.append(inputs))
    step(model, batch([0, 1, 2, 0, 1, 2, -1, -1]))
    draws, told = seen[0]
    assert torch.equal(told.argmax(1), torch.tensor([0, 1, 2, 0, 1, 2, 3, 3]))
    angle = torch.arange(3) * 2 * torch.pi / 3  # as many components as classes
    for row, part in enumerate([0, 1, 2, 0, 1, 2]):
        across = -angle[part].sin() * draws[row, 0] + angle[part].cos() * draws[row, 1]
        assert across.abs().item() < 0.25  # five deviations


def test_a_head_is_a_column_of_w_c_and_without_w_c_the_code_is_z() -> None:
    model = family(use="reduction", from_labels=False)
    decoder, z = model.decoder, torch.randn(4, 2, generator=rng())
    assert decoder.heads is not None
    assert torch.equal(decoder.joined(torch.eye(4), torch.zeros(4, 2)), decoder.heads)
    nn.init.zeros_(decoder.heads)
    assert torch.equal(decoder.joined(torch.eye(4), z), z)
    plain = Decoder(Shape(CLASSES, 32, 1), 20, 0, 2, added=False)
    plain.load_state_dict({k: v for k, v in decoder.state_dict().items() if k != "heads"})
    assert torch.equal(plain(plain.joined(torch.zeros(4, 0), z)), decoder(decoder.joined(torch.eye(4), z)))


def test_heads_that_are_too_near_are_pushed_apart_in_proportion() -> None:
    decoder = Decoder(Shape(CLASSES, 32, 1), 4, 3, 2, added=True)
    assert decoder.heads is not None
    with torch.no_grad():
        decoder.heads.copy_(torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 9.0]]))
    near = decoder.closeness(4.0)
    assert near.item() == pytest.approx(1)  # of one pair of three
    near.backward()
    assert decoder.heads.grad is not None
    assert decoder.heads.grad[:2].flatten().tolist() == pytest.approx([1, 0, -1, 0])
    nn.init.zeros_(decoder.heads)
    same = decoder.closeness(4.0)
    same.backward()
    assert same.item() == pytest.approx(12, rel=1e-5)
    assert decoder.heads.grad.isfinite().all()
    assert family(use="clustering").decoder.closeness(4.0) == 0


def test_a_step_pushes_heads_apart_that_are_too_near() -> None:
    """The last layer passes nothing on, so that no image moves them."""
    for distance in (4.0, 0.0):
        model = family(use="reduction", head_distance=distance)
        heads = model.decoder.heads
        assert heads is not None
        nn.init.zeros_(model.decoder.layers[-1].weight)
        with torch.no_grad():
            heads.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 9.0]]))
        step(model)
        apart = (heads[1] - heads[0]).norm().item()
        assert apart == pytest.approx(1.002 if distance else 1)  # each by Adam's first step, lr


@pytest.mark.parametrize("use", ["unsupervised", "clustering", "reduction"])
def test_an_image_drawn_again_is_what_is_generated_from_its_code(use: str) -> None:
    model = family(use=use)
    step(model)
    assert isinstance(model, Reconstructs)
    again = model.generate(model.encode(images()), batch().given)
    torch.testing.assert_close(model.reconstruct(images(), rng()), again)


def test_where_a_class_is_asked_for_the_code_is_z_alone() -> None:
    for use in ("style", "semi_supervised"):
        model = family(use=use, latent=6)
        assert model.encode(images()).shape == model.latent(BATCH, rng()).shape == (BATCH, 6)
    assert family(use="clustering", latent=6).latent(5, rng()).shape == (5, 10)
    assert family(use="reduction").latent(5, rng()).shape == (5, 2)


def test_a_latent_of_clusters_begins_with_one_of_them_as_likely_as_another() -> None:
    y = family(use="clustering").latent(4000, rng())[:, :4]
    assert set(y.unique().tolist()) == {0, 1}
    torch.testing.assert_close(y.mean(0), torch.full((4,), 0.25), rtol=0, atol=0.03)


def test_the_class_is_learnt_by_the_encoder_from_labelled_images_alone() -> None:
    model = family(use="semi_supervised", class_lr=0.01)
    assert isinstance(model, NamingAAE)
    others = {name: weights(network) for name, network in model.networks.items() if name != "encoder"}
    first = model.class_step(batch())
    for _ in range(30):
        last = model.class_step(batch())
    assert last < first / 4
    assert all(torch.equal(weights(model.networks[name]), before) for name, before in others.items())
    assert torch.equal(model.class_logits(images()).argmax(1), batch().given.labels)


def test_a_plane_is_shown_at_its_percentiles() -> None:
    model, seen = family(), []
    model.decoder.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    (sheet,) = model.demonstrate(images(), ["a", "b", "c"], rng())
    assert sheet.images.shape[:2] == (12, 12)
    assert torch.equal(seen[0], grid(12).flatten(0, 1))
    assert seen[0][:12, 0].tolist() == pytest.approx(percentiles(12).tolist())


def test_along_a_row_of_styles_the_class_changes_and_nothing_else() -> None:
    model, seen = family(use="style", latent=5), []
    model.decoder.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].unflatten(0, (10, 3))))
    (sheet,) = model.demonstrate(images(), ["a", "b", "c"], rng())
    assert sheet.columns == ["a", "b", "c"]
    assert torch.equal(seen[0][:, :, :3], torch.eye(3).expand(10, 3, 3))
    assert torch.equal(seen[0][:, :1, 3:].expand(10, 3, 5), seen[0][:, :, 3:])
    assert len(seen[0][:, 0, 3:].unique(dim=0)) == 10


def test_beside_a_head_stand_its_surest_members() -> None:
    model, real = family(use="clustering"), images(30)
    (sheet,) = model.demonstrate(real, ["a", "b", "c"], rng())
    sure = model.coded(real)[0].softmax(1)
    for cluster, row in enumerate(sheet.images):
        own = (sure.argmax(1) == cluster).nonzero()[:, 0].tolist()
        expected = sorted(own, key=lambda n, cluster=cluster: -sure[n, cluster].item())[:10]
        assert torch.equal(row[1 : 1 + len(expected)], real[expected])
        assert (row[1 + len(expected) :] == 1).all()
    code = torch.cat([torch.eye(4), torch.zeros(4, 2)], 1)
    assert torch.equal(sheet.images[:, 0], model.generate(code, Given(torch.full((4,), -1))))


def test_priors_in_a_plane_and_labels_for_d_are_refused_where_they_have_no_place() -> None:
    for wrong, message in (
        ({"prior": "mixture", "latent": 3}, "latent: 2"),
        ({"prior": "swiss_roll", "use": "style"}, "use: unsupervised"),
        ({"label_aware": True}, "a part for each class"),
    ):
        with pytest.raises(ValidationError, match=message):
            AaeConfig.model_validate(wrong)


def test_dropout_blackens_pixels_of_the_encoder_alone() -> None:
    """A dropped pixel is 0 in [0, 1], and the others are scaled."""
    encoder = family(input_dropout=0.5).encoder
    assert isinstance(encoder, Encoder)
    seen: list[Tensor] = []
    encoder.hidden.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    encoder(torch.ones(4, 1, 32, 32))
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}
    encoder.eval()(torch.ones(4, 1, 32, 32))
    assert set(seen[1].unique().tolist()) == {1.0}
