"""Each resizing against algebra and against the implementation that published numbers used."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from centigan.judges.resizing import RESIZINGS, pillow_weights, tensorflow1_weights
from centigan.settings.evaluation import FeatureSettings

SIDES = [(32, 299), (128, 299), (299, 299), (400, 299), (64, 16), (33, 20)]


def images(side: int, count: int = 2) -> torch.Tensor:
    pixels = np.random.default_rng(side).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


def test_the_table_has_every_resizing_of_the_settings() -> None:
    named = FeatureSettings.model_json_schema()["properties"]["resizing"]["enum"]
    assert {*RESIZINGS, "auto"} == set(named)


@pytest.mark.parametrize("name", RESIZINGS)
def test_a_uniform_image_stays_uniform(name: str) -> None:
    for before, after in SIDES:
        grey = torch.full((1, 3, before, before), 77.0)
        np.testing.assert_allclose(RESIZINGS[name](grey, after), 77, atol=1e-4)


@pytest.mark.parametrize("name", RESIZINGS)
def test_an_image_at_its_own_size_is_itself(name: str) -> None:
    x = images(48)
    np.testing.assert_allclose(RESIZINGS[name](x, 48), x, atol=1e-4)


@pytest.mark.parametrize("name", RESIZINGS)
def test_images_need_not_be_square(name: str) -> None:
    assert RESIZINGS[name](torch.zeros(2, 3, 20, 33), 24).shape == (2, 3, 24, 24)


def test_tensorflow_1_starts_at_the_corner_so_that_doubling_interleaves_means() -> None:
    ramp = torch.tensor([0.0, 10.0, 30.0]).expand(1, 3, 3, 3)
    doubled = RESIZINGS["bilinear-2015"](ramp, 6)[0, 0, 0]
    np.testing.assert_allclose(doubled, [0, 5, 10, 20, 30, 30])


def test_tensorflow_1_halves_by_dropping_every_second_pixel() -> None:
    x = images(32)
    np.testing.assert_allclose(RESIZINGS["bilinear-2015"](x, 16), x[:, :, ::2, ::2], atol=1e-4)


@pytest.mark.parametrize(("before", "after"), SIDES)
def test_bilinear_2015_equals_torch_fidelitys(before: int, after: int) -> None:
    x = images(before)
    theirs = interpolate_bilinear_2d_like_tensorflow1x(x, size=(after, after), align_corners=False)
    np.testing.assert_allclose(RESIZINGS["bilinear-2015"](x, after), theirs, atol=1e-3)


@pytest.mark.parametrize(("before", "after"), SIDES)
def test_bicubic_equals_pillows_as_clean_fid_uses_it(before: int, after: int) -> None:
    x = images(before)
    theirs = [
        [
            np.asarray(Image.fromarray(channel).resize((after, after), Image.Resampling.BICUBIC)).clip(0, 255)
            for channel in image
        ]
        for image in x.numpy()
    ]
    np.testing.assert_allclose(RESIZINGS["bicubic"](x, after), np.array(theirs), atol=1e-3)


def test_bicubic_overshoots_at_an_edge_and_is_clipped_there() -> None:
    edge = torch.zeros(1, 3, 32, 32)
    edge[..., 16:] = 255
    found = RESIZINGS["bicubic"](edge, 64)
    assert (found.min(), found.max()) == (0, 255)
    line = pillow_weights(32, 64) @ edge[0, 0, 0]
    assert line.max() > 256


@pytest.mark.parametrize(("before", "after"), SIDES)
def test_the_shares_of_a_new_pixel_sum_to_one(before: int, after: int) -> None:
    for weights in (tensorflow1_weights, pillow_weights):
        np.testing.assert_allclose(weights(before, after).sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("side", [16, 64])
def test_bilinear_equals_pillows_in_float(side: int) -> None:
    x = images(32, 1)
    theirs = [
        np.asarray(Image.fromarray(channel).resize((side, side), Image.Resampling.BILINEAR))
        for channel in x[0].numpy()
    ]
    np.testing.assert_allclose(RESIZINGS["bilinear"](x, side)[0], np.array(theirs), atol=1e-3)
