"""What every family must fulfil, whatever its paper."""

import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from every_family import (
    BATCH,
    BY_CAPTION,
    BY_PIXELS,
    CAPTIONS,
    CONFIGS,
    all_it_can_do,
    batch,
    given,
    make,
    make_quick,
    step,
)
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

import centigan.bounded
import centigan.settings.families
from centigan.errors import UserError
from centigan.families import build
from centigan.settings.families import FAMILIES
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.training import TrainSettings
from centigan.training.averaging import Averages
from centigan.training.checkpoint import Checkpoint, Checkpoints, family_tensors
from centigan.training.engine import autocast
from centigan.types import (
    Batch,
    BinaryLikelihood,
    Classifies,
    Clusters,
    Decodes,
    Demonstrates,
    DemonstratesCaptions,
    DemonstratesClasses,
    Discriminates,
    Encodes,
    Family,
    Given,
    Latent,
    Likelihood,
    Matches,
    Noisy,
    Primes,
    Reconstructs,
    Represents,
    Sheet,
    Starts,
    TellsDensity,
)

PROTOCOLS = {
    "latent": Latent,
    "decodes": Decodes,
    "encodes": Encodes,
    "reconstructs": Reconstructs,
    "likelihood": Likelihood,
    "binary_likelihood": BinaryLikelihood,
    "noisy": Noisy,
    "classifies": Classifies,
    "clusters": Clusters,
    "represents": Represents,
    "discriminates": Discriminates,
    "density": TellsDensity,
    "matches": Matches,
    "demonstrates": Demonstrates | DemonstratesCaptions,
}


class OnMetaAlone(TorchDispatchMode):
    """Refuses operations on tensors of another device, apart from scalars such as Adam's count of steps."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for value in tree_leaves([args, kwargs, result]):
            assert not isinstance(value, torch.Tensor) or not value.ndim or value.is_meta, operation
        return result


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A density by a hundred draws is what it is by two, but for its value."""
    monkeypatch.setattr(centigan.bounded, "DRAWS", 2)


def test_the_table_lists_every_file_of_the_room() -> None:
    files = {module.name for module in pkgutil.iter_modules(centigan.families.__path__)}
    settings = {module.name for module in pkgutil.iter_modules(centigan.settings.families.__path__)}
    of_configs = {config.family for config in CONFIGS.values()}
    assert set(FAMILIES) == files == of_configs == settings - {"contract"}
    assert {name: kind(family=name).implementation.split(".")[0] for name, kind in FAMILIES.items()} == {
        name: name for name in files
    }


@pytest.mark.parametrize("name", CONFIGS)
def test_a_step_returns_finite_named_losses_and_moves_every_network(name: str) -> None:
    family = make(name)
    assert isinstance(family, Family)
    before = {n: [p.clone() for p in net.parameters()] for n, net in family.networks.items()}
    losses = step(family, 1)
    assert losses
    assert all(value.ndim == 0 and value.isfinite() and not value.requires_grad for value in losses.values())
    for network, old in before.items():
        new = list(family.networks[network].parameters())
        assert not all(map(torch.equal, old, new)), f"{network} did not move"


@pytest.mark.parametrize("name", CONFIGS)
def test_samples_have_shape_and_range_and_follow_the_seed(name: str) -> None:
    family, labels = make(name), given(0, 1, 2, 0)
    first = family.sample(labels, torch.Generator().manual_seed(7))
    again = family.sample(labels, torch.Generator().manual_seed(7))
    other = family.sample(labels, torch.Generator().manual_seed(8))
    assert first.shape == (4, 3, 32, 32)
    assert first.abs().max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_sample_is_what_is_generated_from_a_latent(name: str) -> None:
    family, labels = make_quick(name), given(0, 1, 2)
    latent = family.latent(3, torch.Generator().manual_seed(7))
    sampled = family.sample(labels, torch.Generator().manual_seed(7))
    assert torch.equal(family.generate(latent, labels), sampled)


