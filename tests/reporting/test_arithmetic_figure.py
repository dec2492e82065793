"""The figure of arithmetic on latents, of pictures whose every grey is known."""

import json

import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.arithmetic import COLUMNS
from centigan.metrics.arithmetic_shown import STEPS, as_png
from centigan.reporting.figures import STYLE, draw
from centigan.reporting.figures.arithmetic import LARGEST, arithmetic
from centigan.reporting.figures.rows import APART, GAP
from centigan.reporting.protocol import protocol
from centigan.reporting.results import Results
from centigan.settings import Settings
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.figures import FigureSettings

SPLITS = ["00", "01"]
PITCH = LARGEST + GAP
NAMED = {"A": "red_circle_large", "B": "red_circle_small", "C": "blue_square_small"}


def grey(level: int) -> bytes:
    return as_png(np.full((32, 32, 3), level, np.uint8))


def trial() -> list[dict[str, object]]:
    """A trial whose greys count from 1 in the order of the rows of the figure."""
    places = [
        place
        for at, name in enumerate("ABC")
        for place in (
            *(f"{name}/{which}" for which in (0, 1, 2, "mean")),
            *(f"Y/{n}" for n in range(3 * at, 3 * at + 3)),
            *(["pixels"] if name == "B" else []),
        )
    ]
    return [
        {
            "kind": "example",
            "n": 3,
            "trial": 0,
            "wanted": "blue_square_large",
            "place": place,
            "named": NAMED.get(place[0], "blue_square_large" if place == "Y/4" else "red_square_small"),
            "image": grey(level),
        }
        for level, place in enumerate(places, 1)
    ]


def turned() -> list[dict[str, object]]:
    ends = [(-1, f"{name}/{at}", None, 0.5) for name in ("small", "large") for at in (0, 1, 2, 3, "mean")]
    paths = [(z, f"z/{at}", t, 0.125 + t / 2) for z in range(2) for at, t in enumerate(STEPS)]
    return [
        {"kind": "turn", "n": 4, "trial": z, "place": place, "t": t, "value": value, "image": grey(100 + at)}
        for at, (z, place, t, value) in enumerate([*ends, *paths])
    ]


def write(layout: Layout, rows: list[dict[str, object]]) -> None:
    """The metric of both splits, of which the first is shown."""
    walk = [{"kind": "walk", "n": 1, "t": 0.0, "trial": 0, "value": 0.5}]
    for split, of_split in zip(SPLITS, ([*rows, *walk], walk), strict=True):
        path = layout.metric("arithmetic", split)
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(of_split).reindex(columns=list(COLUMNS)).to_parquet(path, index=False)


def drawn(layout: Layout) -> Figure:
    with matplotlib.style.context(STYLE):
        return arithmetic(Results(layout, SPLITS), FigureSettings(title="Attributes"))


def words(figure: Figure) -> list[str]:
    return [" ".join(text.get_text().split()) for text in figure.texts]


def test_a_trial_has_its_nine_and_its_pixels_beside_the_three_concepts(finished: Layout) -> None:
    write(finished, trial())
    figure = drawn(finished)
    (axes,) = figure.axes
    body = np.asarray(axes.images[0].get_array())
    apart = APART - GAP
    columns = [n * PITCH + sum(apart for start in (3, 4, 7) if n >= start) for n in range(8)]
    shown = [[int(body[y * PITCH, x, 0]) for x in columns] for y in range(3)]
    assert shown == [[*range(1, 8), 0], [*range(8, 16)], [*range(16, 23), 0]]
    said = words(figure)
    assert {"A: large red circle", "B: small red circle", "C: small blue square", "Y", "pixels"} <= set(said)
    assert "A - B + C: large blue square?" in said
    assert any(
        "the judge calls a large blue square" in text and "a small red square." in text for text in said
    )
    assert any("too few small or large" in text for text in said)


def test_ends_stand_above_a_row_a_latent_with_the_probability_at_either_end(finished: Layout) -> None:
    write(finished, turned())
    figure = drawn(finished)
    (axes,) = figure.axes
    body = np.asarray(axes.images[0].get_array())
    rows = [0, PITCH, 2 * PITCH + APART - GAP, 3 * PITCH + APART - GAP]
    first = [int(body[y, 0, 0]) for y in rows]
    assert first == [100, 105, 110, 110 + len(STEPS)]
    said = words(figure)
    assert said.count("0.12 to 0.62") == 2
    assert {"small", "large", "z + t d", "From small to large"} <= set(said)
    assert any("t = 0, 0.2, 0.4, 0.6, 0.8, 1;" in text for text in said)
    assert any("for a trial" in text for text in said)


def test_without_anything_to_show_the_figure_says_why(finished: Layout) -> None:
    write(finished, [])
    figure = drawn(finished)
    assert not figure.axes
    assert any("for a trial" in text and "for a direction" in text for text in words(figure))


def test_no_words_overlap_or_leave_the_page(finished: Layout) -> None:
    write(finished, [*trial(), *turned()])
    figure = drawn(finished)
    with matplotlib.style.context(STYLE):
        figure.draw_without_rendering()
        boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
        pictures = [axes.get_window_extent() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.y0 >= 0 for _, box in boxes)
    assert all(box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for _, box in boxes)
    assert not [word for word, box in boxes if any(box.overlaps(picture) for picture in pictures)]
    assert not [(a, b) for n, (a, one) in enumerate(boxes) for b, two in boxes[:n] if one.overlaps(two)]


def test_it_is_drawn_and_explained_where_attributes_are_known_and_nowhere_else(
    finished: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(finished, [*trial(), *turned()])
    monkeypatch.setattr(AcganConfig, "abilities", property(lambda _: frozenset({"latent"})))
    with pytest.raises(UserError, match="needs classes that are attributes"):
        draw("arithmetic", finished, settings.figures.arithmetic, SPLITS)
    source = json.loads(finished.source.read_text()) | {"has": ["images", "attributes"]}
    finished.source.write_text(json.dumps(source))
    draw("arithmetic", finished, settings.figures.arithmetic, SPLITS)
    assert finished.figure("arithmetic").exists()
    assert "Judge: small-cnn" in protocol("arithmetic", Results(finished, SPLITS), settings)
