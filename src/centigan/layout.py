"""Names and paths of every artifact; standard library only, since the Snakefile imports this."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from centigan.errors import UserError

WHOLE = "all"  # in place of a split's name
OF_PROTOCOL = {  # what an experiment shares with all of its protocol, and the rule that writes it
    "index": "index",
    "classes.csv": "index",
    "source.json": "index",
    "raw.sha256": "index",
    "arrays": "arrays",
    "text": "text",
    "captions": "embed",
    "judge": "judge",
    "real/features": "features_of_real",
    "real/metrics": "measure_real",
}
OF_GROUP = {  # those of them that other splits than the protocol's have, too, and the rule that writes them
    "classes.csv": "group",
    "arrays": "arrays",
    "captions": "embed",
    "real/features": "features_of_real",
    "real/metrics": "measure_real",
}
GROUPS = "groups"  # in a study's folder: arrays and real images in other splits than the protocol's
RESERVED = ("protocol", "real", "records", GROUPS)  # further names beside those that no experiment can have
OF_EXPERIMENT = {  # the same of what is an experiment's own
    "train": "train",
    "samples": "sample",
    "latent": "latent",
    "reconstructions": "reconstruct",
    "demonstrations": "demonstrate",
    "features": "features",
    "metrics": "measure",
    "tables": "tables",
    "summary.json": "tables",
    "figures": "figure",
    "report": "report",
    "mlflow.json": "publish",
}
TABLES = {  # every table, and the formats it is written in
    "comparison": ("csv", "parquet", "tex"),
    "accuracy_by_resolution": ("csv", "parquet", "tex"),
    "by_class": ("csv", "parquet"),
    "ms_ssim_pairs": ("csv", "parquet"),
    "ms_ssim_in_training": ("csv", "parquet"),
    "inception_score": ("csv", "parquet", "tex"),
    "distribution": ("csv", "parquet", "tex"),
    "duplicates": ("csv", "parquet"),
    "absent": ("csv", "parquet"),
}
STUDY_FILES = {  # what lies beside a study's points
    *("table.csv", "table.tex", "points.csv", "claims.csv", "report"),
    *("figure.svg", "figure.png", "samples.svg", "samples.png"),
    *("battle.csv", "battle.svg", "battle.png"),  # where the study asks for it
}


def split_names(classes: int, split_size: int) -> list[str]:
    """Names of all splits, zero-padded to a common width: 1000 classes in tens -> 00..99."""
    count = ceil(classes / split_size)
    digits = max(2, len(str(count - 1)))
    return [f"{number:0{digits}d}" for number in range(count)]


def split_of_each(classes: int, split_size: int) -> list[str]:
    """The name of the split that each class is in, in the order of the classes."""
    names = split_names(classes, split_size)
    return [names[label // split_size] for label in range(classes)]


def pattern_of(names: Sequence[str]) -> str:
    """A regular expression of exactly these names of all splits; Snakemake tries it on every file."""
    return _numbers_below(len(names), len(names[0]))


def _numbers_below(count: int, digits: int) -> str:
    """Of the numbers from 0 on, zero-padded; a thousand alternatives would be tried one by one."""
    first, rest = divmod(count, 10 ** (digits - 1))
    if digits == 1:
        return f"[0-{count - 1}]"
    choices = [f"[0-{first - 1}][0-9]{{{digits - 1}}}"] if first else []
    choices += [f"{first}(?:{_numbers_below(rest, digits - 1)})"] if rest else []
    return "|".join(choices)


def split_name(split: int | str, classes: int, split_size: int) -> str:
    """The name of one split given as 7, "7" or "07".

    Raises:
        UserError: when there is no such split.
    """
    names = split_names(classes, split_size)
    try:
        number = int(split)
    except ValueError:
        number = -1
    if not 0 <= number < len(names):
        raise UserError(f"split {split} does not exist; splits are {names[0]}..{names[-1]}")
    return names[number]


def owned(result: Path) -> tuple[str, Path]:
    """Whose result a path below results/ is, and its path there: ("digits/acgan", "train/00/facts.json").

    Those of a protocol, ("digits", "arrays/00/images.npy"), have names that no experiment has.
    """
    protocol, *below = result.parts[result.parts.index("results") + 1 :] or ("",)
    if not below or below[0] in (*OF_PROTOCOL, *RESERVED):
        return protocol, Path(*below)
    if below[1:2] == [GROUPS]:
        return "/".join([protocol, *below[:3]]), Path(*below[3:])
    depth = next((at for at, part in enumerate(below[1:], 1) if part in (*OF_EXPERIMENT, *RESERVED)), 1)
    return "/".join([protocol, *below[:depth]]), Path(*below[depth:])


@dataclass(frozen=True)
class Layout:
    """Where the files of an experiment lie, and those of its protocol, relative to the project folder.

    A protocol alone is an experiment that has no name of its own: Layout("digits").

    Arrays and measurements of real images are its protocol's, or those of other splits of the same images:
    then `group` names their home, "digits/class_counts/groups/first_20", which has a layout of its own.
    """

    experiment: str
    root: Path = field(default=Path())
    group: str = ""

    @property
    def results(self) -> Path:
        return self.root / "results" / self.experiment

    @property
    def shared(self) -> "Layout":
        """The layout of the protocol alone."""
        return Layout(self.experiment.partition("/")[0], self.root)

    @property
    def is_protocol(self) -> bool:
        """Whether this is the layout of a protocol alone."""
        return "/" not in self.experiment

    @property
    def is_group(self) -> bool:
        """Whether this is the layout of other splits than a protocol's, which experiments share."""
        return self.experiment.split("/")[2:3] == [GROUPS]

    @property
    def home(self) -> "Layout":
        """The layout with the arrays and real images that this experiment is trained and measured on."""
        if self.is_group:
            return self
        return Layout(self.group, self.root) if self.group else self.shared

    @property
    def protocol(self) -> Path:
        """What every experiment of the same protocol shares: index, judge, arrays in its own splits."""
        return self.shared.results

    def owner_of(self, rule: str) -> "Layout":
        """The layout whose results a rule writes: the protocol's, that of its group, or its own."""
        if rule in OF_GROUP.values():
            return self.home
        return self.shared if rule in OF_PROTOCOL.values() else self

    def index(self, split: str) -> Path:
        """The images of one split: a file each, so that a change of one leaves the others alone."""
        return self.protocol / "index" / f"{split}.parquet"

    @property
    def classes(self) -> Path:
        return self.home.results / "classes.csv"

    @property
    def source(self) -> Path:
        """What was found as raw data, what it lacks, what is done with a bad image."""
        return self.protocol / "source.json"

    @property
    def raw_pins(self) -> Path:
        """Hashes of the raw archives, for sha256sum."""
        return self.protocol / "raw.sha256"

    def records(self, stage: str) -> Path:
        """What the jobs of one of dvc.yaml's stages were made with, within this folder of results."""
        return self.results / "records" / f"{stage}.json"

    @property
    def kept(self) -> Path:
        """Second names of the results that a run is about to replace."""
        return self.results / ".kept"

    @property
    def memory(self) -> Path:
        """What this machine has seen of this folder of results: digests, by sizes and times."""
        return self.root / ".snakemake" / "centigan" / self.experiment / "memory.json"

    @property
    def raw_state(self) -> Path:
        """Sizes and times of the raw data, as this machine has seen them."""
        return self.shared.memory.with_name("raw.parquet")

    def arrays(self, split: str) -> Path:
        """Folder of images.npy, labels.npy, held_out_images.npy, held_out_labels.npy, manifest.json."""
        return self.home.results / "arrays" / split

    @property
    def text(self) -> Path:
        """Folder of the text encoder, of a protocol whose images have captions."""
        return self.protocol / "text"

    def captions(self, split: str) -> Path:
        """Folder of embeddings.npy and held_out_embeddings.npy, of a split's captions."""
        return self.home.results / "captions" / split

    def train(self, split: str) -> Path:
        """Folder of the networks, history.jsonl, snapshots.safetensors and manifest.json."""
        return self.results / "train" / split

    def scratch(self, split: str) -> Path:
        """Resumable state; never a declared output, since Snakemake deletes those before a job."""
        return self.root / "scratch" / self.experiment / split

    @property
    def compiled(self) -> Path:
        """Cache of compiled networks, for all splits and experiments."""
        return self.root / "scratch" / ".compiled"

    def samples(self, split: str) -> Path:
        """Folder of images.npy, labels.npy and manifest.json."""
        return self.results / "samples" / split

    def features(self, split: str) -> Path:
        """Folder of generated.npy, fresh.npy: float32 (N, F); and manifest.json."""
        return self.results / "features" / split

    def real_features(self, split: str) -> Path:
        """Folder of training.npy, held_out.npy, as `features` has them, for all of a protocol."""
        return self.home.results / "real" / "features" / split

    def latent(self, split: str) -> Path:
        """Folder of walks and grids through the latent space: images.safetensors and manifest.json."""
        return self.results / "latent" / split

    def reconstructions(self, split: str) -> Path:
        """Folder of real images drawn again, and of walks between them: images.safetensors, manifest.json."""
        return self.results / "reconstructions" / split

    def demonstrations(self, split: str) -> Path:
        """Folder of what the family's paper shows: images.safetensors, sheets.json, manifest.json."""
        return self.results / "demonstrations" / split

    @property
    def judge(self) -> Path:
        """Folder of the judge: manifest.json and, where trained, weights.safetensors."""
        return self.protocol / "judge"

    def log(self, rule: str, target: str = "") -> Path:
        """What a rule's command wrote while it ran for a split, a figure, or a metric/split."""
        folder = self.root / "logs" / self.owner_of(rule).experiment
        if not target:
            return folder / f"{rule}.log"
        return folder / ("figures" if rule == "figure" else rule) / f"{target}.log"

    def metric(self, metric: str, split: str) -> Path:
        """One row a class and more; `split` is WHOLE for what is measured of all splits together."""
        return self.results / "metrics" / metric / f"{split}.parquet"

    def real_metric(self, metric: str, split: str) -> Path:
        """The same, measured of real images, for every experiment of the protocol."""
        return self.home.results / "real" / "metrics" / metric / f"{split}.parquet"

    def table(self, name: str, suffix: str = "csv") -> Path:
        return self.results / "tables" / f"{name}.{suffix}"

    def figure(self, name: str, suffix: str = "svg") -> Path:
        return self.results / "figures" / f"{name}.{suffix}"

    @property
    def summary(self) -> Path:
        return self.results / "summary.json"

    @property
    def report(self) -> Path:
        return self.results / "report" / "index.html"

    @property
    def published(self) -> Path:
        """Run ids of the MLflow mirror."""
        return self.results / "mlflow.json"


