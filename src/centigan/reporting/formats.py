"""The files that a table is written to: CSV to look at, Parquet to compute with, LaTeX for a paper."""

import pandas as pd

from centigan.atomic import atomic_path, write_text
from centigan.csv_file import write_csv
from centigan.layout import Layout


def write_table(layout: Layout, name: str, table: pd.DataFrame) -> None:
    """Write tables/<name>.csv, with six digits, and tables/<name>.parquet, with all."""
    with atomic_path(layout.table(name)) as temporary:
        write_csv(temporary, table)
    with atomic_path(layout.table(name, "parquet")) as temporary:
        table.to_parquet(temporary, index=False)


def write_latex(layout: Layout, name: str, table: pd.DataFrame, *, caption: str) -> None:
    """Write tables/<name>.tex."""
    write_text(layout.table(name, "tex"), as_latex(table, label=f"tab:{name}", caption=caption))


def as_latex(table: pd.DataFrame, *, label: str, caption: str) -> str:
    """A `table` in booktabs' style, every cell's text as it stands."""
    shown = table.map(_cell)
    shown.columns = [str(column).replace("_", " ") for column in table.columns]
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes]
    styled = shown.style.format(escape="latex").format_index(escape="latex", axis=1).hide(axis="index")
    latex: str = styled.to_latex(
        hrules=True,
        position="htbp",
        position_float="centering",
        column_format="".join("r" if number else "l" for number in numbers),
        caption=caption,
        label=label,
    )
    for sign, command in (("±", r"$\pm$"), ("²", r"$^2$"), ("≥", r"$\geq$"), ("≤", r"$\leq$"), ("−", "$-$")):
        latex = latex.replace(sign, command)
    return latex


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "--" if pd.isna(value) else f"{value:.4g}"
    return str(value)