@pytest.mark.parametrize("name", CONFIGS)
def test_sampling_between_steps_does_not_change_training(name: str) -> None:
    plain, sampled = make(name), make(name)
    step(plain, 1)
    step(sampled, 1)
    sampled.sample(given(0), torch.Generator().manual_seed(3))
    step(plain, 2)
    step(sampled, 2)
    assert_equal(plain, sampled)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_checkpoint_continues_to_the_same_bits(name: str, tmp_path: Path) -> None:
    straight = make(name)
    step(straight, 1)
    checkpoints = Checkpoints(tmp_path, identity={}, settings=TrainSettings(iterations=2, log_every=1))
    checkpoints.save(straight, Averages(straight, None), Checkpoint(1, {}))
    resumed = make(name)
    assert checkpoints.resume(resumed, Averages(resumed, None)).iteration == 1
    step(straight, 2)
    step(resumed, 2)
    assert_equal(straight, resumed)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_batch_may_hold_images_without_label(name: str) -> None:
    family, real = make(name), batch(1, CONFIGS[name].batches)
    labels = real.given.labels.clone()
    labels[1:3] = -1
    losses = family.step(real._replace(given=given(*labels)), torch.Generator().manual_seed(0))
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize("name", CONFIGS)
def test_the_sampled_networks_alone_decide_the_samples(name: str) -> None:
    family, labels = make_quick(name), given(0, 1)
    assert set(family.sampled) <= family.networks.keys()
    before = family.sample(labels, torch.Generator().manual_seed(0))
    for other in family.networks.keys() - set(family.sampled):
        for parameter in family.networks[other].parameters():
            parameter.data.zero_()
    assert torch.equal(family.sample(labels, torch.Generator().manual_seed(0)), before)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_class_decides_the_image_where_a_family_says_so_and_nowhere_else(name: str) -> None:
    family = make_quick(name)
    asked = (Given(torch.tensor([label]), CAPTIONS[:1]) for label in (0, 1))
    images = [family.sample(each, torch.Generator().manual_seed(0)) for each in asked]
    assert torch.equal(*images) != ("by_class" in CONFIGS[name].abilities)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_caption_decides_the_image_where_a_family_says_so_and_nowhere_else(name: str) -> None:
    family, labels = make(name), torch.tensor([0])
    images = [
        family.sample(Given(labels, caption), torch.Generator().manual_seed(0))
        for caption in CAPTIONS[:2].split(1)
    ]
    assert torch.equal(*images) != ("by_caption" in CONFIGS[name].abilities)


