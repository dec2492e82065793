"""The paper's published numbers beside ours: tables/comparison.csv.

A result is comparable only where data, judge and size agree with the paper's; otherwise it says what differs.
What a run chose, such as its number of classes, is no result and is not called comparable.
"""

import re
from collections.abc import Sequence

import pandas as pd

from centigan.catalogue import Subject, why_no_number
from centigan.data.ilsvrc2012 import IDS, KNOWN
from centigan.layout import Layout
from centigan.reporting import absent
from centigan.reporting.formats import write_latex, write_table
from centigan.reporting.published import PUBLISHED, Published
from centigan.reporting.results import Results

PAPER_RESOLUTION = 128
PAPER_PAIRS = 100
PAPER_JUDGES = ("inception-v3", "inception-2015")  # the network of 2015, as two libraries publish it
SHRUNK = "ImageNet of "  # a source of a fixed small size: "ImageNet of 64 px as npz"
PAPER_SCORED = 25_000  # images behind the Inception score, section 4.4

SET_UP = "set-up"  # in the column `comparable`, in place of yes and no
CAVEATS = {"samples"}  # told, but no reason to call a row incomparable
# names of numbers shown with two decimals
WITH_DECIMALS = ("ms_ssim/training", "ms_ssim/gen", "accuracy_ms", "latent/", "neighbours/ms_ssim")


def write_comparison(layout: Layout, split_names: Sequence[str], *, network: str) -> None:
    """Write tables/comparison from summary.json, classes.csv, source.json and the judge's manifest.

    `network` is the one behind the Inception score; "judge" stands for the judge's own.
    """
    results = Results(layout, split_names)
    judge = str(results.judge["name"]) if results.judged else "none"
    table = compare(
        results.summary,
        judge=judge,
        network=judge if network == "judge" else network,
        source=str(results.source["source"]),
        of_imagenet=len(KNOWN.intersection(results.classes["class_id"])),
        subject=results.subject,
    )
    write_table(layout, "comparison", table)
    write_latex(layout, "comparison", table, caption="AC-GAN's published numbers beside this run's.")


def compare(
    summary: dict[str, float], *, judge: str, network: str, source: str, of_imagenet: int, subject: Subject
) -> pd.DataFrame:
    """Rows id, measurement, paper, ours, difference, comparable (yes, no, set-up), why.

    Args:
        of_imagenet: how many of the classes are ImageNet's.
    """
    found = differences(summary, judge=judge, network=network, source=source, of_imagenet=of_imagenet)
    return pd.DataFrame([_row(published, summary, found, subject) for published in PUBLISHED])


def differences(
    summary: dict[str, float], *, judge: str, network: str, source: str, of_imagenet: int
) -> dict[str, str]:
    """What differs from the paper's protocol, by the names that `Published.needs` uses, in words."""
    classes, side = int(summary["data/classes"]), int(summary.get("model/resolution", 0))
    pairs = int(summary.get("ms_ssim/pairs", 0))
    found = {
        "held out": "ours are held-out images, the paper's are training images",
        "samples": f"{summary['images/generated'] / classes:.0f} samples a class, the paper states none",
        "sign": "no square is negative: the printed value is perhaps r, or r² with the sign of r",
        "own size": f"at the judge's own 299 px, ours at {side} px",
        "seen": "the paper looks at pictures and states no number",
        "study": "measured by a study of many experiments",
        "other model": "not AC-GAN's, but what it was compared with",
    }
    if of_imagenet < classes:
        found["data"] = f"other data: {classes} classes, not ImageNet's {len(IDS)}"
    elif classes < len(IDS):
        found["data"] = f"a part of the data: {classes} of ImageNet's {len(IDS)} classes"
    elif source.startswith(SHRUNK):
        found["data"] = f"other data: {source}, shrunk before they were read"
    if classes < len(IDS):
        found["chance"] = f"1 % is ten times chance for 1000 classes; chance is {100 / classes:.3g} % here"
    if source != "CIFAR-10":
        found["CIFAR-10"] = f"other data: {source}, not CIFAR-10"
    if network != "inception-2015":
        found["network"] = f"scored by {network}, not by the Inception network of 2015"
    if (scored := summary.get("inception_score/fresh/images")) != PAPER_SCORED:
        found["scored"] = f"{scored or 0:,.0f} images, not {PAPER_SCORED:,}"
    if judge not in PAPER_JUDGES:
        found["judge"] = f"other judge: {judge}, not Inception v3"
    if side != PAPER_RESOLUTION:
        found["size"] = f"R is {side} px, not {PAPER_RESOLUTION}" if side else "points, not images"
    if pairs and pairs != PAPER_PAIRS:
        found["pairs"] = f"{pairs} pairs a class, not {PAPER_PAIRS}"
    return found


def _row(
    published: Published, summary: dict[str, float], found: dict[str, str], subject: Subject
) -> dict[str, str]:
    name = _resolve(published.ours, int(summary.get("model/resolution", 0)))
    hit = [need for need in published.needs if need in found]
    why = [found[need] for need in hit]
    if published.study:
        why.append(f"snakemake --config study={published.study}")
    if name and name not in summary:
        why.insert(0, why_no_number(name, subject) or absent.why(name) or "not measured")
    fair = name in summary and not set(hit) - CAVEATS
    return {
        "id": published.id,
        "measurement": published.measurement,
        "paper": published.paper,
        "ours": _show(name, summary),
        "difference": _difference(published.paper, name, summary),
        "comparable": ("yes" if fair else "no") if published.needs else SET_UP,
        "why": "; ".join(why) if published.needs or why else "a fact of the set-up",
    }


def _resolve(name: str, side: int) -> str:
    for part, pixels in (("{R}", side), ("{2R}", 2 * side), ("{R/2}", side // 2), ("{R/4}", side // 4)):
        name = name.replace(part, str(pixels))
    return name


def _show(name: str, summary: dict[str, float]) -> str:
    """Our number as the paper would print it; an empty text where there is none."""
    if name not in summary:
        return ""
    value, std = summary[name], summary.get(f"{name}/std")
    if _is_share(name):
        return f"{100 * value:.1f} %" if std is None else f"{100 * value:.1f} ± {100 * std:.1f} %"
    if name.startswith("inception_score"):
        return f"{value:.2f}" if std is None else f"{value:.2f} ± {std:.2f}"
    return f"{value:.2f}" if name.startswith(WITH_DECIMALS) else f"{value:g}"


def _difference(paper: str, name: str, summary: dict[str, float]) -> str:
    """Ours less the paper's, in its unit; an empty text where either is no number."""
    published = re.search(r"-?\d+(\.\d+)?(?= ±| %|$)", paper)
    if published is None or name not in summary:
        return ""
    if _is_share(name):
        return f"{100 * summary[name] - float(published[0]):+.1f} points"
    less = summary[name] - float(published[0])
    return f"{less:+.2f}" if name.startswith((*WITH_DECIMALS, "inception_score")) else f"{less:+g}"


def _is_share(name: str) -> bool:
    return name.startswith(("accuracy/held_out", "accuracy/generated", "judge/")) or "share_" in name
