import shutil
from pathlib import Path

import pytest
from built_once import built_once
from toy import ITERATIONS, SETTINGS, SPLITS, finish, train

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import exporter  # before any test imports mlflow: keeps it from calling home


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
def begun(tmp_path: Path) -> Layout:
    """The toy experiment before its first iteration."""
    return Layout("toy", tmp_path / "project")


@pytest.fixture
def layout(begun: Layout) -> Layout:
    """The finished toy experiment, on a machine that did not train it: nothing recorded the times."""
    for split in SPLITS:
        train(begun, split, ITERATIONS)
    finish(begun)
    shutil.rmtree(begun.root / "scratch")
    return begun


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database; creating its tables takes seconds, so tests copy this one."""

    def create(folder: Path) -> None:
        folder.mkdir()
        exporter.MlflowClient(f"sqlite:///{folder / 'empty.db'}").search_experiments()

    return built_once(tmp_path_factory, "mlflow", create) / "empty.db"


@pytest.fixture
def store(migrated: Path, tmp_path: Path) -> str:
    """URI of an empty store of the test's own."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'store.db')}"
