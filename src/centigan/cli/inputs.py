"""What each verb is made from, looked for before any work. docs/staleness.md has the same as a table."""

from collections.abc import Callable, Sequence
from pathlib import Path

from centigan.layout import WHOLE, Layout
from centigan.needed import need
from centigan.settings import Settings

OF_FEATURES = ("features", "inception_score", "smoothness")  # they need the judge where it makes the features
MEASURED = ("accuracy", "ms_ssim", "ms_ssim_in_training", "intra_class", "neighbours", "smoothness")
MEASURED_OF_ALL = ("inception_score", "distribution", "classification")
MADE_FROM: dict[str, tuple[str, ...]] = {
    "arrays": ("index",),
    "train": ("arrays",),
    "sample": ("train",),
    "latent": ("train",),
    "reconstruct": ("arrays", "train"),
    "judge": ("index", "arrays"),
    "accuracy": ("arrays", "sample", "judge"),
    "ms_ssim": ("arrays", "sample"),
    "ms_ssim_in_training": ("train",),
    "features": ("arrays", "sample", "judge"),
    "inception_score": ("judge", "features"),
    "distribution": ("features",),
    "intra_class": ("features",),
    "classification": ("features",),
    "neighbours": ("arrays", "sample"),
    "smoothness": ("latent", "judge"),
    "tables": ("index", "judge", "train", *MEASURED, *MEASURED_OF_ALL),
}
WRITTEN_LAST: dict[str, Callable[[Layout, str], Path]] = {  # the file that tells that a split's part is whole
    "index": lambda layout, split: layout.index(split),
    "arrays": lambda layout, split: layout.arrays(split) / "manifest.json",
    "train": lambda layout, split: layout.train(split) / "manifest.json",
    "sample": lambda layout, split: layout.samples(split) / "manifest.json",
    "latent": lambda layout, split: layout.latent(split) / "manifest.json",
    "judge": lambda layout, split: layout.judge / "manifest.json",
    "features": lambda layout, split: layout.features(split) / "manifest.json",
    "smoothness": lambda layout, split: layout.metric("latent", split),
}


def need_inputs(rule: str, layout: Layout, loaded: Settings, splits: Sequence[str]) -> None:
    """Make sure that what a rule is made from is there, for these splits.

    Raises:
        UserError: naming what is missing, and what makes it.
    """
    need(inputs(rule, layout, loaded, splits))


def inputs(rule: str, layout: Layout, loaded: Settings, splits: Sequence[str]) -> list[Path]:
    """The files whose presence tells that a rule can be run for these splits."""
    paths: dict[Path, None] = {}  # each once, in order
    for source in MADE_FROM[rule]:
        if source == "judge" and rule in OF_FEATURES and loaded.features.network != "judge":
            continue
        for split in splits:
            paths[_written_last(source, layout, split)] = None
    return list(paths)


def _written_last(source: str, layout: Layout, split: str) -> Path:
    if source in WRITTEN_LAST:
        return WRITTEN_LAST[source](layout, split)
    return layout.metric(source, WHOLE if source in MEASURED_OF_ALL else split)
