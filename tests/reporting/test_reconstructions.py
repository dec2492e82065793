"""The figure of real images drawn again, which the merge lists among the figures."""

import json

import matplotlib.style
import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors.numpy import save_file

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.figures import STYLE
from centigan.reporting.figures.reconstructions import reconstructions
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

SPLITS = ["00", "01"]


def drawn(layout: Layout) -> Figure:
    with matplotlib.style.context(STYLE):
        return reconstructions(Results(layout, SPLITS), FigureSettings(title="Drawn again"))


def write(layout: Layout, *, walks: bool) -> dict[str, np.ndarray]:
    """Four images in greys of their own, and a walk of three from the first to the last."""
    folder, greys = layout.reconstructions("00"), np.array([0, 60, 120, 180], np.uint8)
    tensors = {
        "images": np.broadcast_to(greys[:, None, None, None], (4, 32, 32, 3)).copy(),
        "reconstructed": np.broadcast_to(greys[:, None, None, None] + np.uint8(1), (4, 32, 32, 3)).copy(),
    }
    if walks:
        steps = np.array([10, 90, 170], np.uint8)[None, :, None, None, None]
        tensors["walks"] = np.broadcast_to(steps, (1, 3, 32, 32, 3)).copy()
        tensors["ends"] = np.array([[0, 3]])
    folder.mkdir(parents=True)
    save_file(tensors, folder / "images.safetensors")
    (folder / "facts.json").write_text(json.dumps({"classes": ["a", "b"], "right_over_wrong": 0.25}))
    return tensors


def greys(figure: Figure) -> list[list[int]]:
    """Rows of pictures, each by its grey."""
    body = np.asarray(figure.axes[0].images[0].get_array())
    middles = body[:, :, 0][:, np.arange(8, body.shape[1], 8)]
    rows = []
    for y in range(4, body.shape[0], 8):
        seen = [int(g) for g, alpha in zip(middles[y], body[y, 8::8, 3], strict=False) if alpha]
        row = [g for n, g in enumerate(seen) if n == 0 or g != seen[n - 1]]
        if row and (not rows or rows[-1] != row):
            rows.append(row)
    return rows


def test_real_images_stand_above_those_drawn_again_and_around_each_walk(finished: Layout) -> None:
    write(finished, walks=True)
    figure = drawn(finished)
    assert greys(figure) == [[0, 60, 120, 180], [1, 61, 121, 181], [0, 10, 90, 170, 180]]
    words = [text.get_text() for text in figure.texts]
    assert {"Drawn again", "real", "drawn again", "real, walk, real"} <= set(words)
    assert any("4 of 4 held-out images of split 00" in text and text.endswith("0.25") for text in words)


def test_a_family_without_codes_has_no_walks(finished: Layout) -> None:
    write(finished, walks=False)
    assert greys(drawn(finished)) == [[0, 60, 120, 180], [1, 61, 121, 181]]


def test_the_command_that_is_missing_is_named(finished: Layout) -> None:
    with pytest.raises(UserError, match=r"reconstructions/00/images\.safetensors is missing"):
        drawn(finished)
