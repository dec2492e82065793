"""The classes that a figure shows, and why these."""

import pandas as pd

from centigan.errors import UserError
from centigan.reporting.results import Results
from centigan.settings.figures import ChosenSettings
from centigan.sheets import evenly


def chosen_classes(results: Results, settings: ChosenSettings, figure: str, *, most: int) -> pd.DataFrame:
    """Rows class_id, split, name: the classes that the settings name, or up to `most`, evenly.

    Raises:
        UserError: for a class that the experiment does not have.
    """
    known = results.classes
    if settings.classes is None:
        rows = known.iloc[evenly(len(known), most)]
    else:
        if lost := [name for name in settings.classes if name not in set(known["class_id"])]:
            raise UserError(
                f"figures.{figure}.classes: there is no class {lost[0]!r}; the class ids stand in "
                f"{results.layout.classes}"
            )
        rows = known.set_index("class_id").loc[list(settings.classes)].reset_index()
    return rows[["class_id", "split"]].assign(name=rows["class_id"].map(results.names))


def why_these(shown: int, results: Results, settings: ChosenSettings) -> str:
    """Which classes a figure shows of the experiment's, in words."""
    known = len(results.classes)
    if settings.classes is not None:
        return f"{shown} of {known} classes, named in the settings"
    return f"all {known} classes" if shown == known else f"{shown} of {known} classes, evenly from their list"
