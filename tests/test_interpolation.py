"""Walks through latent space."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from small import SAMPLE, TRAIN

from centigan.errors import UserError
from centigan.interpolation import between_four, interpolate_split, latent_of_split, linear, spherical
from centigan.layout import Layout
from centigan.manifest import read_facts, read_manifest
from centigan.sampling import sample_split
from centigan.settings.stages import LatentStage
from centigan.training.loop import train_split

CPU = torch.device("cpu")
LATENT = LatentStage.model_validate(
    {"model": TRAIN.model.model_dump(), "latent": {"walks": 2, "steps": 4, "square": 5, "styles": 3}}
)


def test_a_linear_walk_has_equal_steps() -> None:
    start, end = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 4.0])
    expected = [[1, 0], [0.75, 1], [0.5, 2], [0.25, 3], [0, 4]]
    assert torch.allclose(linear(start, end, 5), torch.tensor(expected))


def test_a_spherical_walk_between_equal_lengths_stays_on_the_sphere_at_equal_angles() -> None:
    start, end = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    angles = torch.tensor([0, 30, 60, 90]).deg2rad()
    expected = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert torch.allclose(spherical(start, end, 4), expected, atol=1e-6)


def test_both_paths_start_and_end_exactly_at_the_ends() -> None:
    start, end = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    for path in (linear, spherical):
        points = path(start, end, 7)
        assert torch.equal(points[0], start)
        assert torch.equal(points[-1], end)


def test_a_square_has_its_corners_where_they_are_and_is_even_in_angle_along_an_edge() -> None:
    corners = torch.eye(4)
    points = between_four(corners, 4)
    ends = torch.stack([points[row, column] for row in (0, -1) for column in (0, -1)])
    assert torch.equal(ends, corners)
    for walk, (start, end) in ((points[0], (0, 1)), (points[:, -1], (1, 3))):
        assert torch.allclose(walk, spherical(corners[start], corners[end], 4), atol=1e-6)
    assert torch.allclose(between_four(corners, 3)[1, 1], torch.full((4,), 0.5))  # half of each


def test_every_point_of_a_square_is_a_draw_from_the_prior() -> None:
    """Of variance 1; the middle of a bilinear square has a quarter."""
    corners = torch.randn(4, 200_000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(between_four(corners, 5).var(dim=2), torch.ones(5, 5), atol=0.02)


def test_the_file_holds_walks_and_a_square_of_every_class_and_a_grid_of_styles(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    latent_of_split(layout, "00", LATENT, device=CPU)
    folder = layout.latent("00")
    tensors = load_file(folder / "images.safetensors")
    assert {name: array.shape for name, array in tensors.items()} == {
        "linear": (2, 2, 4, 32, 32, 3),
        "spherical": (2, 2, 4, 32, 32, 3),
        "square": (2, 5, 5, 32, 32, 3),
        "grid": (3, 2, 32, 32, 3),
    }
    assert {array.dtype for array in tensors.values()} == {np.dtype(np.uint8)}
    manifest = read_manifest(folder)
    assert read_facts(folder)["classes"] == ["cat", "dog"]
    assert manifest["settings"]["latent"]["styles"] == 3


def test_the_paths_share_their_ends_and_differ_between(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    latent_of_split(layout, "00", LATENT, device=CPU)
    tensors = load_file(layout.latent("00") / "images.safetensors")
    straight, arc = tensors["linear"], tensors["spherical"]
    for end in (0, -1):
        assert np.array_equal(straight[:, :, end], arc[:, :, end])
    assert not np.array_equal(straight[:, :, 1], arc[:, :, 1])
    assert not np.array_equal(straight[0, 0], straight[0, 1])


def test_walks_and_grids_are_the_same_bytes_twice_and_follow_the_seed(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    file = layout.latent("00") / "images.safetensors"

    def drawn(seed: int) -> bytes:
        changed = LATENT.latent.model_copy(update={"seed": seed})
        latent_of_split(layout, "00", LATENT.model_copy(update={"latent": changed}), device=CPU)
        return file.read_bytes()

    assert drawn(0) == drawn(0) != drawn(1)


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
    with pytest.raises(UserError, match="split 00 is not trained"):
        latent_of_split(layout, "00", LATENT, device=CPU)
    train_split(layout, "00", TRAIN, device=CPU)
    with pytest.raises(UserError, match="no class 'eel'; it has cat, dog"):
        interpolate_split(layout, "00", SAMPLE, device=CPU, only=["eel"], **words)


def test_a_generator_of_nan_draws_nothing_and_the_split_is_named(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    file = layout.train("00") / "generator.safetensors"
    tensors = load_file(file)
    wrong = {
        name: np.full_like(array, np.nan) if array.dtype.kind == "f" else array
        for name, array in tensors.items()
    }
    save_file(wrong, file)
    told = r"split 00: the generator gives images of NaN or infinity, since its training diverged; lower"
    for draw, stage in ((latent_of_split, LATENT), (sample_split, SAMPLE)):
        with pytest.raises(UserError, match=told):
            draw(layout, "00", stage, device=CPU)
    assert not list(layout.results.glob("latent/**/*.*"))
    assert not list(layout.results.glob("samples/**/*.*"))