@pytest.mark.parametrize("name", BY_CAPTION)
def test_a_family_by_caption_says_what_it_lacks(name: str) -> None:
    with pytest.raises(UserError, match="captions"):
        build(CONFIGS[name], classes=3, resolution=32, rng=torch.Generator())
    family, rng = make(name), torch.Generator().manual_seed(0)
    without = Given(torch.tensor([0, 1, 2, 0]))
    with pytest.raises(UserError, match="was handed none"):
        family.sample(without, rng)
    with pytest.raises(UserError, match="was handed none"):
        family.step(batch(1)._replace(given=without), rng)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_family_can_do_what_it_says_and_says_what_it_can_do(name: str) -> None:
    family, images = make(name), batch(1).images
    can = {ability for ability, protocol in PROTOCOLS.items() if isinstance(family, protocol)}
    assert can == CONFIGS[name].abilities - {"by_class", "by_caption"}
    if isinstance(family, Encodes):
        assert family.encode(images).shape == family.latent(len(images), torch.Generator()).shape
    if isinstance(family, Decodes):
        z = family.latent(4, torch.Generator().manual_seed(0)).requires_grad_()
        decoded = family.decode(z)
        of_classes = given(0, 1, 2, 0)
        shown = family.generate(z.detach(), of_classes)
        torch.testing.assert_close(decoded.clamp(-1, 1), shown, rtol=0, atol=0.01)  # but for bins' middles
        (gradient,) = torch.autograd.grad(decoded.sum(), z)
        assert gradient.abs().sum(1).all()
    if isinstance(family, Reconstructs):
        again = family.reconstruct(images, torch.Generator().manual_seed(0))
        assert again.shape == images.shape
        assert again.abs().max() <= 1
    if isinstance(family, Clusters):
        assert family.cluster_logits(images).shape[:1] == images.shape[:1]
    if isinstance(family, Represents):
        assert family.represent(images).ndim == 2
        torch.testing.assert_close(family.represent(images[:1]), family.represent(images)[:1])
    if isinstance(family, Discriminates):
        assert family.realness(images).shape == images.shape[:1]
    if isinstance(family, TellsDensity):
        told = family.log_density(images, torch.Generator().manual_seed(0))
        assert told.shape == images.shape[:1]
        assert told.isfinite().all()
    if isinstance(family, Matches):
        told = family.matches(images, CAPTIONS)
        assert told.shape == images.shape[:1]
        torch.testing.assert_close(family.matches(images[:1], CAPTIONS[:1]), told[:1])
    if isinstance(family, Demonstrates | DemonstratesCaptions):
        sheets, rng = list[Sheet](), torch.Generator().manual_seed(0)
        if isinstance(family, Demonstrates):
            sheets += family.demonstrate(images, ["a", "b", "c"], rng)
        if isinstance(family, DemonstratesCaptions):
            sheets += family.demonstrate_captions(images, CAPTIONS, ["a", "b", "c", "d"], rng)
        if isinstance(family, DemonstratesClasses):
            sheets += family.demonstrate_classes(images, torch.tensor([0, 1, 2, 0]), ["a", "b", "c"])
        assert sheets
        assert len({sheet.name for sheet in sheets}) == len(sheets)
        for sheet in sheets:
            assert re.fullmatch("[a-z0-9_]+", sheet.name)
            assert sheet.images.shape[2] == images.shape[1]
            times = sheet.images.shape[3] // images.shape[2]  # a sheet may be enlarged
            assert sheet.images.shape[3:] == (times * images.shape[2], times * images.shape[3])
            assert len(sheet.rows) in (0, len(sheet.images))
            assert len(sheet.columns) in (0, sheet.images.shape[1])
    if isinstance(family, Classifies):
        before, drawn = (
            family.class_logits(images),
            family.sample(batch(1).given, torch.Generator().manual_seed(0)),
        )
        assert before.shape == (len(images), 3)
        assert family.class_step(batch(1)).isfinite()
        assert not torch.equal(family.class_logits(images), before)
        assert torch.equal(family.sample(batch(1).given, torch.Generator().manual_seed(0)), drawn)


