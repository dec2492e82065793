"""What every family must fulfil, whatever its paper."""

import pkgutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import centigan.families
import centigan.settings.families
from centigan.families import build
from centigan.settings.families import FAMILIES
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.families.cgan import CganConfig
from centigan.settings.training import TrainSettings
from centigan.training.averaging import Averages
from centigan.training.checkpoint import Checkpoint, Checkpoints, family_tensors
from centigan.training.engine import autocast
from centigan.types import Batch, Family, to_network

CONFIGS = {"acgan": AcganConfig(width=0.1), "cgan": CganConfig(width=0.05)}


class OnMetaAlone(TorchDispatchMode):
    """Refuses operations on tensors of another device, apart from scalars such as Adam's count of steps."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for value in tree_leaves([args, kwargs, result]):
            assert not isinstance(value, torch.Tensor) or not value.ndim or value.is_meta, operation
        return result


def make(name: str) -> Family:
    return build(CONFIGS[name], classes=3, resolution=32, rng=torch.Generator().manual_seed(0))


def batch(seed: int) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (4, 32, 32, 3), generator=rng, dtype=torch.uint8)
    return Batch(to_network(images), torch.randint(3, (4,), generator=rng))


def step(family: Family, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return family.step(batch(seed), torch.Generator().manual_seed(seed))


def test_the_table_lists_every_file_of_the_room() -> None:
    files = {module.name for module in pkgutil.iter_modules(centigan.families.__path__)}
    settings = {module.name for module in pkgutil.iter_modules(centigan.settings.families.__path__)}
    assert set(FAMILIES) == files == set(CONFIGS) == settings - {"contract"}
    assert {name: kind(family=name).implementation.split(".")[0] for name, kind in FAMILIES.items()} == {
        name: name for name in files
    }


@pytest.mark.parametrize("name", FAMILIES)
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


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_have_shape_and_range_and_follow_the_seed(name: str) -> None:
    family, labels = make(name), torch.tensor([0, 1, 2, 0])
    first = family.sample(labels, torch.Generator().manual_seed(7))
    again = family.sample(labels, torch.Generator().manual_seed(7))
    other = family.sample(labels, torch.Generator().manual_seed(8))
    assert first.shape == (4, 3, 32, 32)
    assert first.abs().max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_sample_is_what_is_generated_from_a_latent(name: str) -> None:
    family, labels = make(name), torch.tensor([0, 1, 2])
    latent = family.latent(3, torch.Generator().manual_seed(7))
    sampled = family.sample(labels, torch.Generator().manual_seed(7))
    assert torch.equal(family.generate(latent, labels), sampled)


@pytest.mark.parametrize("name", FAMILIES)
def test_sampling_between_steps_does_not_change_training(name: str) -> None:
    plain, sampled = make(name), make(name)
    step(plain, 1)
    step(sampled, 1)
    sampled.sample(torch.tensor([0]), torch.Generator().manual_seed(3))
    step(plain, 2)
    step(sampled, 2)
    assert_equal(plain, sampled)


@pytest.mark.parametrize("name", FAMILIES)
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


@pytest.mark.parametrize("name", FAMILIES)
def test_a_batch_may_hold_images_without_label(name: str) -> None:
    family, images = make(name), batch(1).images
    losses = family.step(Batch(images, torch.tensor([0, -1, -1, 2])), torch.Generator().manual_seed(0))
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_sampled_networks_alone_decide_the_samples(name: str) -> None:
    family, labels = make(name), torch.tensor([0, 1])
    assert set(family.sampled) <= family.networks.keys()
    before = family.sample(labels, torch.Generator().manual_seed(0))
    for other in family.networks.keys() - set(family.sampled):
        for parameter in family.networks[other].parameters():
            parameter.data.zero_()
    assert torch.equal(family.sample(labels, torch.Generator().manual_seed(0)), before)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_class_decides_the_image(name: str) -> None:
    family = make(name)
    images = [family.sample(torch.tensor([c]), torch.Generator().manual_seed(0)) for c in range(2)]
    assert not torch.equal(*images)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_journal_has_what_the_figure_of_the_training_shows(name: str) -> None:
    shown = {key for curves in FAMILIES[name].panels.values() for key in curves}
    assert shown <= step(make(name), 1).keys()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_every_resolution_of_the_arrays_can_be_drawn(name: str, resolution: int) -> None:
    family = build(CONFIGS[name], classes=3, resolution=resolution, rng=torch.Generator().manual_seed(0))
    images = family.sample(torch.tensor([0, 1]), torch.Generator().manual_seed(0))
    assert images.shape == (2, 3, resolution, resolution)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_and_a_sample_leave_no_tensor_on_the_cpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, which has shapes and no values: what a GPU would refuse is refused here."""
    family, meta = make(name), torch.device("meta")
    moved = {}  # by identity: on meta they are other parameters
    for network in family.networks.values():
        before = list(network.parameters())
        moved |= dict(zip(before, network.to(meta).parameters(), strict=True))
    for optimizer in family.optimizers.values():
        for group in optimizer.param_groups:
            group["params"] = [moved[parameter] for parameter in group["params"]]
            group["fused"] = False  # not made for meta
    draws = {draw: getattr(torch, draw) for draw in ("rand", "randn", "randint")}
    for draw, real in draws.items():  # there is no generator of meta
        monkeypatch.setattr(torch, draw, lambda *sizes, generator, real=real, **rest: real(*sizes, **rest))
    rng, real = SimpleNamespace(device=meta), Batch(*(tensor.to(meta) for tensor in batch(1)))
    labels = torch.tensor([0, 1], device=meta)
    with OnMetaAlone():
        assert family.step(real, rng)
        assert family.sample(labels, rng).shape == (2, 3, 32, 32)
    states = (
        value
        for each in family.optimizers.values()
        for state in each.state.values()
        for value in state.values()
    )
    assert {value.device for value in states if value.ndim} == {meta}


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
