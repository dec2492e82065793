"""The process that a run's commands are forked from: it imports libraries, and none of our source.

It ends with the run that started it, once no command is left.
"""

import ctypes
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

from centigan.warm_start import DIGITS, OF_THREADS, imported, run

LIBRARIES = (
    *("torch", "numpy", "pandas", "pyarrow.parquet", "safetensors.torch", "scipy.linalg", "threadpoolctl"),
    *("pydantic", "typer", "yaml", "matplotlib.figure", "PIL.Image", "tqdm"),
)
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class Running(NamedTuple):
    """A command under way."""

    child: int  # process id
    ended: int  # file descriptor that can be read once it has
    client: socket.socket


class Commands:
    """The commands under way, by the files that tell of their ends."""

    def __init__(self, address: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"\0{address}")
        self.listener.listen(64)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.running: dict[int, Running] = {}

    def fork_until(self, run_of: int) -> socket.socket:
        """Fork a child for each command until the run of this process id ends; in the child: its client."""
        while self.running or os.getppid() == run_of:
            for file, _ in self.poll.poll(1.0):
                if file == self.listener.fileno():
                    if client := self._accept():
                        return client
                elif file in self.running:
                    self._has_ended(file)
        sys.exit()

    def _accept(self) -> socket.socket | None:
        """The client, in its child."""
        client, _ = self.listener.accept()
        if _user_of(client) != os.getuid():
            client.close()
            return None
        child = os.fork()
        if not child:
            self._leave()
            return client
        command = Running(child, os.pidfd_open(child), client)
        self.running |= {command.ended: command, client.fileno(): command}
        self.poll.register(command.ended, select.EPOLLIN)
        self.poll.register(client, select.EPOLLRDHUP)
        return None

    def _has_ended(self, file: int) -> None:
        """The child, whose status the client is told, or the client, whom the child does not outlive."""
        command = self.running[file]
        if file != command.ended:
            self.poll.unregister(file)
            os.kill(command.child, signal.SIGKILL)
            return
        code = os.waitstatus_to_exitcode(os.waitpid(command.child, 0)[1])
        with suppress(OSError):  # the client is gone
            command.client.sendall(b"%d\n" % (code if code >= 0 else 128 - code))
        del self.running[command.ended], self.running[command.client.fileno()]
        command.client.close()
        os.close(command.ended)  # epoll forgets files that are closed

    def _leave(self) -> None:
        """Close in a child what is the parent's."""
        self.listener.close()
        self.poll.close()
        for command in {id(each): each for each in self.running.values()}.values():
            command.client.close()
            os.close(command.ended)


def become(client: socket.socket, under: dict[str, str]) -> None:
    """Take the words, folder, environment and files of a command, or let it run by itself.

    It does where it was started `under` another environment than the libraries here were imported.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)  # as a job whose terminal goes away
    if os.getppid() != parent:
        sys.exit()
    with client:
        length, files, _, _ = socket.recv_fds(client, DIGITS, 3)
        request: dict[str, Any] = json.loads(client.makefile("rb").read(int(length)))
        if request["imported"] != under:
            client.sendall(b"0\n")
            os._exit(0)
        client.sendall(b"%d\n" % os.getpid())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[:], sys.argv[:] = request["path"], request["words"]
    if threads := os.environ.get(f"OMP{OF_THREADS}"):
        from centigan.threads import limit_threads

        limit_threads(int(threads))


def _user_of(client: socket.socket) -> int:
    """Who runs the process at the other end: the address of a socket without a file is open to all."""
    _, user, _ = struct.unpack(
        "3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    return int(user)


if __name__ == "__main__":
    under = imported()  # before torch sets a variable of its own
    for name in LIBRARIES:
        with suppress(ImportError):
            import_module(name)
    gc.freeze()  # children share these objects, and need not look for garbage among them
    become(Commands(sys.argv[1]).fork_until(run_of=int(sys.argv[2])), under)
    run()