@pytest.mark.parametrize(
    "name", [name for name, config in CONFIGS.items() if "likelihood" in config.abilities]
)
def test_the_likelihood_of_a_batch_is_that_of_its_images_one_by_one(name: str) -> None:
    family, images = make(name), batch(1).images
    assert isinstance(family, Likelihood)
    step(family, 1)
    together = family.log_likelihood(images, torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(0)
    apart = torch.cat([family.log_likelihood(image, rng) for image in images.split(1)])
    assert together.shape == (4,)
    torch.testing.assert_close(together, apart, rtol=0.05, atol=0)  # each draws noise of its own
    assert (together < 0).all()  # of bytes, a probability


@pytest.mark.parametrize(
    "name", [name for name, config in CONFIGS.items() if "binary_likelihood" in config.abilities]
)
def test_the_likelihood_of_binarised_images_is_that_of_each(name: str) -> None:
    family, images = make(name), torch.where(batch(1).images < 0, -1.0, 1.0)
    assert isinstance(family, BinaryLikelihood)
    step(family, 1)
    for tell in (family.binary_log_likelihood, family.binary_log_weight):
        together = tell(images, torch.Generator().manual_seed(0))
        rng = torch.Generator().manual_seed(0)
        apart = torch.cat([tell(image, rng) for image in images.split(1)])
        assert together.shape == (4,)
        torch.testing.assert_close(together, apart, rtol=0.05, atol=0)  # each draws noise of its own
        assert (together < 0).all()


@pytest.mark.parametrize("name", CONFIGS)
def test_an_image_is_the_same_whatever_is_drawn_beside_it(name: str) -> None:
    family = make_quick(name)
    latent = family.latent(3, torch.Generator().manual_seed(7))
    together = family.generate(latent, given(0, 1, 2))
    apart = [family.generate(z, given(c)) for c, z in enumerate(latent.split(1))]
    torch.testing.assert_close(together, torch.cat(apart), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_grey_images_have_one_channel(name: str) -> None:
    rng = torch.Generator().manual_seed(0)
    family = make(name, channels=1)
    real = batch(1, CONFIGS[name].batches)
    assert real.labelled is not None
    known = real.labelled._replace(images=real.labelled.images[:, :1])
    grey = real._replace(images=real.images[:, :1], labelled=known)
    assert all(value.isfinite() for value in family.step(grey, rng).values())
    assert family.sample(given(0, 1), rng).shape == (2, 1, 32, 32)


OF_POINTS = [name for name, config in CONFIGS.items() if "points" in config.learns]


@pytest.mark.parametrize(
    ("dimensions", "name"),
    [(d, name) for d in (1, 2) for name in OF_POINTS if d == 2 or not CONFIGS[name].needs_a_plane],
)
def test_points_are_learnt_and_drawn_where_a_family_says_so(name: str, dimensions: int) -> None:
    rng = torch.Generator().manual_seed(0)
    family = build(CONFIGS[name], classes=3, resolution=0, dimensions=dimensions, rng=rng)
    count = BATCH * CONFIGS[name].batches
    points = torch.randn(count, dimensions, generator=rng)
    real = Batch(points, Given(torch.randint(3, (count,), generator=rng)), torch.tensor(1))
    known = real._replace(images=points[:BATCH], given=Given(real.given.labels[:BATCH]))
    if isinstance(family, Primes):
        family.prime(real, rng)
    losses = family.step(real._replace(labelled=known), rng)
    assert all(value.isfinite() for value in losses.values())
    wanted, latent = Given(torch.tensor([0, 1, 2])), family.latent(3, rng)
    drawn = family.generate(latent, wanted)
    assert drawn.shape == (3, dimensions)
    torch.testing.assert_close(drawn[:1], family.generate(latent[:1], Given(torch.tensor([0]))))
    if isinstance(family, Discriminates):
        assert family.realness(points).shape == (count,)
    if isinstance(family, Encodes):
        assert family.encode(points).shape == (count, latent.shape[1])
    if isinstance(family, Reconstructs):
        assert family.reconstruct(points, rng).shape == points.shape
    if isinstance(family, TellsDensity):
        assert family.log_density(points, rng).shape == (count,)


@pytest.mark.parametrize("name", [name for name in OF_POINTS if CONFIGS[name].needs_a_plane])
def test_couplings_of_points_on_a_line_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="points on a line have one"):
        build(CONFIGS[name], classes=1, resolution=0, dimensions=1, rng=torch.Generator())


@pytest.mark.parametrize("name", CONFIGS)
def test_the_journal_has_what_the_figure_of_the_training_shows(name: str) -> None:
    shown = {key for curves in CONFIGS[name].curves.values() for key in curves}
    assert shown <= step(make(name), 1).keys()


@pytest.mark.parametrize("name", [name for name, config in CONFIGS.items() if 8 in config.resolutions])
def test_a_family_of_small_images_draws_them_in_their_levels(name: str) -> None:
    """Levels are coarse: 17 of a pixel cost fewer bits than 256 would."""
    stored = torch.randint(17, (BATCH, 1, 8, 8), generator=torch.Generator().manual_seed(0)) / 8 - 1
    batch, nats = Batch(stored, Given(torch.zeros(BATCH).long()), torch.tensor(1)), []
    for levels in (17, 256):
        rng = torch.Generator().manual_seed(0)
        family = build(CONFIGS[name], classes=3, resolution=8, channels=1, levels=levels, rng=rng)
        if isinstance(family, Primes):
            family.prime(batch, rng)
        family.step(batch, rng)
        assert family.sample(Given(torch.tensor([0, 1])), rng).shape == (2, 1, 8, 8)
        if isinstance(family, Likelihood):
            nats.append(family.log_likelihood(stored, rng).mean())
    assert not nats or nats[0] > nats[1] + 64


@pytest.mark.parametrize(
    ("resolution", "name"),
    [
        (resolution, name)
        for name, config in CONFIGS.items()
        for resolution in sorted(config.resolutions - {8})
        if name not in BY_PIXELS
    ],
)
def test_every_resolution_of_the_arrays_can_be_drawn(name: str, resolution: int) -> None:
    family = make(name, resolution)
    images = family.sample(given(0, 1), torch.Generator().manual_seed(0))
    assert images.shape == (2, 3, resolution, resolution)


@pytest.mark.parametrize("name", [name for name, config in CONFIGS.items() if 48 in config.resolutions])
def test_a_side_that_is_no_power_of_two_is_learnt_and_asked_of(name: str) -> None:
    """48, 24, 12 and 6 pixels."""
    family, rng = make(name, 48), torch.Generator().manual_seed(0)
    real = batch(1, CONFIGS[name].batches)
    real = real._replace(images=F.interpolate(real.images, (48, 48)))
    if isinstance(family, Primes):
        family.prime(real, rng)
    assert all(value.isfinite() for value in family.step(real, rng).values())
    if name not in BY_PIXELS:
        made = all_it_can_do(family, real.images[:BATCH], given(0, 1, 2, 0), rng)
        assert {len(each) for each in made.values()} == {BATCH}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_step_leaves_no_tensor_on_the_cpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, which has shapes and no values: what a GPU would refuse is refused here."""
    family, rng = make_on_meta(name, monkeypatch)
    real = tree_map_only(torch.Tensor, lambda tensor: tensor.to("meta"), batch(1, CONFIGS[name].batches))
    with OnMetaAlone():
        assert family.step(real, rng)
    states = (
        value
        for each in family.optimizers.values()
        for state in each.state.values()
        for value in state.values()
    )
    assert {value.device.type for value in states if value.ndim} == {"meta"}


@pytest.mark.parametrize("name", CONFIGS)
def test_nothing_a_family_can_do_leaves_a_tensor_on_the_cpu(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = 4 if name in BY_PIXELS else 32
    family, rng = make_on_meta(name, monkeypatch, side)
    images = batch(1).images[..., :side, :side].to("meta")
    wanted = Given(*(each.to("meta") for each in given(0, 1, 2, 0)))
    with OnMetaAlone():
        made = all_it_can_do(family, images, wanted, rng)
    assert {each.device.type for each in made.values()} == {"meta"}
    assert {len(each) for each in made.values()} == {BATCH}


def make_on_meta(
    name: str, monkeypatch: pytest.MonkeyPatch, resolution: int = 32
) -> tuple[Family, SimpleNamespace]:
    """A family whose networks and optimisers are there, and what stands for a generator of random numbers."""
    family, moved = make(name, resolution), {}  # by identity: on meta they are other parameters
    for network in family.networks.values():
        before = list(network.parameters())
        moved |= dict(zip(before, network.to("meta").parameters(), strict=True))
    for optimizer in family.optimizers.values():
        for group in optimizer.param_groups:
            group["params"] = [moved[parameter] for parameter in group["params"]]
            group["fused"] = False  # not made for meta
    draws = {draw: getattr(torch, draw) for draw in ("rand", "randn", "randint")}
    for draw, real in draws.items():  # there is no generator of meta
        monkeypatch.setattr(torch, draw, lambda *sizes, generator, real=real, **rest: real(*sizes, **rest))
    return family, SimpleNamespace(device=torch.device("meta"))


def assert_equal(one: Family, other: Family) -> None:
    a, b = family_tensors(one), family_tensors(other)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_acgan_asks_the_discriminator_as_it_is_after_its_update() -> None:
    """In bfloat16 too: autocast keeps no cast weights from before the update."""
    config = AcganConfig(width=0.1, activation_noise=0, discriminator_lr=0.05)
    family = build(config, classes=3, resolution=32, rng=torch.Generator().manual_seed(0))
    discriminator = family.networks["discriminator"].eval()  # no dropout, so that it answers alike
    calls: list[tuple[torch.Tensor, torch.Tensor]] = []
    discriminator.register_forward_hook(lambda _, x, y: calls.append((x[0].detach(), y[0].detach())))
    with autocast(torch.device("cpu"), torch.bfloat16):
        family.step(batch(1), torch.Generator().manual_seed(1))
        images, judged = calls[2]
        with torch.no_grad():
            assert torch.equal(discriminator(images)[0], judged)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_drawn_is_of_the_average_while_that_is_in_place(name: str) -> None:
    family = make_quick(name)
    averages = Averages(family, 0.5)
    for network in averages.networks.values():
        for parameter in network.parameters():
            parameter.data.mul_(1.5).add_(0.1)

    def told() -> torch.Tensor:
        """What is drawn; of a family whose generator rests, what is drawn with its noise, or its codes."""
        rng = torch.Generator().manual_seed(0)
        if not isinstance(family, Starts):
            return family.sample(given(0, 1), rng)
        return family.sample_noisy(given(0, 1), rng) if isinstance(family, Noisy) else family.encode(real)

    real = batch(1).images
    trained = told()
    with averages.in_place():
        assert not torch.equal(told(), trained)
    assert torch.equal(told(), trained)


ADVERSARIES = [  # whose `realness` of an image alone is what D and G are moved by
    name
    for name, config in CONFIGS.items()
    if "discriminates" in config.abilities
    and config.family not in {"bigan", "improved", "vae_gan"}
    and name != "gan"  # whose D begins with weights of .005: logits of 1e-6, lost in rounding
]


@pytest.mark.parametrize("name", ADVERSARIES)
def test_d_moves_to_tell_real_from_generated_and_g_to_be_taken_for_real(name: str) -> None:
    """With the other at rest: D says more of the same real images than of samples, then G's rise."""
    family = make(name)
    images, labels = batch(1).images, Given(torch.tensor([0, 1, 2, 0]))

    def told() -> tuple[float, float]:
        samples = family.sample(labels, torch.Generator().manual_seed(0))
        return family.realness(images).mean().item(), family.realness(samples).mean().item()

    def move(*moved: str) -> None:
        rates = {name: [group["lr"] for group in of.param_groups] for name, of in family.optimizers.items()}
        for name, of in family.optimizers.items():
            for group in of.param_groups:
                group["lr"] = 2e-3 if name in moved else 0.0
                group.pop("initial_lr", None)  # of a schedule
        for seed in range(1, 25):
            torch.manual_seed(seed)
            real = batch(1, family.config.batches)
            known = real._replace(images=images.repeat(family.config.batches, 1, 1, 1))
            family.step(known, torch.Generator().manual_seed(seed))
        for name, of in family.optimizers.items():
            for group, rate in zip(of.param_groups, rates[name], strict=True):
                group["lr"] = rate

    critics = {"discriminator", "critic"} & family.optimizers.keys()
    before = told()
    move(*critics)
    after = told()
    assert after[0] - after[1] > before[0] - before[1]
    move(*(family.optimizers.keys() - critics))
    assert told()[1] > after[1]
