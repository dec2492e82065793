"""The classes that a figure shows, and what they are called there."""

import numpy as np
import pandas as pd

from centigan.errors import UserError
from centigan.reporting.results import Results
from centigan.settings import ChosenSettings


def chosen_classes(results: Results, settings: ChosenSettings, figure: str, *, most: int) -> pd.DataFrame:
    """Rows class_id, split, name: the classes that the settings name, or up to `most`, evenly.

    Raises:
        UserError: for a class that the experiment does not have.
    """
    known = results.classes
    if settings.classes is None:
        rows = known.iloc[_evenly(len(known), most)]
    else:
        if lost := [name for name in settings.classes if name not in set(known["class_id"])]:
            raise UserError(
                f"figures.{figure}.classes: there is no class {lost[0]!r}; the class ids stand in "
                f"{results.layout.classes}"
            )
        rows = known.set_index("class_id").loc[list(settings.classes)].reset_index()
    return rows[["class_id", "split"]].assign(name=[names(results)[name] for name in rows["class_id"]])


def names(results: Results) -> dict[str, str]:
    """What each class is called: the first of its words (ImageNet's are synonyms), or its id."""
    classes = results.classes
    if "words" not in classes:
        return {name: name for name in classes["class_id"]}
    words = classes["words"].fillna(classes["class_id"]).astype(str)
    return {name: text.split(",")[0] for name, text in zip(classes["class_id"], words, strict=True)}


def _evenly(count: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
