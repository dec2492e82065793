"""Deviation of pixels by algebra: of uniform noise, of its mean, and of two images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centigan.catalogue import METRICS, has_of_data, subject_of, why_not
from centigan.layout import Layout
from centigan.metrics.pixel_deviation import deviation, measure, measure_real
from centigan.reporting.scores import pixel_deviation_summary
from centigan.settings.data import ContentSettings
from centigan.settings.evaluation import DistributionSettings
from centigan.settings.families.vae import VaeConfig


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(count, 8, 8, 3), dtype=np.uint8)


def test_uniform_bytes_deviate_by_what_algebra_gives() -> None:
    levels = ((256**2 - 1) / 12) ** 0.5
    assert deviation(noise(20_000)) == pytest.approx(levels / 127.5, rel=0.002)  # 9 deviations


def test_images_that_are_all_the_same_do_not_deviate_however_much_they_show() -> None:
    assert deviation(np.repeat(noise(1), 5, axis=0)) == pytest.approx(0, abs=1e-12)


def test_black_and_white_deviate_by_1() -> None:
    images = np.zeros((4, 2, 2, 3), np.uint8)
    images[::2] = 255
    assert deviation(images) == 1


def test_samples_stand_beside_training_images(tmp_path: Path) -> None:
    layout = Layout("noise/vae", root=tmp_path)
    samples, arrays = layout.samples("00"), layout.arrays("00")
    for folder in (samples, arrays):
        folder.mkdir(parents=True)
    np.save(samples / "images.npy", np.full((9, 8, 8, 3), 128, np.uint8))
    np.save(arrays / "images.npy", noise(50))
    measure(layout, "00", DistributionSettings())
    measure_real(layout, "00", DistributionSettings())
    files = layout.metric("pixel_deviation", "00"), layout.real_metric("pixel_deviation", "00")
    tables = [pd.read_parquet(file) for file in files]
    assert all(tuple(table.columns) == METRICS["pixel_deviation"].columns for table in tables)
    numbers = pixel_deviation_summary(pd.concat(tables))
    assert numbers["pixel_deviation/generated"] == pytest.approx(0, abs=1e-12)
    assert numbers["pixel_deviation/training"] == pytest.approx(deviation(noise(50)))


def test_only_noise_is_asked_for_it() -> None:
    asked = {
        name: subject_of(VaeConfig(), classes_of_a_split=2, data=has_of_data(ContentSettings(source=name)))
        for name in ("noise", "digits")
    }
    assert why_not(METRICS["pixel_deviation"], asked["noise"]) is None
    assert why_not(METRICS["pixel_deviation"], asked["digits"]) == (
        "needs images of noise; VAE was trained on others"
    )
