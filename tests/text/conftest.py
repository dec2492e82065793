"""Text encoders of drawn shapes, each made once."""

from pathlib import Path

import pytest
from captioned_shapes import small_encoder, write_arrays

from centigan.text import fit_text_encoder


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arrays folder: 36 classes, of which 8 are unseen."""
    return write_arrays(tmp_path_factory.mktemp("shapes") / "00")


@pytest.fixture(scope="session", params=["bow", "char"])
def encoder(request: pytest.FixtureRequest, shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a text encoder that has hardly learnt."""
    out = tmp_path_factory.mktemp(request.param)
    fit_text_encoder([shapes], small_encoder(request.param), out)
    return out
