"""How many images there are of each class, as the index says, read without pandas for the Snakefile."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from centigan.classes import rows_of
from centigan.errors import UserError
from centigan.layout import Layout, split_of_each
from centigan.manifest import read_object
from centigan.settings import Settings

CLASS_FOLDERS = "class folders"  # the source of which data.held_out decides how many images are held out


class OfClass(NamedTuple):
    """A class and its images."""

    class_id: str
    split: str  # "": not known yet
    train: int
    held_out: int
    unseen: bool = False  # no model is trained on it

    @property
    def learnt(self) -> int:
        """Images that a model is trained on."""
        return 0 if self.unseen else self.train


@dataclass(frozen=True)
class Counts:
    """The classes in their order."""

    classes: tuple[OfClass, ...]
    source: str  # a few words, as in source.json
    captions: int | None = None  # of all images; None where nobody counted them

    @property
    def train(self) -> int:
        """Training images of all classes."""
        return sum(one.train for one in self.classes)

    @property
    def held_out(self) -> int:
        """Held-out images of all classes."""
        return sum(one.held_out for one in self.classes)


def regrouped(counts: Counts, settings: Settings) -> Counts:
    """The classes that an experiment uses, of those of its protocol, in splits as they are cut from them.

    Which classes share a model by chance or by their images, only the data tell: those splits are left out.
    """
    data, grouping = settings.data, settings.grouping
    used = counts.classes[: data.classes]
    known = split_of_each(len(used), data.split_size) if grouping.order == "data" else [""] * len(used)
    own = [one._replace(split=split) for one, split in zip(used, known, strict=True)]
    return replace(counts, classes=tuple(own))


def of_index(layout: Layout) -> Counts:
    """What classes.csv says.

    Raises:
        UserError: when the index is missing or damaged.
    """
    about = read_object(layout.source)
    source, captions, unseen = about.get("source"), about.get("captions"), about.get("unseen", [])
    if not isinstance(source, str):
        raise UserError(f"{layout.source} is damaged (it names no `source`); delete it and run again")
    classes = tuple(
        OfClass(id_, row["split"], int(row["train"]), int(row["held_out"]), id_ in unseen)
        for row in rows_of(layout, "split", "train", "held_out")
        for id_ in [row["class_id"]]
    )
    return Counts(classes, source, captions if isinstance(captions, int) else None)
