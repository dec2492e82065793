"""Walks through latent space."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small import SAMPLE, TRAIN

from centigan.errors import UserError
from centigan.interpolation import interpolate_split, linear, spherical
from centigan.layout import Layout
from centigan.training.loop import train_split

CPU = torch.device("cpu")


def test_a_linear_walk_has_equal_steps() -> None:
    start, end = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 4.0])
    expected = [[1, 0], [0.75, 1], [0.5, 2], [0.25, 3], [0, 4]]
    assert torch.allclose(linear(start, end, 5), torch.tensor(expected))


def test_a_spherical_walk_between_equal_lengths_stays_on_the_sphere_at_equal_angles() -> None:
    start, end = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    angles = torch.tensor([0, 30, 60, 90]).deg2rad()
    expected = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert torch.allclose(spherical(start, end, 4), expected, atol=1e-6)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_sheet_has_a_row_a_walk_and_follows_the_seed(layout: Layout, tmp_path: Path, path: str) -> None:
    train_split(layout, "00", TRAIN, device=CPU)

    def drawn(**changes: object) -> np.ndarray:
        words = {"only": None, "path": path, "rows": 2, "steps": 3, "out": tmp_path / "x.png"} | changes
        return np.asarray(Image.open(interpolate_split(layout, "00", SAMPLE, device=CPU, **words)))

    sheet = drawn()
    assert sheet.shape == (2 * 2 * 66, 3 * 66, 3)  # two classes, two walks of three images of 64 px and a gap
    assert np.array_equal(drawn(), sheet)
    assert np.array_equal(drawn(only=["dog"]), sheet[2 * 66 :])
    assert not np.array_equal(sheet[:66], sheet[66 : 2 * 66])
    assert drawn(out=None).shape == sheet.shape
    assert (layout.results / "interpolations" / f"00-{path}.png").exists()


def test_what_cannot_be_walked_is_named(layout: Layout) -> None:
    words = {"path": "linear", "rows": 1, "steps": 2, "out": None}
    with pytest.raises(UserError, match="split 00 is not trained"):
        interpolate_split(layout, "00", SAMPLE, device=CPU, only=None, **words)
    train_split(layout, "00", TRAIN, device=CPU)
    with pytest.raises(UserError, match="no class 'eel'; it has cat, dog"):
        interpolate_split(layout, "00", SAMPLE, device=CPU, only=["eel"], **words)
