"""Modes of stacked digits: what the classifier of digits names, and what is counted."""

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVC

from centigan.data.arrays import build_arrays
from centigan.data.embedded import put_in_place
from centigan.data.index import build_index
from centigan.layout import Layout
from centigan.metrics.stacked_modes import COLUMNS, channels, channels_once, measure, measure_real, names_of
from centigan.reporting.scores import stacked_modes_summary
from centigan.settings.data import DataSettings
from centigan.settings.evaluation import DistributionSettings
from centigan.settings.stages import ArraysStage

SETTINGS = DistributionSettings()


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Arrays of all 1,000 classes at 32 px, and as samples the training images of the first 500."""
    folder = tmp_path_factory.mktemp("stacked")
    put_in_place("stacked_digits", folder / "raw")
    data = {"source": "stacked_digits", "root": str(folder / "raw"), "classes": 1000, "split_size": 1000}
    layout = Layout("stacked/gan", root=folder)
    build_index(layout.shared, DataSettings.model_validate(data))
    stage = ArraysStage.model_validate({"arrays": {"resolution": 32}})
    build_arrays(layout.shared, "00", stage, folder / "raw")
    samples = layout.samples("00")
    samples.mkdir(parents=True)
    np.save(samples / "images.npy", np.load(layout.arrays("00") / "images.npy")[:5000])
    return layout


@pytest.fixture(scope="module")
def table(layout: Layout) -> pd.DataFrame:
    """Samples and real images, measured."""
    measure_real(layout, "00", SETTINGS)
    return measured(layout)


def measured(layout: Layout) -> pd.DataFrame:
    """Samples, measured, beside real images as they were measured before."""
    measure(layout, "00", SETTINGS)
    paths = layout.metric("stacked_modes", "00"), layout.real_metric("stacked_modes", "00")
    return pd.concat([pd.read_parquet(path) for path in paths]).assign(split="00")


def test_half_of_the_classes_are_half_of_the_modes_and_log_2_from_uniform(table: pd.DataFrame) -> None:
    assert tuple(table.columns)[:-1] == COLUMNS
    own = table[table["source"] == "generated"].set_index("class_id")["named"]
    assert (own["000":"499"] == 10).all()  # the classifier has seen these
    assert not own["500":].any()
    values = stacked_modes_summary(table)
    assert values["stacked_modes/modes/generated"] == 500
    assert values["stacked_modes/kl/generated"] == pytest.approx(np.log(2))
    assert values["stacked_modes/uniform/generated"] == pytest.approx(1000 * (1 - 0.999**5000))
    assert values["stacked_modes/number"] == 1000


def test_held_out_images_are_of_other_digits_and_named_nearly_all_rightly(table: pd.DataFrame) -> None:
    values = stacked_modes_summary(table)
    assert 0.98 < values["stacked_modes/judge"] < 1
    assert values["stacked_modes/modes/held_out"] > 950
    assert values["stacked_modes/kl/held_out"] < 0.05


def test_one_image_drawn_always_is_one_mode_and_log_1000(layout: Layout, table: pd.DataFrame) -> None:
    path = layout.samples("00") / "images.npy"
    before = np.load(path)
    np.save(path, np.repeat(before[-1:], 20, axis=0))
    values = stacked_modes_summary(measured(layout))
    np.save(path, before)
    assert values["stacked_modes/modes/generated"] == 1
    assert values["stacked_modes/kl/generated"] == pytest.approx(np.log(1000))


def test_a_channel_is_its_means_in_8_by_8_fields() -> None:
    image = np.zeros((2, 32, 32, 3), np.uint8)
    image[1, 4:8, :4, 2] = 255
    found = channels(image)
    assert found.shape == (6, 64)
    assert found[5, 8] == 1
    assert found.sum() == 1


def test_red_is_the_first_digit_and_blue_the_last() -> None:
    image = np.zeros((1, 8, 8, 3), np.uint8)
    image[..., 1], image[..., 2] = 100, 200
    rows, digits = channels_once(image, np.array([0]), ["047"])
    assert names_of(image, SVC(C=10.0).fit(rows, digits)) == ["047"]
