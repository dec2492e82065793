"""What the file of one metric says by itself, for who has just measured it."""

from pathlib import Path

import pandas as pd

from centigan.reporting.scores import SUMMARIES
from centigan.reporting.site.today_models import BOUNDS


def said(metric: str, path: Path, name: str) -> str:
    """Its numbers by their names in summary.json, and what kind of likelihood they are.

    Those about another number (fid/generated/std) are left out. Nothing of a metric whose numbers take more:
    real images beside it, or settings.

    Args:
        metric: of the catalogue.
        path: its file, of samples.
        name: of the split, or what stands for all.
    """
    if metric not in SUMMARIES or metric == "neighbours":
        return ""
    rows = pd.read_parquet(path).assign(split=name)
    numbers = SUMMARIES[metric](rows)
    main = {key: value for key, value in numbers.items() if key.rpartition("/")[0] not in numbers}
    told = ", ".join(f"{key} {value:.4g}" for key, value in main.items())
    kinds = ", ".join(BOUNDS[kind] for kind in rows["bound"].unique()) if "bound" in rows else ""
    return told + (f"; {kinds}" if kinds else "")
