"""Snakemake and DVC, forked from one process that has imported them: two seconds of each start are imports.

The process forgets our own modules, so a command reads the source that its environment names.
"""

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from shutil import which

from centigan.warm_start.process import run_and_end

BIN = Path(sys.executable).parent
MAIN = {"snakemake": "snakemake.cli", "dvc": "dvc.cli"}  # a program of the environment, and where it begins
OURS = ("centigan", "snakemake_executor_plugin_centigan", "snakemake_logger_plugin_centigan")
LIBRARIES = (
    *("snakemake.cli", "snakemake.report.html_reporter", "smart_open", "yte"),
    *("dvc.cli.parser", "dvc.commands.repro", "dvc.commands.status", "dvc.commands.data_sync"),
    *(
        "dvc.repo.open_repo",
        "dvc.repo.index",
        "dvc.repo.graph",
        "dvc.repo.plots",
        "dvc.cachemgr",
        "dvc.data_cloud",
    ),
    *("networkx", "pandas", "pydantic", "yaml", "pyarrow.parquet"),
)
DIGITS = 16  # of the length of a request


def can_fork(words: Sequence[str | Path], environment: Mapping[str, str]) -> bool:
    """Whether these words call one of the programs, as the environment finds it."""
    name = Path(words[0]).name
    return name in MAIN and which(str(words[0]), path=environment.get("PATH")) == str(BIN / name)


def call_forked(words: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit status of a program, and all that it prints, errors too."""
    client = _client()
    reading, writing = os.pipe()
    told = json.dumps([[*map(str, words)], str(folder), dict(environment)]).encode()
    with os.fdopen(reading) as output:
        socket.send_fds(client, [f"{len(told):{DIGITS}}".encode()], [writing])
        os.close(writing)
        client.sendall(told)
        said = output.read()
    return int(client.recv(DIGITS)), said


@cache
def _client() -> socket.socket:
    """The process of this worker, which ends when this end of the socket is closed."""
    ours, theirs = socket.socketpair()
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    file, quiet = theirs.fileno(), subprocess.DEVNULL
    with theirs:
        words = [sys.executable, __file__, str(file)]
        process = subprocess.Popen(words, env=own, pass_fds=[file], stdin=quiet, stdout=quiet)
    atexit.register(_end, ours, process)
    return ours


def _end(client: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    client.close()
    process.wait()


def serve(requests: socket.socket) -> list[str]:
    """Fork for each request; returns in the child of each, with its words."""
    while True:
        length, files, _, _ = socket.recv_fds(requests, DIGITS, 1)
        if not length:
            sys.exit()
        words, folder, environment = json.loads(requests.recv(int(length), socket.MSG_WAITALL))
        child = os.fork()
        if not child:
            _become(folder, environment, files[0])
            return words
        os.close(files[0])
        requests.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):{DIGITS}}".encode())


def import_libraries() -> None:
    """Import what both programs need; Snakemake's own import looks for plugins, and so imports ours."""
    for name in LIBRARIES:
        import_module(name)
    from snakemake_interface_common.plugin_registry import PluginRegistryBase

    for registry in PluginRegistryBase.__subclasses__():
        registry._instance = None  # each command looks for plugins anew
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        del sys.modules[name]


def _become(folder: str, environment: dict[str, str], output: int) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    source = environment.get("PYTHONPATH")
    sys.path[0:1] = [str(BIN), *(source.split(os.pathsep) if source else [])]  # instead of this file's folder


if __name__ == "__main__":
    import_libraries()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        sys.argv[:] = serve(requests)
    run_and_end(lambda: sys.exit(import_module(MAIN[Path(sys.argv[0]).name]).main()))
