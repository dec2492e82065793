"""Whatever happens to store or exporter while a training runs: in the end every point is there once."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow_server import (
    Server,
    SlowProxy,
    assert_complete,
    assert_every_point_once,
    curves,
    start_follower,
)
from toy import SPLITS, finish, train

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track

KILLS = int(os.environ.get("CENTIGAN_KILLS", "6"))
PAUSE = 0.03  # seconds between lines
pytestmark = pytest.mark.faults
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[Server]:
    """Not started yet."""
    server = Server(tmp_path / "server", migrated)
    yield server
    server.end()


@contextmanager
def computing(layout: Layout) -> Iterator[threading.Thread]:
    """A pipeline of some 20 seconds: each split is interrupted once and resumes from a checkpoint."""

    def run() -> None:
        for split in SPLITS:
            train(layout, split, range(10, 1510, 10), pause=PAUSE)
            time.sleep(1)
            train(layout, split, range(1010, 3010, 10), pause=PAUSE)
        finish(layout)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@pytest.fixture
def start(begun: Layout, settings: Settings) -> Iterator[Start]:
    """Starts followers of the toy experiment, of which none outlives the test."""
    started = []

    def start(uri: str, **how: int) -> subprocess.Popen[str]:
        started.append(start_follower(begun, settings, uri, **how))
        return started[-1]

    yield start
    for follower in started:
        if follower.stderr and not follower.stderr.closed:  # the test failed before its end
            follower.kill()
            follower.communicate()


def ended(follower: subprocess.Popen[str]) -> str:
    """What a follower said that ended by itself, well."""
    _, errors = follower.communicate(timeout=90)
    assert follower.returncode == 0, errors
    assert "Traceback" not in errors
    return errors


def test_a_server_that_is_killed_and_restarted(
    begun: Layout, settings: Settings, start: Start, server: Server
) -> None:
    server.start()
    with computing(begun):
        follower = start(server.uri)
        for _ in range(2):
            time.sleep(5)
            server.end()
            time.sleep(2)
            server.start()
    told = ended(follower)
    assert told.count("Trying again") >= 1
    assert_complete(server.database, server.uri, begun, settings)


def test_a_server_that_hangs(begun: Layout, settings: Settings, start: Start, server: Server) -> None:
    server.start()
    with computing(begun):
        follower = start(server.uri, timeout=1)
        for _ in range(2):
            time.sleep(4)
            server.send(signal.SIGSTOP)
            time.sleep(5)
            server.send(signal.SIGCONT)
    told = ended(follower)
    assert "Trying again" in told
    assert "answers again" in told
    assert_complete(server.database, server.uri, begun, settings)


def test_a_server_that_hangs_from_the_first_request_on(
    begun: Layout, settings: Settings, start: Start, server: Server
) -> None:
    server.start()
    server.send(signal.SIGSTOP)
    with computing(begun):
        follower = start(server.uri, timeout=1)
        time.sleep(10)
        server.send(signal.SIGCONT)  # now it answers requests that were given up: a run each
    ended(follower)
    assert_complete(server.database, server.uri, begun, settings)


def test_a_slow_server(begun: Layout, settings: Settings, start: Start, server: Server) -> None:
    server.start()
    proxy = SlowProxy(server.port, delay=0.3)
    with computing(begun):
        follower = start(proxy.uri)
    assert "Trying again" not in ended(follower)
    proxy.close()
    assert_complete(server.database, server.uri, begun, settings)


def test_a_server_that_is_slower_than_patience(
    begun: Layout, settings: Settings, start: Start, server: Server
) -> None:
    server.start()
    proxy = SlowProxy(server.port, delay=2.0)  # each request is served, and each answer comes too late
    with computing(begun):
        follower = start(proxy.uri, timeout=1)
        time.sleep(12)
        proxy.delay = 0.0
    assert "Trying again" in ended(follower)
    proxy.close()
    assert_complete(server.database, server.uri, begun, settings)


def test_a_server_that_starts_late(begun: Layout, settings: Settings, start: Start, server: Server) -> None:
    with computing(begun) as pipeline:
        follower = start(server.uri)
        pipeline.join()
    assert not curves(server.database)
    server.start()
    assert ended(follower).count("Trying again") == 1
    assert_complete(server.database, server.uri, begun, settings)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["sqlite", "server"])
def test_a_disk_that_is_full_for_a_while(
    begun: Layout, settings: Settings, start: Start, small_disk: Path, migrated: Path, kind: str
) -> None:
    server = Server(small_disk / "store", migrated)
    if kind == "server":
        server.start()
    uri = server.uri if kind == "server" else f"sqlite:///{server.database}"
    ballast = small_disk / "ballast"
    try:
        with computing(begun):
            follower = start(uri)
            time.sleep(4)
            with pytest.raises(OSError, match="No space left"):
                ballast.write_bytes(bytes(2**23))
            time.sleep(6)
            assert follower.poll() is None
        time.sleep(3)  # everything is computed, and there is no room for it
        ballast.unlink()
        assert "Trying again" in ended(follower)
        assert_complete(server.database, uri, begun, settings)
    finally:
        server.end()


@pytest.mark.parametrize("kind", ["sqlite", "server"])
def test_two_exporters_at_once(
    begun: Layout, settings: Settings, start: Start, server: Server, migrated: Path, kind: str
) -> None:
    if kind == "server":
        server.start()
    uri = server.uri if kind == "server" else f"sqlite:///{server.database}"
    with computing(begun):
        both = [start(uri) for _ in range(2)]
    for follower in both:
        ended(follower)
    assert_complete(server.database, uri, begun, settings)


@pytest.mark.parametrize("kind", ["sqlite", "server"])
def test_an_exporter_killed_at_random_moments(
    begun: Layout, settings: Settings, start: Start, server: Server, kind: str
) -> None:
    if kind == "server":
        server.start()
    uri = server.uri if kind == "server" else f"sqlite:///{server.database}"
    rng = random.Random(KILLS)
    with computing(begun) as pipeline:
        for _ in range(KILLS):
            follower = start(uri)
            time.sleep(rng.uniform(1.5, 4.5))  # of these some 1.5 are its start
            follower.kill()
            follower.communicate()
        pipeline.join()
    for _ in range(KILLS):  # most of the writing is at the end: models, artifacts, the closing
        follower = start(uri)
        time.sleep(rng.uniform(1.5, 3.5))
        follower.kill()
        follower.communicate()
    assert track(begun, settings, list(SPLITS), tracking_uri=uri)
    assert_every_point_once(server.database, begun, settings)
    assert_complete(server.database, uri, begun, settings)
