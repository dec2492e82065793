"""Embedded captions: which of an image a minibatch is given, and by which a class is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from centigan.data.caption_vectors import CaptionVectors, asked_of_classes, asked_of_images, class_vectors
from centigan.data.captions import write_captions
from centigan.errors import UserError

LABELS = [0, 0, 1, 1, 1]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Embeddings (5, 2, 1) whose value is 10 image + caption; image 4 has one caption, twice."""
    captions, arrays = tmp_path / "captions", tmp_path / "arrays"
    for folder in (captions, arrays):
        folder.mkdir()
    vectors = np.array([[[10 * image + n] for n in (0, 1)] for image in range(5)], np.float16)
    vectors[4] = 40
    for prefix in ("", "held_out_"):
        np.save(captions / f"{prefix}embeddings.npy", vectors)
        said = [[f"{image}-{n}" for n in (0, 1)][: 1 if image == 4 else 2] for image in range(5)]
        write_captions(arrays, prefix, said)
        np.save(arrays / f"{prefix}labels.npy", np.array(LABELS, np.int16))
    return captions, arrays


def test_a_minibatch_has_captions_of_its_images_and_others_each_time(folders: tuple[Path, Path]) -> None:
    drawn, rows = CaptionVectors(folders[0], averaged=1), torch.tensor([3, 0] * 50)
    found = drawn.of(rows, torch.Generator().manual_seed(0))
    assert drawn.embedding == 1
    assert found.dtype == torch.float32
    assert set(found[::2, 0].tolist()) == {30, 31}
    assert set(found[1::2, 0].tolist()) == {0, 1}


def test_averaged_captions_of_an_image_are_different_ones(folders: tuple[Path, Path]) -> None:
    for averaged in (2, 4):  # of the two that there are
        found = CaptionVectors(folders[0], averaged).of(torch.tensor([2]), torch.Generator())
        assert found.tolist() == [[20.5]]


def test_a_class_stands_for_all_captions_of_its_held_out_images(folders: tuple[Path, Path]) -> None:
    assert class_vectors(*folders, classes=2).tolist() == [[5.5], [pytest.approx((20.5 + 30.5 + 40) / 3)]]


def test_a_class_is_asked_for_by_each_image_then_by_their_second_captions(folders: tuple[Path, Path]) -> None:
    asked = asked_of_classes(*folders, torch.tensor([1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1]))
    ones = [text for text, label in zip(asked.texts, [1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1], strict=True) if label]
    assert ones == ["2-0", "3-0", "4-0", "2-1", "3-1", "4-0"]
    assert asked.texts[1] == "0-0"
    assert asked.vectors[:, 0].tolist() == [20, 0, 30, 40, 10, 21, 1, 11, 0, 31, 40]


def test_images_that_are_shown_have_their_first_captions(folders: tuple[Path, Path]) -> None:
    asked = asked_of_images(*folders, most=3)
    assert asked.texts == ["0-0", "2-0", "4-0"]
    assert asked.vectors[:, 0].tolist() == [0, 20, 40]


def test_embeddings_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"embeddings.npy is missing; `centigan embed`"):
        CaptionVectors(tmp_path, averaged=1)
    (tmp_path / "embeddings.npy").write_bytes(b"cut")
    with pytest.raises(UserError, match=r"embeddings.npy is damaged"):
        CaptionVectors(tmp_path, averaged=1)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.zeros((4, 2, 1), np.float16), r"embeddings\.npy has captions of 4 images, and there are 5"),
        (np.zeros((5, 2), np.float16), r"embeddings\.npy is damaged \(it holds no embeddings of"),
        (
            np.zeros((5, 2, 1), np.float32),
            r"embeddings\.npy is damaged \(it holds no embeddings of captions\)",
        ),
    ],
)
def test_embeddings_of_other_images_are_refused_wherever_they_are_read(
    vectors: NDArray[Any], said: str, folders: tuple[Path, Path]
) -> None:
    captions, arrays = folders
    for prefix in ("", "held_out_"):
        np.save(captions / f"{prefix}embeddings.npy", vectors)
    readers: list[Callable[[], object]] = [
        lambda: CaptionVectors(captions, averaged=1, images=5),
        lambda: class_vectors(captions, arrays, 2),
        lambda: asked_of_images(captions, arrays, 3),
        lambda: asked_of_classes(captions, arrays, torch.tensor([0])),
    ]
    for read in readers:
        with pytest.raises(UserError, match=said):
            read()
