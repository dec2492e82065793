"""Which classes share a model, where a study compares other splits than its protocol's (docs/studies.md)."""

import re
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from centigan.settings.data import DataSettings
from centigan.settings.frozen import Count, Frozen, Seed

WORD = re.compile(
    r"(?:first_(?P<classes>\d+))?-?(?:by_(?P<size>\d+))?-?(?P<order>similar|shuffled(?:_\d+)?)?"
)


class GroupingSettings(Frozen):
    """Other splits than the protocol's, of the same images; nothing set: the protocol's."""

    classes: Count | None = Field(
        None, description="use only the first so many classes, in the protocol's order; null: all"
    )
    size: Count | None = Field(None, description="classes a model learns; null: data.split_size")
    order: Literal["data", "shuffled", "similar"] = Field(
        "data",
        description="which of them share a model: neighbours in the protocol's order, by chance, or those "
        "whose images are most alike in the features of `features.network`",
    )
    seed: Seed = Field(0, description="of shuffled")

    @model_validator(mode="after")
    def _a_seed_shuffles(self) -> Self:
        if self.seed and self.order != "shuffled":
            raise ValueError(f"seed {self.seed} has no effect on the order {self.order!r}; leave it out")
        return self

    @property
    def word(self) -> str:
        """What the splits are called, in names of folders: first_20-by_10, shuffled_3; "": none of them."""
        parts = [f"first_{self.classes}"] if self.classes else []
        parts += [f"by_{self.size}"] if self.size else []
        parts += [] if self.order == "data" else [self.order + (f"_{self.seed}" if self.seed else "")]
        return "-".join(parts)

    @classmethod
    def of_word(cls, word: str) -> "GroupingSettings | None":
        """The splits that are called so; None where none are."""
        found = WORD.fullmatch(word)
        if not found:
            return None
        order, _, seed = (found["order"] or "data").partition("_")
        values: dict[str, Any] = {"order": order, "seed": int(seed or 0)}
        values |= {key: int(found[key]) for key in ("classes", "size") if found[key]}
        try:
            grouping = cls.model_validate(values)
        except ValidationError:  # a number that is none of classes, or no seed
            return None
        return grouping if grouping.word == word else None

    def without_the_protocols_own(self, data: DataSettings) -> "GroupingSettings":
        """The same without what the protocol says anyway: equal splits have one name.

        Raises:
            ValueError: when there are not so many classes.
        """
        if self.classes and self.classes > data.classes:
            raise ValueError(f"grouping.classes is {self.classes}, and there are {data.classes}")
        classes = self.classes or data.classes
        if self.size and self.size > classes:
            raise ValueError(
                f"grouping.size is {self.size}, and there are {classes} classes; {classes} at most"
            )
        own = {
            "classes": None if classes == data.classes else classes,
            "size": None if self.size in (None, min(data.split_size, classes)) else self.size,
        }
        return self.model_copy(update=own)

    def applied(self, data: DataSettings) -> DataSettings:
        """The data as these splits have them."""
        classes = self.classes or data.classes
        size = min(self.size or data.split_size, classes)
        return data.model_copy(update={"classes": classes, "split_size": size})
