import json
from pathlib import Path

import numpy as np
import pytest
import torch
from both_parts import both_parts
from PIL import Image

from centigan.data.arrays import ARRAYS
from centigan.errors import UserError
from centigan.judges import train_judge
from centigan.layout import Layout
from centigan.manifest import write_manifest
from centigan.metrics.accuracy import COLUMNS, at_resolution, ladder, measure_accuracy, measure_real
from centigan.settings.evaluation import AccuracySettings, JudgeSettings


class Brightness:
    """A judge of two classes by hand: dark below the middle grey, light above."""

    name = "brightness"
    learns = False
    classes = known = ("dark", "light")

    def logits(self, images: np.ndarray) -> np.ndarray:
        light = images.mean((1, 2, 3)) / 255
        return np.stack([1 - light, light], axis=1).astype(np.float32)

    def tensors(self) -> dict[str, torch.Tensor]:
        return {}


class Brightnesses(Brightness):
    """Knows a third class, white, and is asked for the two others."""

    known = ("dark", "light", "white")

    def logits(self, images: np.ndarray) -> np.ndarray:
        white = images.mean((1, 2, 3)) / 255 - 0.45  # twice that is more than light above 0.9
        return np.column_stack([super().logits(images), 2 * white]).astype(np.float32)


def test_a_judge_that_knows_more_classes_is_asked_for_those_of_the_data_and_beside_it_for_all() -> None:
    images = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (20, 140, 250)])
    table = measure_accuracy(
        Brightnesses(), images, np.array([0, 1, 1]), source="held_out", resolutions=(8,), subsets=1
    )
    assert table[["class_id", "correct", "correct_of_known", "count"]].to_numpy().tolist() == [
        ["dark", 1, 1, 1],
        ["light", 2, 1, 2],  # 250 is white among all
    ]
    assert (table["asked"].unique(), table["known"].unique()) == (2, 3)


def test_the_ladder_is_powers_of_two_from_an_eighth_to_twice_the_resolution() -> None:
    assert ladder(128) == (16, 32, 64, 128, 256)
    assert ladder(32) == (4, 8, 16, 32, 64)


def test_a_uniform_image_stays_uniform_at_every_resolution() -> None:
    grey = np.full((2, 32, 32, 3), 77, np.uint8)
    for side in (4, 16, 32, 64):
        np.testing.assert_array_equal(at_resolution(grey, side), np.full((2, side, side, 3), 77))


def test_an_image_at_its_own_resolution_is_itself() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(at_resolution(images, 16), images)


def test_shrinking_is_antialiased_a_checkerboard_turns_grey() -> None:
    checkerboard = np.indices((32, 32)).sum(0) % 2 * 255
    image = np.repeat(checkerboard[None, :, :, None], 3, axis=3).astype(np.uint8)
    inner = at_resolution(image, 8)[:, 1:-1, 1:-1].astype(int)
    np.testing.assert_allclose(inner, 128, atol=1)


@pytest.mark.parametrize("side", [8, 16, 64])
def test_resizing_agrees_with_pillows_bilinear_filter(side: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    pillow = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
    found = at_resolution(image[None], side)[0].astype(int)
    np.testing.assert_allclose(found, np.asarray(pillow), atol=1)  # Pillow rounds between the axes


def test_right_answers_are_counted_per_class_resolution_and_subset() -> None:
    levels = np.array([10, 200, 20, 30, 210, 40, 90, 220])  # the second "dark" image is light
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    images = np.broadcast_to(levels[:, None, None, None], (8, 16, 16, 3)).astype(np.uint8)
    table = measure_accuracy(Brightness(), images, labels, source="held_out", resolutions=(8, 16), subsets=2)
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 2 * 2 * 2
    for side in (8, 16):
        found = table[table["resolution"] == side].set_index(["class_id", "subset"])["correct"].to_dict()
        assert found == {("dark", 0): 2, ("dark", 1): 1, ("light", 0): 1, ("light", 1): 1}
    assert (table["count"] == 2).all()
    assert (table["source"] == "held_out").all()


def test_a_class_smaller_than_the_subsets_leaves_the_empty_ones_out() -> None:
    images = np.zeros((3, 16, 16, 3), np.uint8)
    table = measure_accuracy(
        Brightness(), images, np.zeros(3, int), source="held_out", resolutions=(16,), subsets=10
    )
    assert table["subset"].tolist() == [0, 1, 2]
    assert table["count"].tolist() == [1, 1, 1]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two splits of two grey classes each, samples of split 01, and a judge trained on all four."""
    layout = Layout("grey", tmp_path_factory.mktemp("project"))
    for split, levels in (("00", (0, 70)), ("01", (140, 210))):
        classes = [f"level{level:03d}" for level in levels]
        for side, prefix, count in ((16, "", 10), (32, "held_out_", 4)):
            _save(layout.arrays(split), prefix, _grey(levels, count, side), np.repeat([0, 1], count))
        write_manifest(layout.arrays(split), {}, facts={"classes": classes, "resolution": 16}, of=ARRAYS)
    swapped = _grey((210, 140), 6, 16)  # the generator has confused its classes
    _save(layout.samples("01"), "", swapped, np.repeat([0, 1], 6))
    (layout.samples("01") / "facts.json").write_text(json.dumps({"classes": classes}))
    folders = [layout.arrays("00"), layout.arrays("01")]
    train_judge(folders, JudgeSettings(name="head-on-features"), layout.judge)
    return layout


def test_labels_within_a_split_are_mapped_to_the_judges_classes(experiment: Layout) -> None:
    table = both_parts("accuracy", experiment, "01", AccuracySettings(subsets=2))
    assert list(table.columns) == list(COLUMNS)
    assert set(table["class_id"]) == {"level140", "level210"}
    assert set(table["resolution"]) == {2, 4, 8, 16, 32}
    sums = table.groupby("source")[["correct", "count"]].sum()
    assert sums.loc["held_out"].tolist() == [2 * 4 * 5, 2 * 4 * 5]
    assert sums.loc["generated"].tolist() == [0, 2 * 6 * 5]


def test_the_resolutions_of_the_settings_replace_the_ladder(experiment: Layout) -> None:
    table = both_parts("accuracy", experiment, "01", AccuracySettings(resolutions=(12,)))
    assert set(table["resolution"]) == {12}


def test_a_class_without_held_out_images_is_named(experiment: Layout, tmp_path: Path) -> None:
    layout = Layout("grey", tmp_path)
    _save(layout.arrays("00"), "held_out_", _grey((0,), 3, 32), np.zeros(3))
    manifest = (experiment.arrays("00") / "facts.json").read_text()
    (layout.arrays("00") / "facts.json").write_text(manifest)
    layout.judge.parent.mkdir(exist_ok=True)
    layout.judge.symlink_to(experiment.judge)
    with pytest.raises(UserError, match="class level070 has no image"):
        measure_real(layout, "00", AccuracySettings())


def _grey(levels: tuple[int, ...], count: int, side: int) -> np.ndarray:
    images = np.repeat(np.array(levels), count)[:, None, None, None]
    return np.broadcast_to(images, (len(images), side, side, 3)).astype(np.uint8)


def _save(folder: Path, prefix: str, images: np.ndarray, labels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{prefix}images.npy", images)
    np.save(folder / f"{prefix}labels.npy", labels.astype(np.int16))
