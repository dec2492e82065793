import json

import numpy as np
import pytest
import torch

from centigan.data.batches import Batches, Placement, labelled
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.seeds import counter_seed
from centigan.settings.training import SupervisionSettings
from centigan.types import UNLABELLED, to_network, to_uint8


def batches(layout: Layout, size: int, *, flips: bool = False, placement: Placement = "device") -> Batches:
    folder, device = layout.arrays("00"), torch.device("cpu")
    return Batches(
        folder, batch_size=size, seed=0, split="00", device=device, flips=flips, placement=placement
    )


def test_so_many_labels_of_each_class_are_kept_the_same_ones_each_time_and_others_by_another_seed() -> None:
    labels = torch.arange(3).repeat(20)
    few = SupervisionSettings(labelled_per_class=4)
    kept = labelled(labels, few, "00")
    known = kept != UNLABELLED
    assert labels[known].bincount().tolist() == [4, 4, 4]
    assert torch.equal(kept[known], labels[known])
    assert torch.equal(labelled(labels, few, "00"), kept)
    assert not torch.equal(labelled(labels, few.model_copy(update={"seed": 1}), "00"), kept)
    assert torch.equal(labelled(labels, SupervisionSettings(), "00"), labels)


def test_images_of_known_class_come_apart_with_their_labels_the_same_ones_for_an_iteration(
    layout: Layout,
) -> None:
    few, shown = SupervisionSettings(labelled_per_class=1), []
    for placement in ("device", "mapped"):
        source = Batches(
            layout.arrays("00"),
            batch_size=3,
            seed=0,
            split="00",
            device=torch.device("cpu"),
            supervision=few,
            labelled_apart=4,
            placement=placement,
        )
        shown += [source.at(7).labelled, source.at(8).labelled]
        every = to_network(torch.from_numpy(np.array(source.file)))[source.known]
        for image, label in zip(shown[-1].images, shown[-1].given.labels, strict=True):
            (row,) = (every == image).flatten(1).all(1).nonzero()[:, 0].tolist()
            assert source.labels[source.known[row]] == label
    seventh, eighth, seventh_mapped, _ = shown
    assert torch.equal(seventh.images, seventh_mapped.images)
    assert not torch.equal(seventh.images, eighth.images)
    assert batches(layout, 3).at(7).labelled is None


def test_more_labels_than_a_class_has_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"split 07: supervision.labelled_per_class is 3, and class 1 .* has 2"
    ):
        labelled(torch.tensor([0, 0, 0, 1, 1]), SupervisionSettings(labelled_per_class=3), "07")


def test_an_epoch_shows_every_image_once(layout: Layout) -> None:
    source = batches(layout, 5)
    seen = torch.cat([source.at(1).images, source.at(2).images]).flatten(1).sum(1)
    expected = to_network(source.images).flatten(1).sum(1)
    assert torch.equal(seen.sort().values, expected.sort().values)


def test_a_batch_may_span_epochs_and_exceed_the_data(layout: Layout) -> None:
    source = batches(layout, 7)
    rows = torch.cat([source._rows(iteration) for iteration in range(1, 11)])
    assert rows.bincount().tolist() == [7] * 10
    assert len(batches(layout, 25).at(3).given.labels) == 25


def without(layout: Layout, class_id: str) -> None:
    """Say that no model may see a class."""
    facts = layout.arrays("00") / "facts.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"unseen": [class_id]}))


@pytest.mark.parametrize("placement", ["device", "mapped"])
def test_an_epoch_shows_every_image_of_seen_classes_once_and_none_of_unseen_ones(
    layout: Layout, placement: Placement
) -> None:
    without(layout, "cat")
    source = batches(layout, 5, placement=placement)
    images = to_network(torch.from_numpy(np.array(source.file)))
    for iteration in (1, 2):
        batch = source.at(iteration)
        assert batch.given.labels.tolist() == [1] * 5
        there = {image.sum().item() for image in batch.images}
        assert there == {image.sum().item() for image in images[5:]}


