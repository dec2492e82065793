"""The figure of what a family's paper shows: sheets one under the other."""

import json

import matplotlib.style
import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors.numpy import save_file

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.figures import STYLE, draw
from centigan.reporting.figures.demonstration import demonstration
from centigan.reporting.figures.rows import fitting_tile
from centigan.reporting.protocol import protocol
from centigan.reporting.results import Results
from centigan.settings import Settings
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.figures import FigureSettings

SPLITS = ["00", "01"]
WIDE = (
    "What is seen here takes more than one line, since the caption of a sheet may be two sentences long. " * 2
)


def write(layout: Layout) -> dict[str, np.ndarray]:
    """Two sheets: a labelled one of two rows and three columns, one of a single row of five."""
    tensors = {
        "second": np.full((1, 5, 32, 32, 3), 200, np.uint8),
        "first": np.arange(10, 70, 10, dtype=np.uint8).reshape(2, 3, 1, 1, 1)
        * np.ones((32, 32, 3), np.uint8),
    }
    words = [
        ("first", "The first", "In a sentence.", ["a", "another label"], ["z 1", "z 2", "z 3"]),
        ("second", "The second", WIDE, [], []),
    ]
    folder = layout.demonstrations("00")
    folder.mkdir(parents=True)
    save_file(tensors, folder / "images.safetensors")
    keys = ("name", "title", "caption", "rows", "columns")
    (folder / "sheets.json").write_text(json.dumps([dict(zip(keys, about, strict=True)) for about in words]))
    return tensors


def drawn(layout: Layout) -> Figure:
    with matplotlib.style.context(STYLE):
        return demonstration(Results(layout, SPLITS), FigureSettings(title="What is shown"))


def test_sheets_stand_in_order_one_under_the_other_with_their_words(finished: Layout) -> None:
    tensors = write(finished)
    figure = drawn(finished)
    first, second = figure.axes
    assert first.get_position().y0 > second.get_position().y1
    tile, pitch = fitting_tile(32, 5, largest=96), fitting_tile(32, 5, largest=96) + 4
    for axes, sheet in ((first, tensors["first"]), (second, tensors["second"])):
        body = np.asarray(axes.images[0].get_array())
        assert body[..., 3].sum() == sheet.shape[0] * sheet.shape[1] * tile**2 * 255
    body = np.asarray(first.images[0].get_array())
    assert [[int(body[y, x, 0]) for x in (0, pitch, 2 * pitch)] for y in (0, pitch)] == [
        [10, 20, 30],
        [40, 50, 60],
    ]
    words = [text.get_text() for text in figure.texts]
    shown = {"What is shown", "The first", "In a sentence.", "The second", "another label", "z 1", "z 3"}
    assert shown <= set(words)
    assert any(" ".join(WIDE.split()) == " ".join(text.split()) and "\n" in text for text in words)
    assert "a" in words  # a class's id is its name


def test_no_word_lies_outside_of_the_figure_or_on_pictures(finished: Layout) -> None:
    write(finished)
    figure = drawn(finished)
    with matplotlib.style.context(STYLE):
        figure.draw_without_rendering()
        boxes = {text.get_text(): text.get_window_extent() for text in figure.texts}
        pictures = [axes.get_window_extent() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes.values())
    assert all(box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes.values())
    assert not [word for word, box in boxes.items() if any(box.overlaps(picture) for picture in pictures)]
    assert not [
        (one, other)
        for one, box in boxes.items()
        for other, beside in boxes.items()
        if one < other and box.overlaps(beside)
    ]


def test_the_figure_is_drawn_and_explained_for_a_family_that_demonstrates_with_or_without_classes(
    finished: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(finished)
    for more in (set(), {"by_class"}):
        abilities = frozenset({"latent", "demonstrates", "reconstructs"} | more)
        monkeypatch.setattr(AcganConfig, "abilities", property(lambda _, own=abilities: own))
        results = Results(finished, SPLITS)
        draw("demonstration", finished, settings.figures.demonstration, SPLITS)
        assert finished.figure("demonstration").exists()
        assert "64 held-out images" in protocol("demonstration", results, settings)
        assert "64 held-out images" in protocol("reconstructions", results, settings)


def test_another_family_has_the_reason(finished: Layout, settings: Settings) -> None:
    with pytest.raises(
        UserError, match="needs a model that draws its paper's demonstration; AC-GAN draws none"
    ):
        draw("demonstration", finished, settings.figures.demonstration, SPLITS)


def test_the_command_that_is_missing_is_named(finished: Layout) -> None:
    missing = r"demonstrations/00/sheets\.json is missing: `centigan demonstrate -e made/hand -s 00`"
    with pytest.raises(UserError, match=missing):
        drawn(finished)
