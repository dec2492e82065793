"""Small real inputs that several rooms test on."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from small import ARRAYS, CLASSES

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.layout import Layout
from centigan.settings.data import DataSettings
from centigan.threads import limit_threads

limit_threads(1)  # and what is started: two workers of two threads each took five times as long
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is started need not compile our source each time
settings.register_profile("same", database=None, deadline=None, derandomize=True)  # the same cases each time
settings.load_profile("same")

RUN_THE_PIPELINE = ("workflow", "staleness", "logger")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, of both projects at once, so that no worker waits for another in the end."""
    items.sort(key=lambda item: (item.path.parent.name in RUN_THE_PIPELINE, item.path.name), reverse=True)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw tree of 4 classes: 5 training and 2 held-out PNG images each, of different sizes."""
    root = tmp_path / "raw"
    rng = np.random.default_rng(0)
    for folder, count in (("train", 5), ("val", 2)):
        for name in CLASSES:
            (root / folder / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (40 + number, 50, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / folder / name / f"{number}.png")
    return root


@pytest.fixture
def data_settings(raw: Path) -> DataSettings:
    return DataSettings(source="folders", root=str(raw), classes=4, split_size=2)


@pytest.fixture
def layout(tmp_path: Path, data_settings: DataSettings) -> Layout:
    """An experiment whose index and whose arrays of split 00 are built."""
    layout = Layout("small", tmp_path)
    build_index(layout, data_settings)
    build_arrays(layout, "00", ARRAYS, Path(data_settings.root))
    return layout
