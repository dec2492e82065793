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

# the first makes the project that the rooms of LONG wait for; another worker runs the others meanwhile
FIRST = ("test_table_of_edits", "test_shown", "test_follow", "test_families")
LONG = ("staleness", "workflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker waits for another."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, bool, str]:
    file = item.path.stem
    first = FIRST.index(file) if file in FIRST else len(FIRST)
    return first, item.path.parent.name not in LONG, file


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
