"""What each verb is made from, looked for before any work. docs/staleness.md has the same as a table."""

from collections.abc import Callable, Sequence
from pathlib import Path

from centigan.catalogue import METRICS, all_files, applying, subject_of_settings, why_not_made
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.needed import need
from centigan.settings import Settings
from centigan.settings.families.contract import ByCaption

JUDGE_OF_FEATURES = "judge_of_features"  # the judge, where its network makes the features
MADE_FROM: dict[str, tuple[str, ...]] = {
    "arrays": ("index",),
    "text": ("arrays",),
    "embed": ("arrays", "text"),
    "train": ("arrays",),
    "sample": ("train",),
    "latent": ("train",),
    "reconstruct": ("arrays", "train"),
    "demonstrate": ("arrays", "train"),
    "judge": ("index", "arrays"),
    "features": (JUDGE_OF_FEATURES, "arrays", "sample"),
    "features_of_real": (JUDGE_OF_FEATURES, "arrays"),
    **{f"measure {name}": metric.reads for name, metric in METRICS.items()},
    **{f"measure_real {name}": metric.of_real for name, metric in METRICS.items() if metric.of_real},
    "tables": ("index", "judge", "train", "measure", "measure_real"),
}
BY_CAPTION = {"train", "sample", "demonstrate"}  # of a family that is given captions: with those, too
WRITTEN_LAST: dict[str, Callable[[Layout, str], Path]] = {  # the file that tells that a split's part is whole
    # other splits than the protocol's have no index of their own
    "index": lambda layout, split: layout.index(split) if layout.home == layout.shared else layout.classes,
    "arrays": lambda layout, split: layout.arrays(split) / "manifest.json",
    "text": lambda layout, split: layout.text / "manifest.json",
    "embed": lambda layout, split: layout.captions(split) / "manifest.json",
    "train": lambda layout, split: layout.train(split) / "manifest.json",
    "sample": lambda layout, split: layout.samples(split) / "manifest.json",
    "latent": lambda layout, split: layout.latent(split) / "manifest.json",
    "demonstrate": lambda layout, split: layout.demonstrations(split) / "manifest.json",
    "judge": lambda layout, split: layout.judge / "manifest.json",
    JUDGE_OF_FEATURES: lambda layout, split: layout.judge / "manifest.json",
    "features": lambda layout, split: layout.features(split) / "manifest.json",
    "features_of_real": lambda layout, split: layout.real_features(split) / "manifest.json",
}


def need_inputs(rule: str, layout: Layout, loaded: Settings, splits: Sequence[str]) -> None:
    """Make sure that what a rule is made from is there, for these splits.

    Raises:
        UserError: naming what is missing, and what makes it; or where the rule makes nothing of such data and
            such a model.
    """
    if reason := why_not_made(rule, subject_of_settings(loaded)):
        raise UserError(f"{rule} {reason}")
    need(inputs(rule, layout, loaded, splits))


def inputs(rule: str, layout: Layout, loaded: Settings, splits: Sequence[str]) -> list[Path]:
    """The files whose presence tells that a rule can be run for these splits; of metrics those that apply."""
    paths: dict[Path, None] = {}  # each once, in order
    metrics = applying(METRICS, subject_of_settings(loaded))
    by_caption = isinstance(loaded.model, ByCaption) and rule in BY_CAPTION
    by_features = rule == "text" and loaded.text.images == "features"
    further = [*(["embed"] if by_caption else []), *(["features_of_real"] if by_features else [])]
    for source in (*MADE_FROM[rule], *further):
        if source == JUDGE_OF_FEATURES and loaded.features.network != "judge":
            continue
        if source == "judge" and rule == "tables" and not loaded.data.judged:
            continue
        if source in {"measure", "measure_real"}:
            found = all_files(metrics, layout, splits, real=source == "measure_real")
        else:
            found = [WRITTEN_LAST[source](layout, split) for split in splits]
        paths |= dict.fromkeys(found)
    if rule == "train" and (parent := loaded.model.parent):
        begun_with = Layout(parent, layout.root)
        paths |= {WRITTEN_LAST["train"](begun_with, split): None for split in splits}
    return list(paths)
