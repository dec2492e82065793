"""Tables as CSV files that read back as they were."""

from csv import QUOTE_MINIMAL, QUOTE_NONNUMERIC
from pathlib import Path
from typing import Any, Literal

import pandas as pd

NAMES = {"class_id": str, "words": str, "split": str}  # "00" and "0" are names, not numbers
READING: dict[str, Any] = {"dtype": NAMES, "keep_default_na": False, "na_values": [""]}  # so is "NA"


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index; numbers with six digits, lines that end in a newline."""
    texts = table.select_dtypes(exclude="number").astype("string")
    # where quotes are as few as can be, a carriage return has none, and a reader takes it for a line's end
    returns = any(column.str.contains("\r", regex=False).any() for _, column in texts.items())
    quoting: Literal[0, 2] = QUOTE_NONNUMERIC if returns else QUOTE_MINIMAL
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n", quoting=quoting)