@dataclass(frozen=True)
class StudyLayout:
    """Where a study's files lie; each of its points is an experiment, in a folder among them."""

    protocol: str
    study: str
    root: Path = field(default=Path())

    @property
    def results(self) -> Path:
        return self.root / "results" / self.protocol / self.study

    def table(self, suffix: str = "csv") -> Path:
        """Means and deviations, a row for each setting that is compared."""
        return self.results / f"table.{suffix}"

    @property
    def points(self) -> Path:
        """Every number of every point."""
        return self.results / "points.csv"

    @property
    def claims(self) -> Path:
        """Each claim with its verdict and both numbers."""
        return self.results / "claims.csv"

    @property
    def battle(self) -> Path:
        """How the discriminators of every two rows judge each other's samples, where a study asks for it."""
        return self.results / "battle.csv"

    def tables(self, *, battle: bool) -> list[Path]:
        """All of them."""
        return [self.table(), self.table("tex"), self.points, self.claims, *([self.battle] if battle else [])]

    def figures(self, suffix: str, *, battle: bool) -> list[Path]:
        """All of them, in one format."""
        names = ("figure", "samples", *(["battle"] if battle else []))
        return [self.figure(name, suffix) for name in names]

    def figure(self, name: str, suffix: str = "svg") -> Path:
        """One of "figure", the numbers as dots, "samples" and "battle"."""
        return self.results / f"{name}.{suffix}"

    @property
    def report(self) -> Path:
        return self.results / "report" / "index.html"
