"""The tracking store: which one, who writes to it, what its failures are called."""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from centigan.errors import UserError
from centigan.redaction import address, redacted

FAILURES = (MlflowException, SQLAlchemyError, OSError)
TOKEN = 8  # bytes that name a project or a process, hexadecimal in the lock's file
log = logging.getLogger(__name__)


class StoreError(UserError):
    """The store is away, hangs, is full or refuses; nothing of the experiment is lost."""


class Turn(NamedTuple):
    """One process's turn at writing."""

    project: str  # names this copy of the project for good
    undisturbed: bool  # nobody else had a turn since this process's last


def store_uri(given: str | None) -> str:
    """The store asked for, else MLFLOW_TRACKING_URI, else mlflow.db in the working directory.

    The latter without the path, which may hold a `?`: SQLAlchemy decodes nothing of a SQLite file's name.
    """
    return given or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


@contextmanager
def turn(lock: Path, process: str) -> Iterator[Turn]:
    """Hold the project's lock: finding a run and creating it are two requests.

    Its file names the project and the last writer, in one write that cannot be torn.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait(descriptor)
        project, _, writer = os.pread(descriptor, 100, 0).decode().strip().partition(" ")
        project = project or new_token()
        os.pwrite(descriptor, f"{project} {process}\n".encode(), 0)
        yield Turn(project, undisturbed=writer == process)
    finally:
        os.close(descriptor)


def new_token() -> str:
    """A name that nobody else has."""
    return secrets.token_hex(TOKEN)


def experiment_id(client: MlflowClient, name: str, uri: str) -> str:
    """The id of the experiment, created once; `mlflow.set_experiment` races and is not used."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name, artifact_location=_artifact_root(uri))
    if found.lifecycle_stage != "active":
        raise StoreError(
            f"MLflow's experiment {name} was deleted; bring it back with `mlflow "
            f"experiments restore --experiment-id {found.experiment_id}`, then track again"
        )
    return found.experiment_id


@contextmanager
def store_errors(uri: str, results: Path, again: str) -> Iterator[None]:
    """Tell any failure of the store in one line, without its secrets, and the command that tries again."""
    try:
        yield
    except FAILURES as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        cause = redacted(line.rpartition("(Caused by ")[2], uri)[:300]  # urllib3 puts the reason last
        raise StoreError(
            f"MLflow at {address(uri)} does not answer or refuses: {cause}. The results in {results} "
            f"are safe; run `{again}` when the store is back, or set "
            "MLFLOW_TRACKING_URI to another"
        ) from error


def _wait(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for another `centigan track` to end its turn")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _artifact_root(uri: str) -> str | None:
    """Where artifacts go: a server decides; beside a SQLite file; else the working directory.

    Without this a database store would put them in ./mlruns.
    """
    if uri.startswith(("http:", "https:")):
        return None
    file = make_url(uri).database if uri.startswith("sqlite:") else None
    return (Path(file or "mlflow.db").resolve().parent / "mlartifacts").as_uri()
