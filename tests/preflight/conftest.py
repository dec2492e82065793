"""A project in which somebody's own images lie: 30 handwritten digits of each of 6 classes."""

from pathlib import Path

import numpy as np
import pytest
from copied import copy_project
from PIL import Image
from sklearn.datasets import load_digits

CLASSES, IMAGES = 6, 30
OWN = "data/raw/own"


def write_digits(root: Path, images: int = IMAGES, classes: int = CLASSES) -> Path:
    """Class folders of digits, enlarged to 48 px."""
    digits = load_digits()
    levels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    for label in range(classes):
        folder = root / f"digit{label}"
        folder.mkdir(parents=True)
        for number, image in enumerate(levels[digits.target == label][:images]):
            Image.fromarray(image).resize((48, 48)).save(folder / f"{number:02d}.png")
    return root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's files and 180 own images, in a folder that this process stands in."""
    place = tmp_path / "project"
    copy_project(place)
    write_digits(place / OWN)
    monkeypatch.chdir(place)
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):  # no weights lie there
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    return place
