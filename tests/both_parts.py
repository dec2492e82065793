"""A metric of samples and of real images, in one table: each part is measured alone, in a file of its own."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pandas as pd

from centigan import catalogue
from centigan.layout import WHOLE, Layout
from centigan.settings.evaluation import ClassificationSettings
from centigan.settings.stages import RealClassificationStage
from centigan.settings.training import SampleSettings


def both_parts(metric: str, layout: Layout, of: str | Sequence[str], settings: Any) -> pd.DataFrame:
    """Measure real images and samples; the rows in the order of tables and figures."""
    module = import_module(f"centigan.metrics.{metric}")
    module.measure(layout, of, settings)
    of_real = settings
    if isinstance(settings, ClassificationSettings):
        of_real = RealClassificationStage(classification=settings, sample=SampleSettings())
    module.measure_real(layout, of, of_real)
    name = of if isinstance(of, str) else WHOLE
    return pd.concat(map(pd.read_parquet, catalogue.files(metric, layout, name)), ignore_index=True)
