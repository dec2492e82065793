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
import resource
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

ADDRESS = "CENTIGAN_WARM"  # in the environment of a run's jobs
WORTH_IT = 8  # jobs: importing costs as much as two of them
# what libraries or Python read of the environment while they are imported or start, not later
READ_ON_IMPORT = (
    *("PYTHON", "LD_", "MPL", "TORCH", "PYTORCH", "KMP_", "OMP_", "MKL_", "OPENBLAS_", "TQDM_"),
    *("HOME", "XDG_", "LANG", "LC_", "TZ"),
)
FLAGS = ("optimize", "dev_mode", "utf8_mode", "isolated", "no_site", "no_user_site")  # of Python
THREADS = "OMP_NUM_THREADS"  # Snakemake sets it and its like for each job; it is set again after the fork
OF_THREADS = "_NUM_THREADS"
PASSED_ON = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGTSTP, signal.SIGCONT),  # Ctrl-Z, and on
)
TAKEN, GO = b"+", b"\0"
PATIENCE = 10.0  # seconds until a command runs by itself after all
LOST = 70  # EX_SOFTWARE: what would have told of the end was killed
LISTENS = "00010000"  # the flag in /proc/net/unix
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


def begin(jobs: int, log: Path) -> "subprocess.Popen[bytes] | None":
    """Let the commands that this process starts be forked from one that this starts, if there are so many.

    The log tells of each command whether it was, or what was other than when the process began.
    """
    if jobs < WORTH_IT or not _possible():
        return None
    address = f"centigan-{os.urandom(8).hex()}"
    process = Path(__file__).with_name("process.py")  # not as -m, which usage texts would tell
    words = [sys.executable, "-P", str(process), address, str(os.getpid())]
    quiet = subprocess.DEVNULL
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as told:
        started = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=told, start_new_session=True)
    os.environ[ADDRESS] = address
    return started


def is_ready(address: str) -> bool:
    """Whether the process at the address has imported all and takes commands."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return any(line.endswith(f"@{address}") and line.split()[3] == LISTENS for line in lines)


def _possible() -> bool:
    """Whether this system is Linux 5.3 or later."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def hand_over(address: str) -> int | None:
    """The exit status of this command, run by a child of the process at the address; None: it did not run."""
    try:
        told = json.dumps(request()).encode()
        server = _connected(address)
    except OSError:  # not ready yet, or gone; or the working directory is
        return None
    received: list[int] = []
    caught = [number for number in PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
    with server:
        before = {number: signal.signal(number, lambda n, _: received.append(n)) for number in caught}
        try:
            server.settimeout(PATIENCE)
            socket.send_fds(server, [f"{len(told):{DIGITS}}".encode()], [0, 1, 2])
            server.sendall(told)
            if taken := server.recv(1) == TAKEN:
                server.sendall(GO)
        except OSError:
            taken = False
        if taken:
            return _status_of(server, caught, received)
    for number, handler in before.items():
        signal.signal(number, handler)
    for each in received:
        signal.raise_signal(each)
    return None


def _connected(address: str) -> socket.socket:
    """A connection to a process of our own user."""
    server = socket.socket(socket.AF_UNIX)
    try:
        if server.fileno() < 3:  # it would be handed over in place of a standard file that is closed
            raise OSError("a standard file is closed")
        server.connect(f"\0{address}")
        if user_of(server) != os.getuid():
            raise PermissionError("another user has the address")
    except OSError:
        server.close()
        raise
    return server


def _status_of(server: socket.socket, caught: list[signal.Signals], received: list[int]) -> int:
    """Wait for the command's end, and pass on what is sent to this process, also what came before."""

    def pass_on(number: int, _: object) -> None:
        with suppress(OSError):
            server.send(bytes([number]))
        if number == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGSTOP)

    server.settimeout(None)
    for number in caught:
        signal.signal(number, pass_on)
    for each in received:
        pass_on(each, None)
    told = ""
    with suppress(OSError):
        told = server.makefile().readline()
    if not told:
        print("error: the process that this command was forked from was killed", file=sys.stderr)
    status = int(told or LOST)
    if status < 0:  # end as it did, by this signal
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def user_of(peer: socket.socket) -> int:
    """Who runs the process at the other end: the address of a socket without a file is open to all."""
    told = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[1])


def request() -> dict[str, Any]:
    """All that a command is told by."""
    return {
        "words": sys.argv,
        "folder": str(Path.cwd()),
        "path": sys.path,
        "environment": dict(os.environ),
        "under": under(),
    }


def under() -> dict[str, Any]:
    """What imported libraries, and all that a process inherits, depend on."""
    read = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(READ_ON_IMPORT) and not name.endswith(OF_THREADS)
    }
    os.umask(mask := os.umask(0o077))
    limits = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    return {
        "environment": read,
        "python": [sys.prefix, sys.version, *(getattr(sys.flags, name) for name in FLAGS)],
        "inherited": [mask, os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0))],
        "limits": [list(resource.getrlimit(limit)) for limit in sorted(set(limits))],
    }
