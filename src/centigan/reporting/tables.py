"""Tables and summary numbers of an experiment, from the metric files of all its splits.

Definitions are those of AC-GAN (arXiv:1610.09585), sections 4.1 to 4.3. Accuracies are means over
classes, so that every class weighs the same; standard deviations divide by n - 1. What has no value, such as
a share of no class at all, is left out, and tables/absent says why.
"""

import json
from collections.abc import Sequence
from functools import partial

import pandas as pd

from centigan.atomic import write_text
from centigan.catalogue import TABLES as TABLES_OF_SOME
from centigan.collapse import is_less_diverse
from centigan.errors import UserError
from centigan.layout import TABLES, Layout
from centigan.metrics.memorisation import duplicates
from centigan.reporting import scores
from centigan.reporting.absent import absences, finite, without_infinity
from centigan.reporting.formats import write_latex, write_table
from centigan.reporting.results import Results, share_correct
from centigan.reporting.thresholds import INACCURATE, LOW_FACTOR
from centigan.settings.evaluation import NeighbourSettings

FIRST_CLASSES = (2, 5, 10)
IN_A_PAPER = {  # tables that are written as LaTeX too, with their captions
    "accuracy_by_resolution": "Accuracy of real and generated images against resolution.",
    "inception_score": "Inception score of each group of images.",
    "distribution": "Distances between the features of generated or held-out images and training images.",
}


def write_tables(
    layout: Layout, split_names: Sequence[str], *, resolution: int, neighbours: NeighbourSettings
) -> None:
    """Write every table but the comparison, as CSV, Parquet and some as LaTeX, and summary.json.

    A table that does not apply has no rows; `tables/absent` says why.

    Raises:
        UserError: when a metric file is missing, or lacks a class or the resolution.
    """
    results = Results(layout, split_names)
    measured = {name: results.metric(name) for name in results.metrics}
    whole = ("inception_score", "distribution")
    tables: dict[str, pd.DataFrame] = {name: measured[name] for name in whole if name in measured}
    if "neighbours" in measured:
        tables["duplicates"] = duplicates(measured["neighbours"], neighbours.duplicate_below)
    if "accuracy" in measured:
        tables = _tables_by_class(measured, results.classes, resolution=resolution) | tables
    for name, of_some in TABLES_OF_SOME.items():
        tables.setdefault(name, pd.DataFrame(columns=list(of_some.columns)))
    summary = {
        **experiment_facts(measured, results.classes, resolution=resolution),
        **_summary_by_class(measured, tables, resolution=resolution),
        **training_summary([results.history(split) for split in split_names]),
        **_summary_of_samples(measured, neighbours),
    }
    tables = {name: without_infinity(tables[name]) for name in TABLES if name in tables}
    tables["absent"] = absences(summary, tables, results.subject)
    for name, table in tables.items():
        write_table(layout, name, table)
        if name in IN_A_PAPER:
            write_latex(layout, name, table, caption=IN_A_PAPER[name])
    write_text(layout.summary, json.dumps(_rounded(finite(summary)), indent=2, allow_nan=False) + "\n")


def _tables_by_class(
    measured: dict[str, pd.DataFrame], classes: pd.DataFrame, *, resolution: int
) -> dict[str, pd.DataFrame]:
    """The tables of a model that draws images of a class."""
    of_class = by_class(measured["accuracy"], measured["ms_ssim"], classes, resolution=resolution)
    of_class = of_class.join(pd.DataFrame(scores.of_each_class(measured)), on="class_id")
    return {
        "accuracy_by_resolution": accuracy_by_resolution(measured["accuracy"]),
        "by_class": of_class,
        "ms_ssim_pairs": scores.ms_ssim_pairs(measured["ms_ssim"]),
        "ms_ssim_in_training": measured["ms_ssim_in_training"][["class_id", "iteration", "ms_ssim"]],
    }


def _summary_by_class(
    measured: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], *, resolution: int
) -> dict[str, float]:
    """The numbers of a model that draws images of a class; none of another."""
    if "accuracy" not in measured:
        return {}
    of_class = tables["by_class"]
    asked, known = (int(measured["accuracy"][column].iloc[0]) for column in ("asked", "known"))
    return {
        **accuracy_summary(
            tables["accuracy_by_resolution"], of_class, resolution=resolution, asked=asked, known=known
        ),
        **diversity_summary(of_class),
        **joint_summary(of_class),
    }


