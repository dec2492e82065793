"""The paper's published numbers beside ours: tables/comparison.csv.

The numbers are those of AC-GAN (arXiv:1610.09585), figures 3, 5, 6 and 11 and sections 4.1 to 4.4. A row
is comparable only where data, judge and size agree with the paper's; otherwise it says what differs.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from centigan.data.ilsvrc2012 import IDS
from centigan.layout import Layout
from centigan.reporting.formats import write_latex, write_table
from centigan.reporting.results import Results

PAPER_RESOLUTION = 128
PAPER_PAIRS = 100
PAPER_JUDGES = ("inception-v3", "inception-2015")  # the network of 2015, as two libraries publish it
PAPER_SCORED = 25_000  # images behind the Inception score, section 4.4

COUNT = ()  # a plain fact of the set-up, comparable whatever the data
JUDGED_REAL = ("data", "judge", "size", "held out")
JUDGED = ("data", "judge", "size", "samples")
PAIRED = ("data", "size", "pairs")
BOTH = ("data", "judge", "size", "pairs")
SCORED = ("CIFAR-10", "network", "scored")
SEEN = ("seen",)
LATER = ("later",)
CAVEATS = {"samples"}  # told, but no reason to call a row incomparable
# names of numbers shown with two decimals
WITH_DECIMALS = ("ms_ssim/real", "ms_ssim/gen", "accuracy_ms", "latent/", "neighbours/ms_ssim")


class Published(NamedTuple):
    """One number of the paper."""

    id: str  # where it stands
    measurement: str
    paper: str
    ours: str  # name in summary.json; {R}, {2R}, {R/2}, {R/4}: the model's resolution and its parts
    needs: tuple[str, ...]  # names of `differences` that a fair comparison must be free of


PUBLISHED = (
    Published("Sec 4", "Classes", "1000", "data/classes", COUNT),
    Published("Sec 4", "Models, one a split", "100", "data/splits", COUNT),
    Published("Sec 4", "Classes that a model learns", "10", "data/classes_of_a_split", COUNT),
    Published("Sec 4", "Side R of the model's images, px", "128", "model/resolution", COUNT),
    Published("Fig 3", "Subsets behind the error bar", "10", "accuracy/subsets", COUNT),
    Published("Sec 4.2", "Pairs of images of a class", "100", "ms_ssim/pairs", COUNT),
    Published(
        "Sec 4",
        "Accuracy of the judge on real images",
        "78.8 %",
        "judge/accuracy_held_out",
        ("data", "judge", "own size"),
    ),
    Published("Fig 3", "Accuracy of real images at R/4", "24 %", "accuracy/real/{R/4}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at R/2", "54 %", "accuracy/real/{R/2}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at R", "81 %", "accuracy/real/{R}", JUDGED_REAL),
    Published("Fig 3", "Accuracy of real images at 2R", "81 %", "accuracy/real/{2R}", JUDGED_REAL),
    Published("Sec 4.1", "Accuracy of samples at R", "10.1 ± 2.0 %", "accuracy/generated/{R}", JUDGED),
    Published("Sec 4.1", "... resized to R/2", "7.0 ± 2.0 %", "accuracy/generated/{R/2}", JUDGED),
    Published("Sec 4.1", "... resized to R/4", "5.0 ± 2.0 %", "accuracy/generated/{R/4}", JUDGED),
    Published(
        "Fig 3",
        "Share of classes more accurate at R than at R/4",
        "84.4 %",
        "accuracy/share_below_diagonal",
        JUDGED,
    ),
    Published("Fig 5", "MS-SSIM of the most uniform real class", "0.25", "ms_ssim/real/max", PAIRED),
    Published("Fig 5", "Std of MS-SSIM in a real class", "0.06", "ms_ssim/real/std", PAIRED),
    Published("Fig 5", "Std of MS-SSIM in a generated class", "0.08", "ms_ssim/generated/std", PAIRED),
    Published(
        "Fig 5",
        "Share of generated classes below the most uniform real class",
        "84.7 %",
        "ms_ssim/share_below_max_real",
        PAIRED,
    ),
    Published(
        "Fig 6",
        "Pearson's r of accuracy and MS-SSIM",
        "r² = -0.16",
        "accuracy_ms_ssim/r",
        (*BOTH, "sign"),
    ),
    Published("Fig 6", "its square, r²", "r² = -0.16", "accuracy_ms_ssim/r2", (*BOTH, "sign")),
    Published(
        "Sec 4.3",
        "Share with accuracy ≤ 1 %, of classes with MS-SSIM ≥ 0.25",
        "74 %",
        "accuracy_ms_ssim/share_low_diversity_inaccurate",
        (*BOTH, "chance"),
    ),
    Published(
        "Sec 4.3",
        "Share with accuracy > 1 %, of classes with MS-SSIM < 0.25",
        "78 %",
        "accuracy_ms_ssim/share_high_diversity_accurate",
        (*BOTH, "chance"),
    ),
    Published(
        "Sec 4.4", "Inception score of fresh CIFAR-10 samples", "8.25 ± 0.07", "inception_score/fresh", SCORED
    ),
    Published("Sec 4.4", "the best score before, by another model", "8.09 ± 0.07", "", ("other model",)),
    Published(
        "Fig 7",
        "Samples that copy a training image (L1)",
        "none seen",
        "neighbours/duplicates/generated",
        SEEN,
    ),
    Published(
        "Fig 7",
        "Share of samples nearer to training images than held-out ones",
        "none stated",
        "neighbours/l1/share_closer",
        SEEN,
    ),
    Published(
        "Fig 10",
        "Median of 1 - MS-SSIM to the nearest training image",
        "none stated",
        "neighbours/ms_ssim/median_generated",
        SEEN,
    ),
    Published(
        "Fig 8",
        "Largest step of a walk in z, of its mean step",
        "no holes seen",
        "latent/linear/largest_over_mean",
        SEEN,
    ),
    Published("Fig 11", "MS-SSIM of ten classes, as a model learns 10 to 100", "soon above 0.25", "", LATER),
    Published("App D", "A plain GAN for each class", "not reliable", "", LATER),
    Published("Sec 4.4", "CIFAR-10 models searched", "27", "", LATER),
)

NO_VALUE = {  # why a name may be absent from summary.json
    "accuracy_ms_ssim/share_low_diversity_inaccurate": "no class has MS-SSIM ≥ 0.25",
    "accuracy_ms_ssim/share_high_diversity_accurate": "no class has MS-SSIM < 0.25",
    "accuracy_ms_ssim/r": "all classes are equal in accuracy or in MS-SSIM",
    "accuracy_ms_ssim/r2": "all classes are equal in accuracy or in MS-SSIM",
}


def write_comparison(layout: Layout, split_names: Sequence[str], *, network: str) -> None:
    """Write tables/comparison from summary.json, classes.csv, source.json and the judge's manifest.

    `network` is the one behind the Inception score; "judge" stands for the judge's own.
    """
    results = Results(layout, split_names)
    judge = str(results.judge["name"])
    table = compare(
        results.summary,
        judge=judge,
        network=judge if network == "judge" else network,
        source=str(results.source["source"]),
        is_imagenet=set(results.classes["class_id"]) == set(IDS),
    )
    write_table(layout, "comparison", table)
    write_latex(layout, "comparison", table, caption="AC-GAN's published numbers beside this run's.")


def compare(
    summary: dict[str, float], *, judge: str, network: str, source: str, is_imagenet: bool
) -> pd.DataFrame:
    """Rows id, measurement, paper, ours, difference, comparable (yes or no), why."""
    found = differences(summary, judge=judge, network=network, source=source, is_imagenet=is_imagenet)
    return pd.DataFrame([_row(published, summary, found) for published in PUBLISHED])


def differences(
    summary: dict[str, float], *, judge: str, network: str, source: str, is_imagenet: bool
) -> dict[str, str]:
    """What differs from the paper's protocol, by the names that `Published.needs` uses, in words."""
    classes, side = int(summary["data/classes"]), int(summary["model/resolution"])
    pairs = int(summary["ms_ssim/pairs"])
    found = {
        "held out": "ours are held-out images, the paper's are training images",
        "samples": f"{summary['images/generated'] / classes:.0f} samples a class, the paper states none",
        "sign": "no square is negative: the printed value is perhaps r, or r² with the sign of r",
        "own size": f"at the judge's own 299 px, ours at {side} px",
        "seen": "the paper looks at pictures and states no number",
        "later": "not run by this experiment",
        "other model": "not AC-GAN's, but what it was compared with",
    }
    if not is_imagenet:
        found["data"] = f"other data: {classes} classes, not ImageNet's {len(IDS)}"
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
        found["size"] = f"R is {side} px, not {PAPER_RESOLUTION}"
    if pairs != PAPER_PAIRS:
        found["pairs"] = f"{pairs} pairs a class, not {PAPER_PAIRS}"
    return found


def _row(published: Published, summary: dict[str, float], found: dict[str, str]) -> dict[str, str]:
    name = _resolve(published.ours, int(summary["model/resolution"]))
    hit = [need for need in published.needs if need in found]
    why = [found[need] for need in hit]
    if name and name not in summary:
        why.insert(0, NO_VALUE.get(name, "not measured"))
    fair = name in summary and not set(hit) - CAVEATS
    return {
        "id": published.id,
        "measurement": published.measurement,
        "paper": published.paper,
        "ours": _show(name, summary),
        "difference": _difference(published.paper, name, summary),
        "comparable": "yes" if fair else "no",
        "why": "; ".join(why) if published.needs else "a fact of the set-up",
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
    return name.startswith(("accuracy/real", "accuracy/generated", "judge/")) or "share_" in name
