"""The figure of held-out images and their nearest training images."""

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from centigan.layout import Layout
from centigan.reporting.figures import STYLE
from centigan.reporting.figures.code_neighbours import code_neighbours
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings


def drawn(layout: Layout) -> Figure:
    rows = [
        ("a", 0, "trained", 1, 1, "a"),
        ("a", 0, "trained", 2, 0, "a"),
        ("a", 0, "untrained", 1, 2, "b"),
        ("a", 0, "untrained", 2, 1, "a"),
        ("a", 0, "pixels", 1, 2, "b"),
        ("a", 0, "pixels", 2, 1, "a"),
    ]
    columns = ["class_id", "image", "features", "rank", "neighbour", "neighbour_class"]
    path = layout.metric("code_neighbours", "00")
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).iloc[::-1].to_parquet(path)  # in any order
    folder = layout.arrays("00")
    folder.mkdir(parents=True, exist_ok=True)
    for name, greys in (("images", [10, 20, 30]), ("held_out_images", [200])):
        of = np.array(greys, np.uint8)[:, None, None, None]
        np.save(folder / f"{name}.npy", np.broadcast_to(of, (len(greys), 32, 32, 3)))
    results = Results(layout, ["00"])
    results.__dict__["summary"] = {
        "code_neighbours/trained": 1.0,
        "code_neighbours/pixels": 0.5,
        "model/resolution": 32,
    }
    results.__dict__["subject"] = type(results.subject)(
        "BiGAN", frozenset({"represents", "labels", "images"})
    )
    with matplotlib.style.context(STYLE):
        return code_neighbours(results, FigureSettings(title="Near"))


def test_a_query_stands_before_its_neighbours_by_features_and_again_by_pixels(finished: Layout) -> None:
    figure = drawn(finished)
    body = np.asarray(figure.axes[0].images[0].get_array())
    rows = [row[row[:, 3] > 0][:, 0] for row in body]
    seen = [list(dict.fromkeys(row.tolist())) for row in rows if len(row)]
    assert list(dict.fromkeys(map(tuple, seen))) == [(200, 20, 10), (200, 30, 20)]


def test_a_neighbour_of_another_class_is_named_and_the_shares_are_told(finished: Layout) -> None:
    figure = drawn(finished)
    words = [text.get_text() for text in figure.texts]
    called = Results(finished, ["00"]).names
    assert words.count(f"of {called['b']}") == 1
    assert any("by its features 100.0%, by pixels 50.0%" in text for text in words)
    assert {"held out", "nearest", "2"} <= set(words)