def _summary_of_samples(measured: dict[str, pd.DataFrame], neighbours: NeighbourSettings) -> dict[str, float]:
    """What the measurements say that are not the paper's, as far as they apply."""
    of_neighbours = {"neighbours": partial(scores.neighbour_summary, settings=neighbours)}  # keeps its place
    summaries = scores.SUMMARIES | of_neighbours
    found = [summary(measured[name]) for name, summary in summaries.items() if name in measured]
    return {name: value for numbers in found for name, value in numbers.items()}


def accuracy_by_resolution(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Rows source, resolution, accuracy, std, of_known, images (Fig 3 bottom left).

    The error bar is the standard deviation, over the subsets, of the subset's mean over all classes.
    `of_known` is the accuracy where the judge chooses among all classes that it knows.
    """
    keys = ["source", "resolution"]
    of_class = share_correct(accuracy, [*keys, "class_id"])
    of_known = share_correct(accuracy, [*keys, "class_id"], "correct_of_known")
    of_subset = share_correct(accuracy, [*keys, "subset", "class_id"])
    subset_means = of_subset.groupby(level=[*keys, "subset"]).mean()
    table = pd.DataFrame(
        {
            "accuracy": of_class.groupby(level=keys).mean(),
            "std": subset_means.groupby(level=keys).std(),
            "of_known": of_known.groupby(level=keys).mean(),
            "images": accuracy.groupby(keys)["count"].sum(),
        }
    )
    return table.reset_index().sort_values(keys, ascending=[False, True], ignore_index=True)


def by_class(
    accuracy: pd.DataFrame, ms_ssim: pd.DataFrame, classes: pd.DataFrame, *, resolution: int
) -> pd.DataFrame:
    """One row a class, in the order of `classes`: its accuracies and its MS-SSIM, real and generated.

    Raises:
        UserError: when the accuracy was not measured at `resolution` and at a quarter of it.
    """
    share = share_correct(accuracy, ["source", "resolution", "class_id"])
    pairs = ms_ssim.groupby(["source", "class_id"])["ms_ssim"].agg(["mean", "std"])
    table = classes[["class_id", "split"]].set_index("class_id")
    table["accuracy_held_out"] = _at(share, "held_out", resolution)
    table["accuracy_generated"] = _at(share, "generated", resolution)
    table["accuracy_generated_low"] = _at(share, "generated", resolution // LOW_FACTOR)
    for source in ("training", "generated"):
        table[f"ms_ssim_{source}"] = pairs["mean"].loc[source]
        table[f"ms_ssim_{source}_std"] = pairs["std"].loc[source]
    return table.reset_index()


def experiment_facts(
    measured: dict[str, pd.DataFrame], classes: pd.DataFrame, *, resolution: int
) -> dict[str, float]:
    """What the numbers rest on: sizes that decide whether a comparison is fair."""
    facts: dict[str, float] = {} if "energy" in measured else {"model/resolution": resolution}
    facts |= {
        "data/classes": len(classes),
        "data/splits": classes["split"].nunique(),
        "data/classes_of_a_split": int(classes["split"].value_counts().max()),
    }
    if "energy" in measured:
        compared = measured["energy"].query("metric == 'energy'").set_index("source")["points"]
        return facts | {f"images/{source}": int(count) for source, count in compared.items()}
    if "accuracy" not in measured:
        compared = measured["distribution"].query("metric == 'fid'").set_index("source")["images"]
        counts = {"images/held_out": compared["held_out"], "images/generated": compared["generated"]}
        return facts | {name: int(count) for name, count in counts.items()}
    accuracy, ms_ssim = measured["accuracy"], measured["ms_ssim"]
    images = accuracy[accuracy["resolution"] == resolution].groupby("source")["count"].sum()
    return facts | {
        "accuracy/subsets": accuracy["subset"].nunique(),
        "ms_ssim/pairs": ms_ssim["pair"].nunique(),
        "images/held_out": int(images["held_out"]),
        "images/generated": int(images["generated"]),
    }


def accuracy_summary(
    by_resolution: pd.DataFrame, of_class: pd.DataFrame, *, resolution: int, asked: int, known: int
) -> dict[str, float]:
    """Section 4.1: accuracy by resolution, and the share of classes that profit from pixels.

    The judge was asked for `asked` classes and knows `known`.
    """
    values: dict[str, float] = {}
    columns = ["source", "resolution", "accuracy", "std", "of_known"]
    for source, pixels, accuracy, std, of_known in by_resolution[columns].itertuples(index=False, name=None):
        name = f"accuracy/{source}/{pixels}"
        values[name] = accuracy
        if pd.notna(std):
            values[f"{name}/std"] = std
        if known > asked:  # else it is the same
            values[f"{name}/of_known"] = of_known
    below = of_class["accuracy_generated_low"] < of_class["accuracy_generated"]
    values["accuracy/share_below_diagonal"] = below.mean()
    values |= {"judge/asked": asked, "judge/known": known}
    values["judge/accuracy_held_out"] = values[f"accuracy/held_out/{resolution}"]
    return values


def diversity_summary(of_class: pd.DataFrame) -> dict[str, float]:
    """Section 4.2: MS-SSIM of real and generated classes; `std` is the mean of the classes' std."""
    return {
        "ms_ssim/training/mean": of_class["ms_ssim_training"].mean(),
        "ms_ssim/training/max": of_class["ms_ssim_training"].max(),
        "ms_ssim/training/std": of_class["ms_ssim_training_std"].mean(),
        "ms_ssim/generated/mean": of_class["ms_ssim_generated"].mean(),
        **_of_first_classes(of_class),
        "ms_ssim/generated/std": of_class["ms_ssim_generated_std"].mean(),
        "ms_ssim/share_below_max_training": (~less_diverse(of_class)).mean(),
    }


def _of_first_classes(of_class: pd.DataFrame) -> dict[str, float]:
    """Mean MS-SSIM of samples of the first classes: of ten, what Fig 11 plots against those learnt."""
    samples = of_class["ms_ssim_generated"]
    return {f"ms_ssim/generated/first_{n}": samples[:n].mean() for n in FIRST_CLASSES if n <= len(samples)}


def joint_summary(of_class: pd.DataFrame) -> dict[str, float]:
    """Section 4.3: how accuracy goes with MS-SSIM; what has no value is left out."""
    accuracy, ms_ssim = of_class["accuracy_generated"], of_class["ms_ssim_generated"]
    uniform = less_diverse(of_class)
    values: dict[str, float] = {}
    if accuracy.nunique() > 1 and ms_ssim.nunique() > 1:
        pearson = accuracy.corr(ms_ssim)
        values |= {"accuracy_ms_ssim/r": pearson, "accuracy_ms_ssim/r2": pearson**2}
    if uniform.any():
        inaccurate = accuracy[uniform] <= INACCURATE
        values["accuracy_ms_ssim/share_low_diversity_inaccurate"] = inaccurate.mean()
    if not uniform.all():
        accurate = accuracy[~uniform] > INACCURATE
        values["accuracy_ms_ssim/share_high_diversity_accurate"] = accurate.mean()
    return values


def less_diverse(of_class: pd.DataFrame) -> "pd.Series[bool]":
    """For each class of `by_class`, whether its samples are less diverse than the most uniform real class."""
    found: pd.Series[bool] = is_less_diverse(
        of_class["ms_ssim_generated"], of_class["ms_ssim_training"].max()
    )
    return found


def training_summary(histories: Sequence[pd.DataFrame]) -> dict[str, float]:
    """The last logged losses, mean over splits."""
    last = pd.DataFrame([history.iloc[-1] for history in histories])
    losses = [str(name) for name in last if str(name).startswith("loss_")]
    return {f"training/{name}": last[name].mean() for name in losses}


def _at(share: "pd.Series[float]", source: str, resolution: int) -> "pd.Series[float]":
    of_source: pd.Series[float] = share.xs(source)
    measured = sorted(set(of_source.index.get_level_values("resolution")))
    if resolution not in measured:
        raise UserError(
            f"accuracy of {source} images was measured at {measured} px, but the tables need "
            f"{resolution}; add it to accuracy.resolutions (or leave that null)"
        )
    at_resolution: pd.Series[float] = of_source.xs(resolution)
    return at_resolution


def _rounded(summary: dict[str, float]) -> dict[str, float]:
    """Six digits, so that the last bits of a processor's arithmetic do not show; counts as they are."""
    return {
        name: value if isinstance(value, int) else float(f"{value:.6g}") for name, value in summary.items()
    }
