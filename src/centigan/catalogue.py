"""Everything that is measured and drawn: what it is made from, and what it needs of a family and its data.

`centigan.metrics.<name>` measures, `centigan.reporting.figures` draws. Whatever asks whether a measurement or
a figure is there for an experiment asks `why_not`. No torch and no NumPy: the Snakefile reads this.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from centigan.layout import WHOLE, Layout
from centigan.settings import Settings
from centigan.settings.data import ContentSettings
from centigan.settings.families.contract import FamilySettings
from centigan.settings.sources import having

NEEDS = {  # an ability, or something of the data: what has it, and what is said where that is lacking
    "images": ("images", "was trained on points"),
    "points": ("points", "was trained on images"),
    "labels": ("images of two classes or more", "was trained on images of one"),
    "by_class": ("a model that draws images of a class", "draws without classes"),
    "latent": ("a model with a latent space", "has none"),
    "encodes": ("a model that finds codes of images", "finds none"),
    "reconstructs": ("a model that draws an image again", "draws none again"),
    "likelihood": ("a model that tells a density of images", "tells none"),
    "binary_likelihood": ("a model that tells a likelihood of binarised images", "tells none"),
    "noisy": ("a model whose decoder has noise", "has none"),
    "classifies": ("a model that names the class of an image", "names none"),
    "clusters": ("a model that finds clusters", "finds none"),
    "represents": ("a model with features of images", "has none"),
    "discriminates": ("a model that tells how real an image looks", "tells none"),
    "density": ("a model that tells the density of a point", "tells none"),
    "demonstrates": ("a model that draws its paper's demonstration", "draws none"),
    "modes": ("points whose classes lie apart", "was trained on others"),
    "stacked_digits": ("stacked digits", "was trained on others"),
    "two_circles": ("two circles", "was trained on others"),
    "noise": ("images of noise", "was trained on others"),
    "captions": ("images with captions", "was trained on others"),
    "by_caption": ("a model that draws what a caption says", "draws without captions"),
    "matches": ("a model that tells whether an image is what a caption says", "tells nothing of captions"),
    "attributes": ("classes that are attributes", "was trained on others"),
    "without_classes": ("a model that draws without classes", "draws images of a class"),
}
ASKED_OF_MODEL = {  # by a metric itself
    "encodes",
    "reconstructs",
    "likelihood",
    "binary_likelihood",
    "noisy",
    "classifies",
    "clusters",
    "represents",
    "discriminates",
    "matches",
    "density",
    "without_classes",
}
OF_SOME_SOURCES: dict[str, Collection[str]] = {
    "modes": having("modes"),
    "attributes": having("attributes"),
    "stacked_digits": ("stacked_digits",),
    "two_circles": ("circles",),
    "noise": ("noise",),
    "captions": having("captions"),
}
OF_DATA = {"images", "points", "labels", *OF_SOME_SOURCES}  # not every source has them
IMAGES, POINTS = frozenset({"images"}), frozenset({"points"})


class Subject(NamedTuple):
    """What is measured: a family of models, and what it and its data have of NEEDS."""

    title: str  # of the family
    has: frozenset[str]


class Metric(NamedTuple):
    """One measurement: a module of `centigan.metrics`, a Parquet file of every split or of all together."""

    per: Literal["split", "all"]
    reads: tuple[str, ...]  # rules whose results the samples are measured with
    stage: str  # of settings.stages, whose one group of settings triggers it
    columns: tuple[str, ...]  # that readers rely on
    needs: frozenset[str] = frozenset()
    of_real: tuple[str, ...] = ()  # rules whose results real images are measured with, in a file of their own
    stage_of_real: str = ""  # where that is another
    own: str = (
        "generated"  # what the column `source` calls the images it measures, where there is such a column
    )
    baseline: str = ""  # what the column `source` calls those real images, where there is such a column
    of: frozenset[str] = IMAGES  # what it measures, beside `needs`
    real_first: bool = False  # where tables and figures show them before the samples
    numbers: tuple[str, ...] = ()  # of summary.json; {a,b} is either, N any number

    def names(self, splits: Sequence[str]) -> list[str]:
        """What it is measured of: each of these splits, or all together."""
        return list(splits) if self.per == "split" else [WHOLE]


class Table(NamedTuple):
    """One of the tables that only some families have."""

    columns: tuple[str, ...]  # of one without rows
    needs: frozenset[str]
    of: frozenset[str] = IMAGES


class Figure(NamedTuple):
    """One figure: metrics, tables and rules behind it, and the table that a reader finds its numbers in."""

    sources: tuple[str, ...]
    needs: frozenset[str] = frozenset()
    table: str | None = None
    of: frozenset[str] = IMAGES


Thing = TypeVar("Thing", Metric, Table, Figure)
BY_CLASS, LATENT = frozenset({"by_class", "labels"}), frozenset({"latent"})
METRICS = {
    "accuracy": Metric(
        "split",
        ("judge", "arrays", "sample"),
        "accuracy",
        (
            "class_id",
            "source",
            "resolution",
            "subset",
            "correct",
            "correct_of_known",
            "asked",
            "known",
            "count",
        ),
        needs=BY_CLASS,
        of_real=("judge", "arrays"),
        baseline="held_out",
        real_first=True,
        numbers=(
            "accuracy/{held_out,generated}/N{,/std,/of_known}",
            "accuracy/{share_below_diagonal,subsets}",
            "accuracy_ms_ssim/{r,r2,share_low_diversity_inaccurate,share_high_diversity_accurate}",
            "judge/{accuracy_held_out,asked,known}",
        ),
    ),
    "ms_ssim": Metric(
        "split",
        ("sample",),
        "ms_ssim",
        ("class_id", "source", "pair", "ms_ssim"),
        needs=BY_CLASS,
        of_real=("arrays",),
        baseline="training",
        real_first=True,
        numbers=(
            "ms_ssim/training/{mean,max,std}",
            "ms_ssim/generated/{mean,std,first_N}",
            "ms_ssim/{share_below_max_training,pairs}",
        ),
    ),
    "ms_ssim_in_training": Metric(
        "split", ("train",), "ms_ssim", ("class_id", "iteration", "ms_ssim"), needs=BY_CLASS
    ),
    "intra_class": Metric(
        "split",
        ("features", "features_of_real"),
        "distribution",
        ("class_id", "source", "fid", "precision", "recall", "density", "coverage"),
        needs=BY_CLASS,
        of_real=("features_of_real",),
        baseline="held_out",
        numbers=("fid/intra_class/{generated,held_out}",),
    ),
    "neighbours": Metric(
        "split",
        ("arrays", "sample"),
        "neighbours",
        ("class_id", "source", "image", "metric", "scope", "neighbour", "neighbour_class", "distance"),
        of_real=("arrays",),
        baseline="held_out",
        numbers=(
            "neighbours/{duplicates,images}/{generated,held_out}",
            "neighbours/{l1,ms_ssim}/median_{generated,held_out}",
            "neighbours/{l1/share_closer,l1/p_closer,duplicate_below}",
        ),
    ),
    "smoothness": Metric(
        "split",
        ("judge_of_features", "latent"),
        "features",
        ("class_id", "path", "walk", "length", "largest_step", "largest_over_mean"),
        needs=LATENT,
        numbers=("latent/{linear,spherical}/largest_over_mean{,/worst}",),
    ),
    "bits_per_dim": Metric(
        "split",
        ("train", "arrays"),
        "bits_per_dim",
        ("class_id", "source", "images", "bits", "std_error", "bound", "gaussian"),
        needs=frozenset({"likelihood"}),
        own="held_out",
        numbers=("bits_per_dim/{held_out,training}{,/gaussian}",),
    ),
    "binary_nats": Metric(
        "split",
        ("train", "arrays"),
        "bits_per_dim",  # whose images, draws and importance samples it takes
        ("class_id", "source", "images", "nats", "std_error", "bound", "pixels", "floor"),
        needs=frozenset({"binary_likelihood"}),
        own="held_out",
        numbers=("binary_nats/{held_out,training}{,/pixels,/floor}",),
    ),
    "reconstruction": Metric(
        "split",
        ("train", "arrays"),
        "model",
        ("class_id", "image", "mse", "psnr", "ms_ssim", "right_over_wrong"),
        needs=frozenset({"reconstructs"}),
        numbers=("reconstruction/{mse,psnr,ms_ssim,right_over_wrong}",),
    ),
    "codes": Metric(
        "split",
        ("train", "arrays"),
        "model",
        (
            "class_id",
            "source",
            "x1",
            "x2",
            "named",
            "named_by_pixels",
            "named_by_pca",
            "named_by_lda",
            "energy",
            "floor",
            "dimensions",
        ),
        needs=LATENT | {"encodes", "labels"},
        own="held_out",
        numbers=("codes/{nearest,nearest_pixels,nearest_pca,nearest_lda,energy,floor}",),
    ),
    "inverse": Metric(
        "split",
        ("train",),
        "model",
        ("codes", "images", "draws"),
        needs=LATENT | {"encodes"},
        numbers=("inverse/{codes,images}",),
    ),
    "shift": Metric(
        "split",
        ("train", "arrays"),
        "model",
        ("distance", "shift", "ratio", "images"),
        needs=frozenset({"represents"}),
        numbers=("shift/{pixels,features}/N",),
    ),
    "class_output": Metric(
        "split",
        ("train", "arrays"),
        "train",  # a classifier is trained as long and by the same labels
        ("class_id", "named_by", "correct", "count"),
        needs=frozenset({"classifies", "labels"}),
        numbers=("class_output/{model,classifier}",),
    ),
    "clustering": Metric(
        "split",
        ("train", "arrays"),
        "model",
        ("class_id", "source", "found_by", "cluster", "called", "rule", "count", "surest", "rest"),
        needs=frozenset({"clusters", "labels"}),
        own="held_out",
        numbers=("clustering/{accuracy,nmi,surest,used,k_means}",),
    ),
    "linear_probe": Metric(
        "split",
        ("train", "arrays"),
        "linear_probe",
        ("class_id", "features", "labels_per_class", "draw", "cost", "correct", "count"),
        needs=frozenset({"represents", "labels"}),
        numbers=("linear_probe/{trained,untrained,pixels}{,/std}",),
    ),
    "code_neighbours": Metric(
        "split",
        ("train", "arrays"),
        "train",  # whose seed tells the first weights
        ("class_id", "image", "features", "rank", "neighbour", "neighbour_class"),
        needs=frozenset({"represents", "labels"}),
        numbers=("code_neighbours/{trained,untrained,pixels}",),
    ),
    "inception_score": Metric(
        "all",
        ("judge_of_features", "features"),
        "inception_score",
        ("set", "group", "images", "score"),
        of_real=("judge_of_features", "features_of_real"),
        numbers=("inception_score/{samples,fresh,training,held_out}{,/std,/groups,/images}",),
    ),
    "distribution": Metric(
        "all",
        ("features", "features_of_real"),
        "distribution",
        ("source", "metric", "value", "std", "training", "images"),
        of_real=("features_of_real",),
        numbers=(
            "{fid,kid,precision,recall,density,coverage}/{generated,held_out}",
            "kid/{generated,held_out}/std",
        ),
    ),
    "with_noise": Metric(
        "all",
        ("train", "features_of_real", "judge_of_features"),
        "with_noise",
        ("metric", "value", "training", "images"),
        needs=frozenset({"noisy"}),
        numbers=("with_noise/{fid,precision,recall,density,coverage,inception_score}",),
    ),
    "modes": Metric(
        "split",
        ("arrays", "sample"),
        "modes",
        ("class_id", "source", "near", "within_sd", "points", "radius", "least"),
        needs=frozenset({"modes"}),
        of_real=("arrays",),
        baseline="held_out",
        of=POINTS,
        numbers=("modes/{covered,near,within_sd,kl}/{generated,held_out}", "modes/number"),
    ),
    "energy": Metric(
        "all",
        ("arrays", "sample"),
        "distribution",
        ("source", "metric", "value", "training", "points"),
        of_real=("arrays",),
        of=POINTS,
        numbers=("points/{energy,precision,recall}/{generated,held_out}",),
    ),
    "field": Metric(
        "split",
        ("train", "arrays"),
        "train",
        ("kind", "x1", "x2", "value"),
        needs=frozenset({"discriminates"}),
        of=POINTS,
    ),
    "density": Metric(
        "split",
        ("train", "arrays"),
        "model",
        ("kind", "x1", "x2", "value"),
        needs=frozenset({"density"}),
        of=POINTS,
        numbers=("points/log_density/{held_out,training,gaussian}",),
    ),
    "circles": Metric(
        "split",
        ("train", "arrays"),
        "model",
        ("method", "x1", "x2", "cluster", "accuracy", "information"),
        needs=frozenset({"clusters", "two_circles"}),
        of=POINTS,
        numbers=("circles/{model,k_means,rim,information}",),
    ),
    "stacked_modes": Metric(
        "split",
        ("arrays", "sample"),
        "distribution",
        ("class_id", "source", "named", "images", "judge"),
        needs=frozenset({"stacked_digits"}),
        of_real=("arrays",),
        baseline="held_out",
        numbers=("stacked_modes/{modes,kl,uniform}/{generated,held_out}", "stacked_modes/{number,judge}"),
    ),
    "pixel_deviation": Metric(
        "split",
        ("arrays", "sample"),
        "distribution",
        ("source", "deviation", "images"),
        needs=frozenset({"noise"}),
        of_real=("arrays",),
        baseline="training",
        numbers=("pixel_deviation/{generated,training}",),
    ),
    "attributes": Metric(
        "split",
        ("judge", "arrays", "sample"),
        "accuracy",
        ("class_id", "source", "attribute", "unseen", "correct", "count"),
        needs=BY_CLASS | {"attributes"},
        of_real=("judge", "arrays"),
        baseline="held_out",
        numbers=("attributes/{generated,held_out}/{seen,unseen}/{colour,shape,size,all}",),
    ),
    "retrieval": Metric(
        "split",
        ("text", "embed", "arrays", "sample", "features"),
        "distribution",
        ("class_id", "source", "unseen", "retrieved", "count"),
        needs=BY_CLASS | {"captions"},
        of_real=("text", "embed", "arrays", "features_of_real"),
        baseline="held_out",
        numbers=("retrieval/{generated,held_out}/{seen,unseen}",),
    ),
    "matched": Metric(
        "split",
        ("train", "embed", "arrays"),
        "model",
        ("class_id", "unseen", "matched", "count"),
        needs=frozenset({"matches", "captions"}),
        numbers=("matched/{seen,unseen}",),
    ),
    "caption_walks": Metric(
        "split",
        ("judge_of_features", "demonstrate"),
        "features",
        ("walk", "length", "largest_step", "largest_over_mean"),
        needs=frozenset({"by_caption", "demonstrates", "matches"}),  # of those, whose paper shows such walks
        numbers=("caption_walks/largest_over_mean{,/worst}",),
    ),
    "arithmetic": Metric(
        "split",
        ("judge", "train"),
        "latent",  # whose seed it takes
        ("kind", "n", "t", "trial", "wanted", "named", "value", "place", "image"),
        needs=LATENT | {"labels", "attributes", "without_classes"},
        numbers=("arithmetic/{N,pixels,pairs}", "arithmetic/large/{first,middle,last,least_rise}"),
    ),
    "classification": Metric(
        "all",
        ("features", "features_of_real"),
        "classification",
        ("class_id", "trained_on", "correct", "count"),
        needs=BY_CLASS,
        of_real=("features_of_real",),
        stage_of_real="classification_of_real",
        numbers=("cas/{generated,training}",),
    ),
}
TABLES = {  # the others of `layout.TABLES` are there for every family
    "inception_score": Table(METRICS["inception_score"].columns, frozenset()),
    "distribution": Table(METRICS["distribution"].columns, frozenset()),
    "duplicates": Table(
        ("source", "class_id", "image", "neighbour", "neighbour_class", "distance"), frozenset()
    ),
    "accuracy_by_resolution": Table(
        ("source", "resolution", "accuracy", "std", "of_known", "images"), BY_CLASS
    ),
    "by_class": Table(("class_id", "split"), BY_CLASS),
    "ms_ssim_pairs": Table(("class_id", "source", "pairs", "mean", "std"), BY_CLASS),
    "ms_ssim_in_training": Table(("class_id", "iteration", "ms_ssim"), BY_CLASS),
}
FIGURES = {
    "examples": Figure(("sample",), BY_CLASS),
    "resolution_strip": Figure(("accuracy", "arrays", "sample"), BY_CLASS),
    "accuracy_by_resolution": Figure(
        ("tables/accuracy_by_resolution",), BY_CLASS, table="accuracy_by_resolution"
    ),
    "accuracy_by_class": Figure(("tables/by_class",), BY_CLASS, table="by_class"),
    "ms_ssim_examples": Figure(("tables/by_class", "arrays", "sample"), BY_CLASS, table="by_class"),
    "ms_ssim_by_class": Figure(("tables/by_class",), BY_CLASS, table="by_class"),
    "ms_ssim_pairs": Figure(("ms_ssim",), BY_CLASS, table="ms_ssim_pairs"),
    "ms_ssim_in_training": Figure(
        ("tables/ms_ssim_in_training", "tables/by_class"), BY_CLASS, table="ms_ssim_in_training"
    ),
    "accuracy_and_ms_ssim": Figure(("tables/by_class",), BY_CLASS, table="by_class"),
    "neighbours_l1": Figure(("neighbours", "arrays", "sample"), BY_CLASS),
    "neighbours_ms_ssim": Figure(("neighbours", "arrays", "sample"), BY_CLASS),
    "memorisation": Figure(("neighbours",)),
    "interpolation": Figure(("smoothness", "latent"), BY_CLASS | LATENT),
    "class_grid": Figure(("latent",), BY_CLASS | LATENT),
    "reconstructions": Figure(("reconstruct",), frozenset({"reconstructs"})),
    "codes": Figure(("codes",), LATENT | {"encodes", "labels"}),
    "code_neighbours": Figure(("code_neighbours", "arrays"), frozenset({"represents", "labels"})),
    "shift": Figure(("shift",), frozenset({"represents"})),
    "demonstration": Figure(("demonstrate",), frozenset({"demonstrates"})),
    "arithmetic": Figure(("arithmetic",), METRICS["arithmetic"].needs),
    "plane": Figure(("field", "sample", "arrays"), frozenset({"discriminates"}), of=POINTS),
    "density": Figure(("density", "sample", "arrays"), frozenset({"density"}), of=POINTS),
    "circles": Figure(("circles", "arrays"), frozenset({"clusters", "two_circles"}), of=POINTS),
    "plane_in_training": Figure(("train", "arrays"), of=POINTS),
    "random_samples": Figure(("sample",)),
    "training_curves": Figure(("train",), of=IMAGES | POINTS),
    "gallery": Figure(("sample",), BY_CLASS),
}
RULES_OF_SOME = {  # other rules, and what they need
    "latent": frozenset({"latent", "images"}),
    "reconstruct": frozenset({"reconstructs", "images"}),
    "demonstrate": frozenset({"demonstrates", "images"}),
    "text": frozenset({"captions"}),
    "embed": frozenset({"captions"}),
    "judge": IMAGES | {"labels"},
    "features": IMAGES,
    "features_of_real": IMAGES,
}
# numbers of summary.json that no metric is behind
OF_NO_METRIC = (
    "model/{resolution,numbers}",
    "data/{classes,splits,classes_of_a_split}",
    "images/{held_out,generated}",
)
OF_TRAINING = "training/"  # before the losses, which each family names


def _spelled_out(template: str) -> Iterator[str]:
    """a/{b,c} -> a/b, a/c."""
    parts = re.split(r"\{(.*?)\}", template)
    return map("".join, product(*(part.split(",") if at % 2 else [part] for at, part in enumerate(parts))))


NUMBERS = {  # every name in summary.json but those of losses, and the metric behind it
    name: metric
    for metric, templates in [*((key, one.numbers) for key, one in METRICS.items()), ("", OF_NO_METRIC)]
    for template in templates
    for name in _spelled_out(template)
}


def number_of(name: str) -> str:
    """A name of summary.json as NUMBERS has it: accuracy/generated/32 -> accuracy/generated/N."""
    return re.sub(r"(?<=[/_])\d+(?=/|$)", "N", name)


def subject_of(
    model: FamilySettings,
    *,
    classes_of_a_split: int,
    data: Collection[str] = ("images",),
    several_classes: bool = True,
) -> Subject:
    """What a family trained on so many classes at a time has; a model of one class draws images of a class.

    `data`: images, or points, perhaps with modes; `several_classes`: whether all splits together have two.
    """
    labels = {"labels"} if several_classes else set()
    draws_classes = several_classes and (model.draws_classes or classes_of_a_split == 1)
    of_classes = {"by_class"} if draws_classes else {"without_classes"}
    abilities = {*model.abilities} - {"by_class"}
    return Subject(model.title, frozenset(abilities | of_classes | labels | set(data)))


def has_of_data(data: ContentSettings) -> set[str]:
    """What data have of NEEDS: images or points, and what only some of them are."""
    return {data.kind} | {what for what, sources in OF_SOME_SOURCES.items() if data.source in sources}


def subject_of_settings(settings: Settings) -> Subject:
    """What an experiment's models have, before anything has run."""
    classes = min(settings.data.classes, settings.data.split_size)
    return subject_of(
        settings.model,
        classes_of_a_split=classes,
        data=has_of_data(settings.data),
        several_classes=settings.data.classes > 1,
    )


