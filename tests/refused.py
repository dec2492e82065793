"""What is said of raw data that cannot be read."""

from pathlib import Path

import pytest

from centigan.data.sources import list_source
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import Source


def refusal(root: Path, source: Source = "auto", **data: object) -> str:
    """The error of a listing that must fail; `data` are further settings."""
    with pytest.raises(UserError) as told:
        list_source(DataSettings.model_validate({"root": str(root), "source": source, **data}))
    return str(told.value)
