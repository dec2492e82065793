"""The process that a run's commands are forked from: it imports libraries, and none of our source.

Each command has a keeper, which is forked first: it reads the request, forks the command, passes signals on
and tells the client how it ended. So the process itself only accepts and forks, and ends with its run.
"""

import atexit
import ctypes
import gc
import io
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from centigan.warm_start import DIGITS, GO, TAKEN, THREADS, run, under, user_of

LIBRARIES = (
    *("torch", "numpy", "pandas", "pyarrow.parquet", "safetensors.torch", "scipy.linalg", "threadpoolctl"),
    *("pydantic", "typer", "yaml", "matplotlib.figure", "PIL.Image", "tqdm"),
)
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def serve(address: str, run_of: int) -> None:
    """Import the libraries, then fork for each command until the run of this process id ends.

    Returns in each command's own process.
    """
    started_under = under()  # before torch sets a variable of its own
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        for name in LIBRARIES:
            with suppress(ImportError):
                import_module(name)
        gc.freeze()  # children share these objects, and need not look for garbage among them
        listener.listen(64)
        listener.settimeout(1.0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are not waited for
        client = next_client(listener, run_of)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    keep(client, started_under)


def next_client(listener: socket.socket, run_of: int) -> socket.socket:
    """Returns in a keeper, with its client."""
    while os.getppid() == run_of:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        try:
            if user_of(client) == os.getuid() and not os.fork():
                return client
        except OSError:  # no more processes: the command runs by itself
            pass
        client.close()
    sys.exit()


def keep(client: socket.socket, started_under: dict[str, Any]) -> None:
    """Fork the command, and end with it; returns in the command's own process."""
    length, files, _, _ = socket.recv_fds(client, DIGITS, 3)
    if not length:
        os._exit(0)  # the client has gone already
    request: dict[str, Any] = json.loads(client.makefile("rb").read(int(length)))
    other = [key for key, value in request["under"].items() if started_under[key] != value]
    if not as_many_threads(request["environment"].get(THREADS)):
        other.append(THREADS)
    words = " ".join(request["words"][1:4])
    print(f"by itself, other {', '.join(other)}: {words}" if other else f"forked: {words}", file=sys.stderr)
    if other:
        os._exit(0)
    client.sendall(TAKEN)
    if client.recv(1) != GO:
        os._exit(0)  # it lost patience
    keeper = os.getpid()
    child = os.fork()
    if not child:
        client.close()
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)
        if os.getppid() != keeper:
            os._exit(0)
        return become(request, files)
    for file in files:
        os.close(file)
    tell_end(child, client)
    os._exit(0)


def tell_end(child: int, client: socket.socket) -> None:
    """Pass signals on until the child ends, which it does when the client is gone; then tell the client."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(client, select.POLLIN)
    while ended not in (ready := dict(poll.poll())):
        if client.fileno() in ready:
            told = b""
            with suppress(OSError):
                told = client.recv(64)
            for number in told or [signal.SIGKILL]:
                os.kill(child, signal.SIGSTOP if number == signal.SIGTSTP else number)
            if not told:
                poll.unregister(client)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        client.sendall(b"%d\n" % code)


def as_many_threads(asked: str | None) -> bool:
    """Whether libraries that are asked for so many threads after they are loaded take as many as if before.

    Before, they take no more than there are cores.
    """
    return asked is None or (asked.isdecimal() and 0 < int(asked) <= sys.modules["torch"].get_num_threads())


def become(request: dict[str, Any], files: list[int]) -> None:
    """Take the words, folder, environment and files of a command."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # it was begun on another file
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[:], sys.argv[:] = request["path"], request["words"]
    sys.modules["numpy"].random.seed()  # its global generator would be every command's
    if threads := os.environ.get(THREADS):
        from centigan.threads import limit_threads

        limit_threads(int(threads))


def run_and_end(command: Callable[[], object]) -> None:
    """Run a command, and end as multiprocessing's children do, with all that Python does but one thing.

    It takes no library down object by object, which takes 0.34 s, as long as a small measurement.
    """
    status = 0
    try:
        command()
    except SystemExit as asked:
        if not isinstance(asked.code, int | None):
            raise
        status = asked.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(status)  # nobody reads, or the disk is full: Python's own end tells of it
    ctypes.CDLL(None).fflush(None)  # what libraries in C have written
    os._exit(status & 0xFF)


if __name__ == "__main__":
    serve(sys.argv[1], run_of=int(sys.argv[2]))
    run_and_end(run)