def test_labels_of_unseen_classes_are_neither_needed_nor_shown(layout: Layout) -> None:
    without(layout, "dog")
    np.save(layout.arrays("00") / "labels.npy", np.array([0] * 9 + [1], np.int16))
    source = Batches(
        layout.arrays("00"),
        batch_size=3,
        seed=0,
        split="00",
        device=torch.device("cpu"),
        supervision=SupervisionSettings(labelled_per_class=4),  # of the unseen class there is one image
        labelled_apart=20,
    )
    assert len(source.known) == 4
    assert source.at(1).labelled.given.labels.tolist() == [0] * 20


def test_unseen_classes_alone_are_refused(layout: Layout) -> None:
    without(layout, "cat")
    np.save(layout.arrays("00") / "labels.npy", np.zeros(10, np.int16))
    with pytest.raises(UserError, match="images of unseen classes alone"):
        batches(layout, 2)


def test_any_batch_is_computed_without_history(layout: Layout) -> None:
    late, source = batches(layout, 4).at(9), batches(layout, 4)
    for iteration in range(1, 10):
        batch = source.at(iteration)
    assert torch.equal(batch.images, late.images)
    assert torch.equal(batch.given.labels, late.given.labels)


def test_images_and_labels_stay_together(layout: Layout) -> None:
    source = batches(layout, 10)
    batch = source.at(1)
    originals = {to_network(source.images[i : i + 1]).sum().item(): int(source.labels[i]) for i in range(10)}
    for image, label in zip(batch.images, batch.given.labels, strict=True):
        assert originals[image[None].sum().item()] == int(label)


def test_images_left_in_their_file_give_the_same_batches_in_any_order(layout: Layout) -> None:
    mapped, loaded = (batches(layout, 4, placement=where) for where in ("mapped", "device"))
    for iteration in (1, 2, 3, 7, 2, 3):  # ahead, back, and where the thread read ahead
        assert torch.equal(mapped.at(iteration).images, loaded.at(iteration).images)
        assert torch.equal(mapped.at(iteration).given.labels, loaded.at(iteration).given.labels)


def test_a_flip_mirrors_left_and_right_of_half_of_the_images(layout: Layout) -> None:
    plain, flipping = batches(layout, 10), batches(layout, 10, flips=True)
    mirrored = []
    for iteration in range(1, 41):
        for image, shown in zip(plain.at(iteration).images, flipping.at(iteration).images, strict=True):
            mirrored.append(not torch.equal(image, shown))
            assert torch.equal(shown, image.flip(2) if mirrored[-1] else image)
    assert 160 < sum(mirrored) < 240  # of 400: four standard deviations
    assert torch.equal(batches(layout, 10, flips=True).at(9).images, flipping.at(9).images)


@pytest.mark.parametrize("other", [(1, "00", "epoch", 0), (0, "01", "epoch", 0), (0, "00", "noise", 0)])
def test_seeds_differ_by_seed_split_and_purpose(other: tuple) -> None:
    assert counter_seed(*other) != counter_seed(0, "00", "epoch", 0)
    assert 0 <= counter_seed(*other) < 2**63


def test_uint8_survives_the_round_trip_to_the_network() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3)
    there = to_network(levels)
    assert there.min() == -1
    assert there.max() == 1
    assert np.array_equal(to_uint8(there).numpy(), levels.numpy())


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_finite_number_is_no_level(wrong: float) -> None:
    images = torch.zeros(2, 3, 4, 4)
    images[1, 2, 3, 0] = wrong
    with pytest.raises(UserError, match="the generator gives images of NaN or infinity"):
        to_uint8(images)


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
def test_a_damaged_array_is_named(layout: Layout, name: str) -> None:
    (layout.arrays("00") / name).write_bytes(b"damaged")
    with pytest.raises(UserError, match=f"00/{name} is damaged"):
        batches(layout, 4)
