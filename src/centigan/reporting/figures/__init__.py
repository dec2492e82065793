"""Figures of an experiment: figures/<name>.{svg,png}, from tables, metrics, journals and images.

The counterparts of AC-GAN's figures 1, 3 to 10 and of Appendix E (arXiv:1610.09585), a file a subject.
The paper's own points are not drawn in: data and judge differ in all but the ImageNet experiments; its
numbers stand in the comparison.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

from centigan import catalogue
from centigan.atomic import atomic_path
from centigan.catalogue import why_not
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.figures import (
    accuracy,
    arithmetic,
    code_neighbours,
    codes,
    demonstration,
    density,
    diversity,
    latent,
    neighbours,
    pictures,
    plane,
    reconstructions,
    shift,
    training,
)
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

STYLE = Path(__file__).with_name("style.mplstyle")
FIGURES: dict[str, Callable[[Results, Any], Figure]] = {  # Any: the figure's own entry of FiguresSettings
    "examples": pictures.examples,
    "resolution_strip": pictures.resolution_strip,
    "accuracy_by_resolution": accuracy.accuracy_by_resolution,
    "accuracy_by_class": accuracy.accuracy_by_class,
    "ms_ssim_examples": pictures.ms_ssim_examples,
    "ms_ssim_by_class": diversity.ms_ssim_by_class,
    "ms_ssim_pairs": diversity.ms_ssim_pairs,
    "ms_ssim_in_training": diversity.ms_ssim_in_training,
    "accuracy_and_ms_ssim": diversity.accuracy_and_ms_ssim,
    "neighbours_l1": neighbours.neighbours_l1,
    "neighbours_ms_ssim": neighbours.neighbours_ms_ssim,
    "memorisation": neighbours.memorisation,
    "interpolation": latent.interpolation,
    "class_grid": latent.class_grid,
    "reconstructions": reconstructions.reconstructions,
    "codes": codes.codes,
    "code_neighbours": code_neighbours.code_neighbours,
    "shift": shift.shift,
    "demonstration": demonstration.demonstration,
    "arithmetic": arithmetic.arithmetic,
    "plane": plane.plane,
    "density": density.density,
    "circles": plane.circles,
    "plane_in_training": plane.plane_in_training,
    "random_samples": pictures.random_samples,
    "training_curves": training.training_curves,
    "gallery": pictures.gallery_of_all,
}


def draw(name: str, layout: Layout, settings: FigureSettings, split_names: Sequence[str]) -> None:
    """Write figures/<name>.svg and .png; the same input gives the same bytes.

    Raises:
        UserError: for an unknown figure, one that does not apply, or a missing file that it is drawn from.
    """
    if name not in FIGURES:
        raise UserError(f"there is no figure {name!r}; there are: {', '.join(FIGURES)}")
    results = Results(layout, split_names)
    if reason := why_not(catalogue.FIGURES[name], results.subject):
        raise UserError(f"figure {name} {reason}")
    with matplotlib.style.context(STYLE):
        save(FIGURES[name](results, settings), layout.figure(name))


def save(figure: Figure, drawing: Path) -> None:
    """Write a figure as SVG, and as PNG beside it; the same figure gives the same bytes."""
    for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
        with atomic_path(drawing.with_suffix(f".{suffix}")) as temporary:
            figure.savefig(temporary, format=suffix, metadata=metadata)
