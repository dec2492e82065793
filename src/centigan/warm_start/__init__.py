"""Jobs of a run on this machine are forked from a process that has imported what they need.

A command's start costs seconds of CPU, nearly all of it imports (benchmarks/start.py), and a study has
thousands of commands. A run of many jobs therefore starts one process that imports the libraries, none of
our modules, and waits (`process`). `centigan` hands its words, folder, environment and open files over to a
child of it, passes signals on, and ends as that child does; the child reads our source anew, as any command.

Where there is no such process, or it imported under another environment, a command runs by itself as ever:
nothing but time depends on this. Linux alone: the socket has no file that a killed run would leave behind.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ADDRESS = "CENTIGAN_WARM"  # in the environment of a run's jobs
WORTH_IT = 8  # jobs: importing costs as much as two of them
# what libraries or Python read of the environment while they are imported, not later
READ_ON_IMPORT = ("PYTHON", "LD_", "MPL", "TORCH", "PYTORCH", "KMP_", "OMP_", "MKL_", "OPENBLAS_")
OF_THREADS = "_NUM_THREADS"  # Snakemake sets them for each job; they are set again after the fork
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
LOST = 70  # EX_SOFTWARE: the process that would have told of the end was killed
DIGITS = 16  # of the length of a request


def main() -> None:
    """`centigan`: in a child of the run's warm process where there is one, or else in this process."""
    if address := os.environ.pop(ADDRESS, ""):
        status = hand_over(address)
        if status is not None:
            sys.exit(status)
    run()


def run() -> None:
    """Run the command of this process."""
    from centigan.cli import main as command

    command()


def begin(jobs: int) -> "subprocess.Popen[bytes] | None":
    """Let the commands that this process starts be forked from one that this starts, if there are so many."""
    if jobs < WORTH_IT or not _possible():
        return None
    address = f"centigan-{secrets.token_hex(8)}"
    process = Path(__file__).with_name("process.py")  # not as -m, which usage texts would tell
    words = [sys.executable, "-P", str(process), address, str(os.getpid())]
    quiet = subprocess.DEVNULL
    started = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    os.environ[ADDRESS] = address
    return started


def _possible() -> bool:
    """Whether this system is Linux 5.3 or later."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def hand_over(address: str) -> int | None:
    """The exit status of this command, run by a child of the process at the address; None: it did not."""
    received: list[int] = []
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(f"\0{address}")
        except OSError:  # not ready yet, or gone
            return None
        for caught in PASSED_ON:
            signal.signal(caught, lambda number, _: received.append(number))
        told = json.dumps(request()).encode()
        try:
            socket.send_fds(server, [f"{len(told):{DIGITS}}".encode()], [0, 1, 2])
            server.sendall(told)
            answers = server.makefile()
            child = int(answers.readline() or 0)
        except OSError:
            child = 0
        if child:
            return _status_of(child, answers.readline, received)
    for caught in PASSED_ON:
        signal.signal(caught, signal.default_int_handler if caught == signal.SIGINT else signal.SIG_DFL)
    for number in received:
        signal.raise_signal(number)
    return None


def _status_of(child: int, answer: Callable[[], str], received: list[int]) -> int:
    """Wait for the child's end, and pass on what is sent to this process, also what came before."""

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for caught in PASSED_ON:
        signal.signal(caught, pass_on)
    for number in received:
        pass_on(number, None)
    told = answer()
    if not told:
        print("error: the process that this command was forked from was killed", file=sys.stderr)
    return int(told or LOST)


def request() -> dict[str, Any]:
    """All that a command is told by."""
    return {
        "words": sys.argv,
        "folder": str(Path.cwd()),
        "path": sys.path,
        "environment": dict(os.environ),
        "imported": imported(),
    }


def imported(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the imported libraries depend on."""
    read = {
        name: value
        for name, value in environment.items()
        if name.startswith(READ_ON_IMPORT) and not name.endswith(OF_THREADS)
    }
    return read | {"": f"{sys.prefix} {sys.version}"}
