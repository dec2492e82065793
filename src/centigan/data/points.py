"""Points in a plane or on a line, in the place of images: what a generator misses is seen at a glance.

A set is one text file, points.csv: subset (train or held_out), class_id, then a column a dimension. Those
that ship are drawn here, seeded:

ring        8 Gaussians, radius 2, std .02 (Metz et al. 2017); a class each.
grid        5 x 5 Gaussians, 2 apart, std .05, all divided by 2.828 (Gulrajani et al. 2017); a class each.
circles     two circles, radii 1 and 1/2, noise .05 (scikit-learn), divided by their std; a class each.
swiss_roll  scikit-learn's, its second coordinate left out, divided by 7.5 (Gulrajani et al. 2017).
line        N(4, .5^2), one dimension (Goodfellow et al. 2014, Fig 1).
"""

from collections.abc import Callable
from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.csv_file import write_csv
from centigan.data.decode import BadImage
from centigan.data.outcome import Outcome
from centigan.data.sources.listing import Range, Rejected, read_ranges
from centigan.data.sources.points import FILE, FIRST
from centigan.errors import UserError
from centigan.manifest import write_digests
from centigan.settings.sources import ABOUT, DRAWN

COUNTS = {"train": 10_000, "held_out": 2_000}
SEED = 0
Points = NDArray[np.float32]
Labelled = tuple[NDArray[np.float64], NDArray[np.int64]]  # (N, d), (N,)


def put_in_place(source: str, root: Path) -> None:
    """Write root/points.csv of a set that ships, and root/manifest.json last."""
    frames = []
    for stream, (subset, count) in enumerate(COUNTS.items()):
        points, labels = DRAWING[source](count, np.random.default_rng([SEED, stream]))
        columns = {f"x{n + 1}": [f"{x:.6f}" for x in points[:, n]] for n in range(points.shape[1])}
        width = len(str(labels.max()))
        named = [f"{label:0{width}d}" for label in labels]
        frames.append(pd.DataFrame({"subset": subset, "class_id": named, **columns}))
    with atomic_path(root / FILE) as temporary:
        write_csv(temporary, pd.concat(frames))
    write_digests(root, [root / FILE])


def gather_points(target: Path, rows: pd.DataFrame, dimensions: int, *, reject: bool) -> Outcome:
    """Write float32 (N, d) of the index's rows, N being those that are whole.

    Raises:
        UserError: for the first bad line, unless `reject`.
    """
    outcome, found = Outcome(), []
    ranges = [Range(*row) for row in rows[list(Range._fields)].itertuples(index=False, name=None)]
    for row, (place, line) in enumerate(zip(ranges, read_ranges(ranges), strict=True)):
        named = f"{place.name} in {place.path}"
        try:
            found.append(decode_point(line, dimensions))
            outcome.kept.append(row)
        except BadImage as error:
            if not reject:
                raise UserError(
                    f"{named} {error}; mend it, or set data.on_bad_image: reject to leave such lines out"
                ) from error
            outcome.rejected.append(Rejected(named, str(error)))
    with atomic_path(target) as temporary:
        np.save(temporary, np.array(found, np.float32).reshape(-1, dimensions))
    return outcome


def decode_point(line: bytes, dimensions: int) -> Points:
    """float32 (d,) of one line of points.csv.

    Raises:
        BadImage: for a line without so many finite numbers.
    """
    try:
        with np.errstate(over="ignore"):  # beyond float32 it is infinite, and said below
            found = np.array(line.decode("ascii").strip().split(",")[len(FIRST) :], np.float32)
    except ValueError as error:
        raise BadImage(f"is no point: {error}") from None
    if len(found) != dimensions or not np.isfinite(found).all():
        raise BadImage(f"has not {dimensions} finite coordinates")
    return found


def _gaussians(centres: NDArray[np.float64], std: float, count: int, rng: np.random.Generator) -> Labelled:
    labels = np.arange(count) % len(centres)
    return centres[labels] + std * rng.standard_normal((count, centres.shape[1])), labels


def _ring(count: int, rng: np.random.Generator) -> Labelled:
    angles = [2 * pi * n / 8 for n in range(8)]
    return _gaussians(np.array([(2 * cos(a), 2 * sin(a)) for a in angles]), 0.02, count, rng)


def _grid(count: int, rng: np.random.Generator) -> Labelled:
    steps = np.arange(-4.0, 5.0, 2.0)
    points, labels = _gaussians(np.array([(x, y) for y in steps for x in steps]), 0.05, count, rng)
    return points / 2.828, labels


def _circles(count: int, rng: np.random.Generator) -> Labelled:
    from sklearn.datasets import make_circles  # takes a second to import

    points, labels = make_circles(count, noise=0.05, factor=0.5, random_state=int(rng.integers(2**31)))
    return points / points.std(), labels


def _swiss_roll(count: int, rng: np.random.Generator) -> Labelled:
    from sklearn.datasets import make_swiss_roll

    points, _ = make_swiss_roll(count, noise=0.25, random_state=int(rng.integers(2**31)))
    return points[:, [0, 2]] / 7.5, np.zeros(count, np.int64)


def _line(count: int, rng: np.random.Generator) -> Labelled:
    return rng.normal(4, 0.5, (count, 1)), np.zeros(count, np.int64)


DRAWING: dict[str, Callable[[int, np.random.Generator], Labelled]] = {
    "ring": _ring,
    "grid": _grid,
    "circles": _circles,
    "swiss_roll": _swiss_roll,
    "line": _line,
}
assert DRAWING.keys() == {name for name, one in ABOUT.items() if one.put_by == DRAWN}
