"""Held-out images at the model's resolution are made as the training images are."""

import numpy as np
import pytest
from PIL import Image

from centigan.data.decode import resize
from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.data.held_out import at_training_size


@pytest.fixture
def square() -> np.ndarray:
    picture = Image.open(packaged(*PHOTOGRAPHS["astronaut"])).convert("RGB")
    return np.array(picture)[:512, :512]


def test_by_way_of_twice_the_size_a_picture_is_nearly_what_it_is_directly(square: np.ndarray) -> None:
    directly = resize(square, 64).astype(float)
    held_out = at_training_size(resize(square, 128)[None], 64)[0]
    shrunk = Image.fromarray(resize(square, 128)).resize((64, 64), Image.Resampling.BILINEAR)
    assert held_out.shape == (64, 64, 3)
    ours, bilinear = (np.abs(np.asarray(image) - directly).mean() for image in (held_out, shrunk))
    assert ours < 2
    assert ours < bilinear / 2


def test_what_has_the_size_already_is_left_alone(square: np.ndarray) -> None:
    assert np.array_equal(at_training_size(square[None], 512)[0], square)


def test_no_image_stays_none() -> None:
    assert at_training_size(np.zeros((0, 128, 128, 3), np.uint8), 64).shape == (0, 64, 64, 3)
