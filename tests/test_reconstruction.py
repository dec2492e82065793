"""Real images drawn again, and walks between them."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from small import TRAIN

from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts, read_manifest
from centigan.metrics.reconstruction import right_over_wrong
from centigan.reconstruction import reconstruct_split
from centigan.settings.stages import ReconstructStage, TrainStage
from centigan.training.loop import train_split

CPU = torch.device("cpu")
MODEL = {"family": "vae", "width": 0.05, "latent": 4}
VAE = TrainStage.model_validate({"model": MODEL, "train": TRAIN.train.model_dump()})


def stage(**settings: int) -> ReconstructStage:
    return ReconstructStage.model_validate(
        {"model": MODEL, "reconstructions": {"walks": 3, "steps": 5} | settings}
    )


def drawn(layout: Layout, **settings: int) -> dict[str, np.ndarray]:
    reconstruct_split(layout, "00", stage(**settings), device=CPU)
    return load_file(layout.reconstructions("00") / "images.safetensors")


@pytest.fixture
def trained(layout: Layout) -> Layout:
    train_split(layout, "00", VAE, device=CPU)
    return layout


def test_what_is_drawn_exactly_is_at_0_and_what_is_the_same_for_all_at_1() -> None:
    images = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert right_over_wrong(images, images) == pytest.approx(0, abs=1e-3)
    assert right_over_wrong(images, images[:1].expand(5, -1, -1, -1)) == pytest.approx(1, abs=1e-6)
    assert right_over_wrong(images, images.roll(1, 0)) > 1  # each drawn as its neighbour


def test_the_right_distance_over_the_wrong_one_by_hand() -> None:
    """Of one pixel: right 0 to 1 and 7 to 5, wrong 0 to 5 and 7 to 1."""
    images, again = torch.tensor([0.0, 7.0]), torch.tensor([1.0, 5.0])
    assert right_over_wrong(images[:, None], again[:, None]) == pytest.approx((1 + 2) / (5 + 6))


def test_the_file_holds_held_out_images_those_drawn_again_and_walks_between_them(trained: Layout) -> None:
    tensors = drawn(trained)
    assert {name: array.shape for name, array in tensors.items()} == {
        "images": (4, 32, 32, 3),
        "reconstructed": (4, 32, 32, 3),
        "walks": (3, 5, 32, 32, 3),
        "ends": (3, 2),
    }
    held_out = np.load(trained.arrays("00") / "held_out_images.npy")
    assert np.array_equal(tensors["images"], at_training_size(held_out, 32))
    for walk, ends in zip(tensors["walks"], tensors["ends"], strict=True):
        assert ends[0] != ends[1]
        for image, end in zip(walk[[0, -1]], ends, strict=True):  # of a larger batch: a level apart at most
            assert np.abs(image.astype(int) - tensors["reconstructed"][end]).max() <= 1
    folder = trained.reconstructions("00")
    facts = read_facts(folder)
    assert facts["classes"] == ["cat", "dog"]
    assert 0 < facts["right_over_wrong"] < 1.1
    assert read_manifest(folder)["settings"]["reconstructions"]["steps"] == 5


def test_the_ends_follow_the_seed_and_nothing_else_changes(trained: Layout) -> None:
    first, again, other = drawn(trained), drawn(trained), drawn(trained, seed=1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["ends"], other["ends"])
    assert np.array_equal(first["reconstructed"], other["reconstructed"])


def test_fewer_images_are_taken_evenly_from_the_list(trained: Layout) -> None:
    assert np.array_equal(drawn(trained, images=2)["images"], drawn(trained)["images"][[0, 3]])


def test_a_family_that_draws_no_image_again_is_named(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    own = stage().model_copy(update={"model": TRAIN.model})
    with pytest.raises(UserError, match="split 00: AC-GAN draws no image again"):
        reconstruct_split(layout, "00", own, device=CPU)
