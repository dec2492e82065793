"""Sheets that several families show: where a latent of the plane stands, and what codes are moved by."""

import torch
from torch import Tensor

from centigan.shown import attribute_sheet, attributes_in, moved_codes, plane_sheet
from centigan.types import Given, Latent

CPU = torch.device("cpu")


class Copies(Latent):
    """An image of one pixel and two channels: its code is what it shows."""

    def latent(self, count: int, rng: torch.Generator) -> Tensor:
        return torch.zeros(count, 2)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        assert len(wanted.labels) == len(latent)
        return latent[:, :, None, None]

    def encode(self, images: Tensor) -> Tensor:
        return images[:, :, 0, 0]


def test_z1_runs_to_the_right_and_z2_upwards() -> None:
    sheet = plane_sheet(Copies(), "N(0, I)", CPU)
    corners = sheet.images[[0, 0, -1], [0, -1, 0], :, 0, 0]
    assert corners.tolist() == [[-1.5, 1.5], [1.5, 1.5], [-1.5, -1.5]]
    assert (sheet.columns[0], sheet.columns[7], sheet.columns[-1]) == ("-1.5", "0", "1.5")
    assert (sheet.rows[0], sheet.rows[-1]) == ("1.5", "-1.5")
    assert sheet.images.shape[:2] == (15, 15)


def test_a_row_is_an_image_what_is_drawn_of_it_and_its_code_with_each_value() -> None:
    codes = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    sheet = attribute_sheet(Copies(), codes[:, :, None, None], torch.tensor([0, 1]), ["red", "blue"])
    assert list(sheet.rows) == ["red", "blue"]
    assert list(sheet.columns) == ["image", "again", "red", "blue"]
    assert sheet.images[0, :, :, 0, 0].tolist() == [[1, 0], [1, 0], [1, 0], [0, 2]]
    assert sheet.images[1, :, :, 0, 0].tolist() == [[0, 2], [0, 2], [1, 0], [0, 2]]


def test_codes_are_moved_by_the_difference_of_two_means() -> None:
    classes = ["red_large", "red_small", "blue_large"]
    codes = torch.tensor([[1.0, 0.0], [0.0, 2.0], [5.0, 0.0]])
    values, moved = moved_codes(codes, [0, 1, 2], classes)
    assert values == ["red", "blue", "large", "small"]
    red, large = torch.tensor([0.5, 1.0]), torch.tensor([3.0, 0.0])  # means of two images each
    torch.testing.assert_close(moved[:, 0], torch.stack([codes[0], codes[1], red]))
    torch.testing.assert_close(moved[0, 3], codes[0] + codes[1] - large)


def test_a_value_that_no_image_shows_is_left_out() -> None:
    values, moved = moved_codes(torch.zeros(2, 3), [0, 2], ["a", "b", "c"])
    assert values == ["a", "c"]
    assert moved.shape == (2, 2, 3)


def test_names_that_have_not_as_many_parts_are_no_attributes() -> None:
    assert attributes_in(["red_circle", "blue_square"]) == [["red", "circle"], ["blue", "square"]]
    assert attributes_in(["hubble_deep_field", "moon"]) == [["hubble_deep_field"], ["moon"]]
