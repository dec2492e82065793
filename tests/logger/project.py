"""A small workflow of plain shell commands that is shown as the pipeline is, with its own trainings."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from calls import call

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
SNAKEFILE = """
import sys
from pathlib import Path
from centigan.layout import Layout

onstart:
    for handler in workflow.logger_manager.get_log_handlers():
        handler.expect({("", split): (Layout("small").scratch(split), 100, 10) for split in ("00", "01")})

rule everything:
    input:
        "results/small/report/index.html",

rule index:
    output:
        "index.txt",
    log:
        "logs/index.log",
    params:
        settings='{"data": {"classes": 10, "order": "' + "x" * 1800 + '"}}',
    message:
        "index the raw images"
    shell:
        "echo '2026-11-22 05:12:55,849 warning: 3 images are left out' > {log}; touch {output}"

rule train:
    input:
        "index.txt",
    output:
        "train/{split}.txt",
    log:
        "logs/train/{split}.log",
    params:
        settings='{"train": {"iterations": 100}}',
    message:
        "train split {wildcards.split}"
    shell:
        f"exec {sys.executable} trainer.py {{wildcards.split}} {{log}} {{output}}"

rule report:
    input:
        expand("train/{split}.txt", split=["00", "01"]),
    output:
        "results/small/report/index.html",
    message:
        "the report"
    shell:
        "touch {output}"
"""
# A training as the screen knows one: its journal and its checkpoints.
TRAINER = """
import json, os, signal, sys, time
from pathlib import Path
split, log, output = sys.argv[1:]
scratch = Path("scratch/small", split)
scratch.mkdir(parents=True, exist_ok=True)
Path(log).parent.mkdir(parents=True, exist_ok=True)
asked = []
signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
mode = Path("mode").read_text().split()
def say(text):
    with open(log, "a") as file:
        file.write(f"2026-11-22 05:12:55,849 {text}\\n")
if split in mode and "fails" in mode:
    say("error: split 01: loss is not finite")
    sys.exit(1)
if split in mode and "dies" in mode:
    os.kill(os.getpid(), signal.SIGKILL)
for iteration in range(10, 101, 10):
    with open(scratch / "timing.jsonl", "a") as file:
        line = {"iteration": iteration, "timestamp": int(time.time() * 1000), "images_per_second": 100.0}
        file.write(json.dumps(line) + "\\n")
    if asked or ("waits" in mode and iteration == 40):
        while not asked:
            time.sleep(0.05)
        (scratch / f"checkpoint-{iteration:08d}.safetensors").touch()
        say(f"split {split}: stopped by SIGINT after iteration {iteration} of 100, which is saved")
        sys.exit(75)
Path(output).touch()
"""


class Small:
    """The workflow in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "Snakefile").write_text(SNAKEFILE)
        (folder / "trainer.py").write_text(TRAINER)
        self.train("ends")

    def train(self, how: str) -> None:
        """How trainings go: "ends", "waits", "fails 01" or "dies 01"."""
        (self.folder / "mode").write_text(how)

    def both_wait(self) -> bool:
        """Whether both trainings stand at iteration 40, until they are asked to end."""
        journals = [self.folder / f"scratch/small/{split}/timing.jsonl" for split in ("00", "01")]
        return all(path.exists() and path.read_text().count("\n") == 4 for path in journals)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEMAKE_")}
        kept["PATH"] = f"{SNAKEMAKE.parent}:{kept['PATH']}"  # as where the environment is active
        return kept | {"XDG_CACHE_HOME": str(self.folder / "cache"), "TERM": "xterm-256color"}

    def call(self, *words: str) -> list[str | Path]:
        return [SNAKEMAKE, "--cores", "2", "--logger", "centigan", *words]

    def run(self, *words: str, status: int = 0) -> str:
        """What a run prints into a file."""
        ended, said = call(self.call(*words), self.folder, self.environment)
        assert ended == status, said
        return said

    def on_terminal(self, *words: str, until: Callable[[], bool] | None = None) -> tuple[int, str]:
        """Status and bytes of a run on a terminal of 100 columns, where Ctrl-C is pressed at a moment."""
        child, terminal = pty.fork()
        if not child:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(self.folder)
            os.execve(SNAKEMAKE, list(map(str, self.call(*words))), self.environment)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        shown, end = b"", time.monotonic() + 120
        while time.monotonic() < end:
            if until and until():
                os.write(terminal, b"\x03")
                until = None
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # its other end is closed
                break
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()
