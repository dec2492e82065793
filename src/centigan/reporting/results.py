"""Reading an experiment's files back: one place for their names, columns and complaints.

Everything here is read as the rooms before wrote it (`centigan.layout`); a file that is missing or
incomplete is told by name, with what to do.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import safe_open

from centigan.catalogue import METRICS, Metric, Subject, applying, files, subject_of
from centigan.collapse import is_less_diverse
from centigan.csv_file import READING
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts, read_object, unseen_of
from centigan.needed import missing
from centigan.settings.families import OfModel
from centigan.settings.families.contract import FamilySettings

Images = npt.NDArray[np.uint8]


class DrawnSheet(NamedTuple):
    """One sheet of what a family's paper shows."""

    name: str
    title: str
    caption: str
    rows: Sequence[str]  # a label a row, or none
    columns: Sequence[str]
    images: Images  # (rows, columns, R, R, 3)


@dataclass(frozen=True)
class Results:
    """What lies under results/<experiment>, for the given splits."""

    layout: Layout
    split_names: Sequence[str]

    @cached_property
    def classes(self) -> pd.DataFrame:
        """One row a class: label, class_id, words, split, train, held_out."""
        frame = pd.read_csv(present(self.layout.classes), **READING)
        return frame[frame["split"].isin(list(self.split_names))].reset_index(drop=True)

    @cached_property
    def names(self) -> dict[str, str]:
        """What each class is called: the first of its words (ImageNet's are synonyms), or its id."""
        named = zip(self.classes["class_id"], self.classes["words"], strict=True)
        return {class_id: words.split(",")[0].strip() or class_id for class_id, words in named}

    @cached_property
    def summary(self) -> dict[str, float]:
        values: dict[str, float] = read_object(present(self.layout.summary))
        return values

    @cached_property
    def judge(self) -> dict[str, Any]:
        """Which judge it is, what it judges, how it was made."""
        return read_object(present(self.layout.judge / "manifest.json")) | read_facts(self.layout.judge)

    @cached_property
    def family(self) -> FamilySettings:
        """The family that was trained, as its settings."""
        settings = self.train_manifest(self.split_names[0])["settings"]
        return OfModel.model_validate({"model": settings["model"]}).model

    @cached_property
    def subject(self) -> Subject:
        """What the trained models have of what measurements and figures need."""
        classes = int(self.classes["split"].value_counts().max())
        return subject_of(
            self.family,
            classes_of_a_split=classes,
            data=self.source.get("has", ["images"]),
            several_classes=len(self.classes) > 1,
        )

    @property
    def of_points(self) -> bool:
        """Whether points take the place of images."""
        return "points" in self.subject.has

    @property
    def judged(self) -> bool:
        """Whether a judge has seen them: points, and images of one class, have none."""
        return {"images", "labels"} <= self.subject.has

    @cached_property
    def source(self) -> dict[str, Any]:
        """What was found as raw data."""
        return read_object(present(self.layout.source))

    @cached_property
    def less_diverse(self) -> list[str]:
        """The classes whose samples are less diverse than the most uniform real class."""
        table = self.table("by_class")
        return table["class_id"][is_less_diverse(table["ms_ssim_generated"], self.most_uniform)].tolist()

    @property
    def most_uniform(self) -> float:
        """Mean MS-SSIM of the most uniform class of training images."""
        return float(self.summary["ms_ssim/training/max"])

    @property
    def resolution(self) -> int:
        """Side of the model's images, pixels."""
        return int(self.summary["model/resolution"])

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(present(self.layout.table(name)), **READING)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics that apply to what was trained."""
        return applying(METRICS, self.subject)

    def metric(self, metric: str) -> pd.DataFrame:
        """A metric in one frame, of samples and real images; where it is of splits, `split` is their name.

        Raises:
            UserError: when a file is missing or lacks a column, or a class of its split.
        """
        of = METRICS[metric]
        frames = []
        for name in of.names(self.split_names):
            for path in files(metric, self.layout, name):
                frame = pd.read_parquet(present(path))
                is_real = path == self.layout.real_metric(metric, name)
                check_complete(
                    frame,
                    path,
                    columns=of.columns,
                    classes=self._classes_of(name)
                    if "class_id" in of.columns and (is_real or "by_class" in self.subject.has)
                    else [],
                    source=of.baseline if is_real else of.own,
                )
                if of.per == "split":
                    if "class_id" in frame:
                        frame["class_id"] = frame["class_id"].map(str, na_action="ignore")
                    frame = frame.assign(split=name)
                frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _classes_of(self, name: str) -> list[str]:
        """The classes that a file of a split tells of; of all together is no class asked."""
        found: list[str] = self.classes.loc[self.classes["split"] == name, "class_id"].tolist()
        return found

    def points(self, split: str, source: str) -> npt.NDArray[np.float32]:
        """All points (N, d): "generated" or "training"."""
        folder = self.layout.samples(split) if source == "generated" else self.layout.arrays(split)
        found: npt.NDArray[np.float32] = np.load(present(folder / "images.npy"))
        return found

    def snapshots_of_points(self, split: str) -> dict[int, npt.NDArray[np.float32]]:
        """Iteration -> the points (N, d) that were drawn of the same latents after it."""
        with safe_open(present(self.layout.train(split) / "snapshots.safetensors"), framework="np") as file:
            drawn, iterations = file.get_tensor("images"), file.get_tensor("iterations")  # (T, G, n, d)
        return {int(at): own.reshape(-1, own.shape[-1]) for at, own in zip(iterations, drawn, strict=True)}

    def history(self, split: str) -> pd.DataFrame:
        """The journal of one split's training, one row a logged iteration."""
        path = present(self.layout.train(split) / "history.jsonl")
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        if not lines:
            raise UserError(f"{path} holds no line; lower train.log_every and train split {split} again")
        return pd.DataFrame(lines)

    def arrays_manifest(self, split: str) -> dict[str, Any]:
        return read_object(present(self.layout.arrays(split) / "manifest.json"))

    def train_manifest(self, split: str) -> dict[str, Any]:
        return read_object(present(self.layout.train(split) / "manifest.json"))

    def samples(self, split: str, *, per_class: int) -> dict[str, Images]:
        """The first samples of every class: class_id -> uint8 (<= per_class, R, R, 3)."""
        return _first_of_each_class(self.layout.samples(split), "", per_class)

    def captions_of_samples(self, split: str) -> list[str]:
        """The caption that each sample was drawn by, in the order of the file."""
        path = present(self.layout.samples(split) / "captions.json")
        captions: list[str] = json.loads(path.read_text(encoding="utf-8"))
        return captions

    def asked(self, split: str, *, per_class: int = 1) -> dict[str, list[str]]:
        """The captions that the first samples of every class were drawn by, as `samples` has these."""
        folder, captions = self.layout.samples(split), self.captions_of_samples(split)
        labels = np.load(present(folder / "labels.npy"))
        return {
            str(class_id): [captions[row] for row in np.flatnonzero(labels == position)[:per_class]]
            for position, class_id in enumerate(read_facts(folder)["classes"])
        }

    def unseen(self, split: str) -> set[str]:
        """Classes whose images no model learnt."""
        return unseen_of(read_facts(self.layout.arrays(split)))

    def training_images(self, split: str, *, per_class: int) -> dict[str, Images]:
        """The first training images of every class: class_id -> uint8 (<= per_class, R, R, 3)."""
        return _first_of_each_class(self.layout.arrays(split), "", per_class)

    def held_out_images(self, split: str, *, per_class: int) -> dict[str, Images]:
        """The first held-out images of every class: class_id -> uint8 (<= per_class, 2R, 2R, 3)."""
        return _first_of_each_class(self.layout.arrays(split), "held_out_", per_class)

    def images(self, split: str, source: str) -> Images:
        """All images (N, R, R, 3), in the file: "generated" or "training"; (N, 2R, 2R, 3): "held_out"."""
        folder = self.layout.samples(split) if source == "generated" else self.layout.arrays(split)
        name = "held_out_images.npy" if source == "held_out" else "images.npy"
        images: Images = np.load(present(folder / name), mmap_mode="r")
        return images

    def walks(self, split: str, path: str) -> dict[str, Images]:
        """Walks through the latent space, "linear" or "spherical": class_id -> (walks, steps, R, R, 3)."""
        return self._latent(split, path, axis=0)

    def squares(self, split: str) -> dict[str, Images]:
        """The images between four latents: class_id -> (side, side, R, R, 3)."""
        return self._latent(split, "square", axis=0)

    def grid(self, split: str) -> dict[str, Images]:
        """The same latents for every class: class_id -> (styles, R, R, 3)."""
        return self._latent(split, "grid", axis=1)

    def reconstructions(self, split: str) -> dict[str, npt.NDArray[Any]]:
        """Real "images" (N, R, R, 3), "reconstructed"; "walks" (W, S, R, R, 3), between "ends" (W, 2)."""
        path = present(self.layout.reconstructions(split) / "images.safetensors")
        with safe_open(path, framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- no mapping

    def right_over_wrong(self, split: str) -> float:
        """How far reconstructions are from their images, over how far from the others."""
        return float(read_facts(self.layout.reconstructions(split))["right_over_wrong"])

    def sheets(self, split: str) -> list[DrawnSheet]:
        """What the family's paper shows, in the order in which the family drew it."""
        folder = self.layout.demonstrations(split)
        words = json.loads(present(folder / "sheets.json").read_text(encoding="utf-8"))
        with safe_open(present(folder / "images.safetensors"), framework="np") as file:
            return [DrawnSheet(**about, images=file.get_tensor(about["name"])) for about in words]

    def _latent(self, split: str, name: str, *, axis: int) -> dict[str, Images]:
        folder = self.layout.latent(split)
        path = present(folder / "images.safetensors")
        with safe_open(path, framework="np") as file:
            if name not in file.keys():  # noqa: SIM118 -- it has no `in`
                raise UserError(f"{path} lacks {name!r}; delete the file and run again")
            of_classes = np.moveaxis(file.get_tensor(name), axis, 0)
        return dict(zip(read_facts(folder)["classes"], of_classes, strict=True))


def share_correct(accuracy: pd.DataFrame, keys: list[str], what: str = "correct") -> "pd.Series[float]":
    """Share of images that the judge names rightly, by these columns of the metric `accuracy`.

    `what`: correct, of the classes of the data, or correct_of_known, of all that the judge knows.
    """
    sums = accuracy.groupby(keys)[[what, "count"]].sum()
    judged = sums[sums["count"] > 0]  # a small class may leave a subset empty
    return judged[what] / judged["count"]


def present(path: Path) -> Path:
    """The path itself.

    Raises:
        UserError: when there is no such file.
    """
    if not path.is_file():
        raise missing(path)
    return path


def check_complete(
    frame: pd.DataFrame, path: Path, *, columns: Sequence[str], classes: Sequence[str], source: str
) -> None:
    """Every column, and every class of the split under this source, where the table has sources.

    Raises:
        UserError: naming the file and what it lacks.
    """
    if absent := [column for column in columns if column not in frame]:
        raise UserError(f"{path} lacks the column {absent[0]!r}; delete the file and run again")
    if not classes:
        return
    rows = frame[frame["source"] == source] if "source" in columns else frame
    if lost := sorted(set(classes) - set(rows["class_id"].astype(str))):
        of = f" of {source} images" if "source" in columns else ""
        raise UserError(
            f"{path} has no row{of} for class {lost[0]!r} ({len(lost)} of {len(classes)} classes "
            "lack one); delete the file and run again"
        )


def _first_of_each_class(folder: Path, prefix: str, per_class: int) -> dict[str, Images]:
    images = np.load(present(folder / f"{prefix}images.npy"), mmap_mode="r")  # (N, R, R, 3)
    labels = np.load(present(folder / f"{prefix}labels.npy"))
    classes = read_facts(folder)["classes"]
    return {
        str(class_id): np.asarray(images[np.flatnonzero(labels == position)[:per_class]])
        for position, class_id in enumerate(classes)
    }
