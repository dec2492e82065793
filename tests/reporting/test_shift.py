"""The figure of an image beside its shift."""

import matplotlib.style
import pandas as pd
import pytest

from centigan.layout import Layout
from centigan.metrics.shift import COLUMNS
from centigan.reporting.figures import STYLE
from centigan.reporting.figures.shift import shift
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

SPLITS = ["00", "01"]


def test_each_distance_has_a_curve_from_no_shift_on_the_mean_over_splits(finished: Layout) -> None:
    for number, split in enumerate(SPLITS):
        rows = [
            (distance, pixels, per_pixel * pixels + 0.1 * number, 9)
            for distance, per_pixel in (("pixels", 0.4), ("features", 0.2))
            for pixels in (1, 2)
        ]
        path = finished.metric("shift", split)
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=list(COLUMNS)).to_parquet(path, index=False)
    with matplotlib.style.context(STYLE):
        figure = shift(Results(finished, SPLITS), FigureSettings(title="Shift"))
    of_pixels, of_features, as_another = figure.axes[0].lines
    assert list(of_pixels.get_xdata()) == [0, 1, 2]
    assert list(of_pixels.get_ydata()) == pytest.approx([0, 0.45, 0.85])
    assert list(of_features.get_ydata()) == pytest.approx([0, 0.25, 0.45])
    assert set(as_another.get_ydata()) == {1}
