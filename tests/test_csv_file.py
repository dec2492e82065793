"""What a CSV file gives back is what was written."""

from pathlib import Path

import pandas as pd
import pytest

from centigan.csv_file import write_csv
from centigan.reporting.results import READING

NAMES = ("a\rb", "\r", "a\nb", "a\r\nb", "a,b", 'a"b', " a ", "NA", "nan", "007", "1e3", "a\u2028b", "\x85")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_survives(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame(
        {"class_id": [name, "z"], "words": ["w", name], "train": [3, 4], "share": [0.5, 1.25]}
    )
    write_csv(tmp_path / "x.csv", table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "x.csv", **READING), table, check_dtype=False)


def test_ordinary_tables_have_no_more_quotes_than_they_need(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", pd.DataFrame({"class_id": ["a", "b"], "share": [1 / 3, 2.0]}))
    assert (tmp_path / "x.csv").read_text() == "class_id,share\na,0.333333\nb,2\n"


def test_a_table_may_hold_numbers_alone(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", pd.DataFrame({"resolution": [4, 8], "share": [0.5, None]}))
    assert (tmp_path / "x.csv").read_text() == "resolution,share\n4,0.5\n8,\n"
