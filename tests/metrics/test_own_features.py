"""A family's own features, of its trained networks and of those that its training began with."""

import numpy as np
import pytest
import torch

from centigan.families import build
from centigan.metrics import own_features
from centigan.metrics.own_features import CPU, represented, take_statistics, untrained
from centigan.seeds import counter_seed
from centigan.settings.families.dcgan import DcganConfig
from centigan.settings.families.improved import ImprovedConfig
from centigan.settings.training import TrainSettings
from centigan.types import Shape

MODEL = DcganConfig(width=0.05, discriminator_lr=2e-3)


def test_batch_norm_takes_the_mean_of_the_statistics_of_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_features, "CHUNK", 8)
    family = build(MODEL, classes=2, resolution=32, rng=torch.Generator().manual_seed(0))
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    first, second = family.discriminator.blocks[:2]
    with torch.no_grad():
        maps = [second[0](first(part)) for part in images.split(8)]
    take_statistics(family, images)
    means, variances = (torch.stack([of(m) for m in maps]).mean(0) for of in (mean, variance))
    torch.testing.assert_close(second[1].running_mean, means)
    torch.testing.assert_close(second[1].running_var, variances)
    kept = second[1].running_mean.clone()
    features = represented(family, images)
    assert torch.equal(second[1].running_mean, kept)  # what is measured changes nothing any more
    np.testing.assert_allclose(represented(family, images[:3]), features[:3], atol=1e-5)


def mean(maps: torch.Tensor) -> torch.Tensor:
    return maps.mean((0, 2, 3))


def variance(maps: torch.Tensor) -> torch.Tensor:
    return maps.var((0, 2, 3))


def test_a_family_begins_with_the_weights_that_its_training_drew_by_its_seed() -> None:
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    kept, other = (
        untrained(MODEL, TrainSettings(seed=seed), "00", Shape(2, 32), images, CPU).networks
        for seed in (0, 1)
    )
    drawn = build(
        MODEL, classes=2, resolution=32, rng=torch.Generator().manual_seed(counter_seed(0, "00", "weights"))
    ).networks
    for name, network in drawn.items():
        pairs = zip(network.parameters(), kept[name].parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
    weights = (networks["discriminator"].head.weight for networks in (kept, other))
    assert not torch.equal(*weights)


def test_what_begins_with_data_begins_with_training_images() -> None:
    """Weight normalisation takes lengths and biases from a first batch: of other images others."""
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    model, train = ImprovedConfig(width=0.05, net="dense"), TrainSettings(batch_size=4)
    one, same, other = (
        untrained(model, train, "00", Shape(2, 32), seen, CPU).represent(images)
        for seen in (images, images, images / 3)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)
