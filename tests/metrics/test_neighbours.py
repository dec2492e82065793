import json
from pathlib import Path

import numpy as np
import pytest
from both_parts import both_parts

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.memorisation import closer_than_held_out
from centigan.metrics.neighbours import Queries, by_ms_ssim, l1, measure, search
from centigan.settings.evaluation import NeighbourSettings
from centigan.similarity import ms_ssim

SIDE = 16
CLASSES = ["ape", "bee", "cow"]
SETTINGS = NeighbourSettings(per_class=4, ms_ssim_per_class=2, memory_mb=1)


def random_images(seed: int, count: int, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def queries_of(images: np.ndarray, labels: np.ndarray) -> Queries:
    return Queries("generated", images, np.arange(len(images)), labels)


def every_l1(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(x[:, None].astype(np.float64) - y[None].astype(np.float64)).mean((2, 3, 4))


def every_ms_ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([1 - ms_ssim(one[None].repeat(len(y), axis=0), y) for one in x])


@pytest.mark.parametrize("block", [1, 4, 7, 1000])
@pytest.mark.parametrize(("of", "every"), [(l1, every_l1), (by_ms_ssim, every_ms_ssim)])
def test_equal_to_every_distance_computed_whatever_the_blocks(of, every, block: int) -> None:
    x, y = random_images(0, 9), random_images(1, 31)
    of_x = np.arange(9) % 3
    of_y = np.random.default_rng(2).permutation(np.arange(31) % 3)  # classes need not stand together
    found = search(queries_of(x, of_x), y, of_y, of=of, block=block)
    distances = every(x, y)
    np.testing.assert_array_equal(found["split"].neighbour, distances.argmin(1))
    np.testing.assert_allclose(found["split"].distance, distances.min(1), atol=1e-6)
    own = np.where(of_x[:, None] == of_y, distances, np.inf)
    np.testing.assert_array_equal(found["class"].neighbour, own.argmin(1))
    np.testing.assert_allclose(found["class"].distance, own.min(1), atol=1e-6)


def test_l1_is_exact_at_the_greatest_distance_of_large_images() -> None:
    black, white = np.zeros((1, 256, 256, 3), np.uint8), np.full((1, 256, 256, 3), 255, np.uint8)
    white[0, 0, 0, 0] = 254  # 50135039 levels in all: float32 would round them
    found = search(queries_of(black, np.zeros(1, int)), white, np.zeros(1, int), of=l1, block=1)
    assert found["split"].distance[0] * white.size == pytest.approx(255 * white.size - 1, abs=1e-6)


@pytest.mark.parametrize("of", [l1, by_ms_ssim])
@pytest.mark.parametrize("block", [1, 2, 100])
def test_of_equals_the_lowest_row_is_the_neighbour(of, block: int) -> None:
    one, others = random_images(0, 1), random_images(1, 3)
    images = np.concatenate([others, one, one, one])
    labels = np.array([0, 0, 0, 1, 0, 0])  # the copy in row 3 is of another class
    found = search(queries_of(one, np.zeros(1, int)), images, labels, of=of, block=block)
    assert (found["split"].neighbour[0], found["split"].distance[0]) == (3, 0)
    assert (found["class"].neighbour[0], found["class"].distance[0]) == (4, 0)


def write(folder: Path, prefix: str, images: np.ndarray, labels: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{prefix}images.npy", images)
    np.save(folder / f"{prefix}labels.npy", np.array(labels, np.int16))
    (folder / "facts.json").write_text(json.dumps({"classes": CLASSES}))


@pytest.fixture
def experiment(tmp_path: Path) -> Layout:
    """Split 00: 10 training images of each of three classes, 6 samples and 3 held-out images of each."""
    layout = Layout("small", tmp_path)
    labels = [0] * 10 + [1] * 10 + [2] * 10
    write(layout.arrays("00"), "", random_images(0, 30), labels)
    write(layout.arrays("00"), "held_out_", random_images(1, 9, 2 * SIDE), [0] * 3 + [1] * 3 + [2] * 3)
    write(layout.samples("00"), "", random_images(2, 18), [0] * 6 + [1] * 6 + [2] * 6)
    return layout


def test_the_table_has_every_source_metric_and_scope(experiment: Layout) -> None:
    table = both_parts("neighbours", experiment, "00", SETTINGS)
    counts = table.groupby(["source", "metric", "scope"]).size()
    assert counts["generated", "l1"].to_dict() == {"class": 12, "split": 12}
    assert counts["held_out", "l1"].to_dict() == {"class": 9, "split": 9}  # fewer than per_class: all
    assert counts["generated", "ms_ssim"].to_dict() == {"class": 6, "split": 6}
    assert counts["held_out", "ms_ssim"].to_dict() == {"class": 6, "split": 6}
    own = table[table["scope"] == "class"]
    assert (own["class_id"] == own["neighbour_class"]).all()
    generated = table[
        (table["source"] == "generated") & (table["metric"] == "l1") & (table["scope"] == "class")
    ]
    assert generated["image"].tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]  # the first of each class


def test_a_class_is_no_nearer_than_its_split(experiment: Layout) -> None:
    table = both_parts("neighbours", experiment, "00", SETTINGS)
    by_scope = table.pivot(index=["source", "metric", "image"], columns="scope", values="distance")
    assert (by_scope["class"] >= by_scope["split"]).all()


def test_a_copied_training_image_is_found_in_its_row(experiment: Layout) -> None:
    folder = experiment.samples("00")
    samples = np.load(folder / "images.npy")
    samples[7] = np.load(experiment.arrays("00") / "images.npy")[25]  # of class bee, a copy of a cow
    np.save(folder / "images.npy", samples)
    table = both_parts("neighbours", experiment, "00", SETTINGS)
    copy = table[(table["image"] == 7) & (table["source"] == "generated") & (table["scope"] == "split")]
    assert copy["distance"].tolist() == [0, 0]  # by L1 and by MS-SSIM
    assert copy["neighbour"].tolist() == [25, 25]
    assert set(copy["class_id"]) == {"bee"}
    assert set(copy["neighbour_class"]) == {"cow"}


def test_a_held_out_image_is_compared_at_the_size_of_the_training_images(experiment: Layout) -> None:
    training = np.load(experiment.arrays("00") / "images.npy")
    flat = np.full_like(training[:1], 77)
    training[4] = flat
    np.save(experiment.arrays("00") / "images.npy", training)
    held_out = np.load(experiment.arrays("00") / "held_out_images.npy")
    held_out[1] = 77
    np.save(experiment.arrays("00") / "held_out_images.npy", held_out)
    table = both_parts("neighbours", experiment, "00", SETTINGS)
    found = table[(table["source"] == "held_out") & (table["image"] == 1) & (table["metric"] == "l1")]
    assert found["neighbour"].tolist() == [4, 4]
    assert found["distance"].tolist() == [0, 0]


def test_the_same_files_give_the_same_bytes(experiment: Layout) -> None:
    written = []
    for memory in (1, 512):
        measure(experiment, "00", SETTINGS.model_copy(update={"memory_mb": memory}))
        written.append(experiment.metric("neighbours", "00").read_bytes())
    assert written[0] == written[1]


def test_too_few_samples_name_the_class_and_the_key(experiment: Layout) -> None:
    with pytest.raises(
        UserError, match=r"class ape has 6 samples, neighbours.per_class asks for 7; lower it"
    ):
        measure(experiment, "00", NeighbourSettings(per_class=7))


@pytest.mark.parametrize(("prefix", "count"), [("", 30), ("held_out_", 9)])
def test_a_class_without_real_images_is_named(experiment: Layout, prefix: str, count: int) -> None:
    np.save(experiment.arrays("00") / f"{prefix}labels.npy", np.arange(count).astype(np.int16) % 2)
    with pytest.raises(UserError, match=f"{prefix}labels.npy: class cow has no image"):
        both_parts("neighbours", experiment, "00", SETTINGS)


def test_samples_of_another_size_are_refused(experiment: Layout) -> None:
    np.save(experiment.samples("00") / "images.npy", random_images(0, 18, 2 * SIDE))
    with pytest.raises(UserError, match="samples/00: samples of other classes or of another size"):
        measure(experiment, "00", SETTINGS)


def test_samples_that_are_not_bytes_are_refused(experiment: Layout) -> None:
    np.save(experiment.samples("00") / "images.npy", np.full((18, SIDE, SIDE, 3), np.nan, np.float32))
    with pytest.raises(UserError, match=r"samples/00/images.npy: holds float32, not bytes"):
        measure(experiment, "00", SETTINGS)


def test_more_images_by_ms_ssim_than_by_l1_are_refused(experiment: Layout) -> None:
    with pytest.raises(UserError, match=r"ms_ssim_per_class 5 exceeds neighbours.per_class 4"):
        measure(experiment, "00", NeighbourSettings(per_class=4, ms_ssim_per_class=5))


def test_samples_of_no_class_are_sought_among_all_images_of_the_split(experiment: Layout) -> None:
    np.save(experiment.samples("00") / "labels.npy", np.full(18, -1, np.int16))
    table = both_parts("neighbours", experiment, "00", SETTINGS)
    own = table[table["source"] == "generated"]
    assert own["class_id"].isna().all()
    assert set(own["scope"]) == {"split"}
    assert own[own["metric"] == "l1"]["image"].tolist() == list(range(12))  # as many as of three classes
    assert set(table.loc[table["source"] == "held_out", "scope"]) == {"class", "split"}
    told = closer_than_held_out(table.assign(split="00"), permutations=99, seed=0)
    distances = own.loc[own["metric"] == "l1", "distance"]
    assert told["median_generated"] == pytest.approx(distances.median())