def why_not(thing: Metric | Table | Figure, subject: Subject) -> str | None:
    """Why a measurement, table or figure does not apply, as one sentence; None where it does."""
    if thing.of.isdisjoint(subject.has):
        what, lacking = NEEDS[min(thing.of)]
        return f"needs {what}; {subject.title} {lacking}"
    return _lacking(thing.needs, subject)


def why_not_made(rule: str, subject: Subject) -> str | None:
    """Why a rule makes nothing for it, as one sentence; None where it does."""
    return _lacking(RULES_OF_SOME.get(rule, frozenset()), subject)


def _lacking(needs: Collection[str], subject: Subject) -> str | None:
    """The first need that is not met, as one sentence."""
    for need, (what, lacking) in NEEDS.items():
        if need in needs and need not in subject.has:
            return f"needs {what}; {subject.title} {lacking}"
    return None


def applying(catalogue: Mapping[str, Thing], subject: Subject) -> dict[str, Thing]:
    """Those of a catalogue that apply."""
    return {name: thing for name, thing in catalogue.items() if why_not(thing, subject) is None}


def absent(subject: Subject) -> list[tuple[str, str, str]]:
    """Rows kind (metric, table, figure), name, why: whatever does not apply, though it is of such data."""
    kinds: dict[str, Mapping[str, Metric | Table | Figure]] = {
        "metric": METRICS,
        "table": TABLES,
        "figure": FIGURES,
    }
    return [
        (kind, name, reason)
        for kind, things in kinds.items()
        for name, thing in things.items()
        if thing.of & subject.has and (reason := why_not(thing, subject))
    ]


def why_no_number(name: str, subject: Subject) -> str | None:
    """Why a number of summary.json does not apply; None where it does."""
    metric = NUMBERS.get(number_of(name))
    return why_not(METRICS[metric], subject) if metric else None


def files(metric: str, layout: Layout, name: str) -> list[Path]:
    """The files of one split, or of all together, in the order of their rows in tables and figures."""
    of = METRICS[metric]
    own = [layout.metric(metric, name)]
    real = [layout.real_metric(metric, name)] if of.of_real else []
    return [*real, *own] if of.real_first else [*own, *real]


def all_files(
    metrics: Collection[str], layout: Layout, splits: Sequence[str], *, real: bool | None = None
) -> list[Path]:
    """The files of these metrics over all splits; only those of real images, or only the others."""
    found = [
        path
        for metric in metrics
        for name in METRICS[metric].names(splits)
        for path in files(metric, layout, name)
    ]
    shared = layout.home.results / "real"
    return [path for path in found if real is None or path.is_relative_to(shared) == real]
