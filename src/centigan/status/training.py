"""How far one training is: its lock, its journal, its checkpoints, its job."""

import fcntl
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centigan.journal import Line, whole_lines
from centigan.layout import Layout
from centigan.settings.stages import TrainStage
from centigan.status.queue import LOGS, Job, Queue, key_of, said_by_slurm

TAIL = 4096  # bytes read of a journal or log: some 40 lines
RECENT = 5  # lines of timing.jsonl whose median is the speed now: one may hold a checkpoint or a pause
SILENCE = 600.0  # seconds without a line of the journal, at least, before it is remarked


ERROR = re.compile(r"^(?:\d{4}-\d\d-\d\d [\d:,]{12} )?(error: )", re.MULTILINE)  # as options.log_to writes it


@dataclass(frozen=True)
class Lock:
    """Whether a trainer holds a split's lock, and who that is or was last."""

    held: bool = False
    since: float = 0.0
    job: int | None = None
    node: str = ""


@dataclass(frozen=True)
class Training:
    """How far one split is."""

    split: str
    state: str
    iteration: int
    iterations: int
    speed: float | None = None  # iterations a second, while it runs
    job: int | None = None
    node: str = ""
    note: str = ""
    log: str = ""  # of a failed one: the file, and its last line
    last_line: str = ""


def look_at_training(layout: Layout, split: str, stage: TrainStage, queue: Queue) -> Training:
    """The state of one split's training, from its files and Slurm's word."""
    iterations, scratch = stage.train.iterations, layout.scratch(split)
    if (layout.train(split) / "manifest.json").exists():
        return Training(split, "done", iterations, iterations)
    lock, path = _lock(scratch / "lock"), layout.log("train", split)
    jobs = (queue.newest.get(key_of(layout.experiment, "train", split)), queue.jobs.get(lock.job or 0))
    job = max((job for job in jobs if job), key=lambda job: job.number, default=None)
    journal, saved = _journal(scratch / "timing.jsonl"), saved_iteration(scratch)
    last_line = last_error(path) or (_last_lines(path) or [""])[-1]
    starting = not lock.held and is_locked(path)
    state = "running" if starting else _state(lock, job, last_line, begun=bool(journal) or saved is not None)

    known: dict[str, Any] = {"iteration": saved or 0}
    if job and state != "to do":
        known |= {"job": job.number, "node": job.node}
        known["note"] = job.reason if state == "waiting" else "" if state == "running" else job.word
    if state == "failed":
        known["log"], known["last_line"] = last_words(layout, path, job)
    if starting:  # its journal is that of an earlier try
        known["note"] = "starting"
    elif state == "running":
        last = journal[-1] if journal else {"iteration": 0, "timestamp": 0}
        known |= {"iteration": max(saved or 0, last["iteration"])}
        known |= {"speed": _speed(journal, stage.train.batch_size)}
    if lock.held:
        known |= {"job": lock.job, "node": lock.node}
        heard = max(lock.since, last["timestamp"] / 1000)
        known["note"] = _silence(heard, stage.train.log_every, known["speed"])
    known["iteration"] = min(known["iteration"], iterations)  # a checkpoint may be of a longer training
    return Training(split, state, iterations=iterations, **known)


def pace(scratch: Path, batch_size: int, *, since: float) -> tuple[int, float | None] | None:
    """The iteration that a running training has reached, and iterations a second; None before its first line.

    Args:
        since: when it was started (seconds of the epoch): a journal that is older is another one's.
    """
    path = scratch / "timing.jsonl"
    try:
        if path.stat().st_mtime < since:
            return None
    except OSError:
        return None
    journal = _journal(path)
    fresh = [line for line in journal if line["timestamp"] / 1000 >= since]
    return (journal[-1]["iteration"], _speed(fresh, batch_size)) if journal else None


def last_error(path: Path) -> str:
    """The error that ended a command, from its log, of one line or several; "" where it tells of none."""
    text = _end(path).decode(errors="replace")
    found = list(ERROR.finditer(text))
    return text[found[-1].start(1) :].rstrip() if found else ""


def is_locked(path: Path) -> bool:
    """Whether a command that runs now writes this log: the kernel drops its lock with the process."""
    return _lock(path).held


def last_words(layout: Layout, path: Path, job: Job | None) -> tuple[str, str]:
    """The log that tells why something failed, and its line: its own, or Slurm's, as of a kill for memory."""
    own = (_last_lines(path) or [""])[-1]
    if "error:" not in own and (error := last_error(path)):
        own = " ".join(error.split())  # of several lines
    if "error:" not in own and job:
        for found in (layout.root / LOGS / layout.shared.experiment).rglob(f"*.{job.number}.log"):
            said = said_by_slurm(found) or (_last_lines(found) or [""])[-1]
            if said:
                return str(found), said
    return (str(path), own) if path.exists() else ("", "")


def _state(lock: Lock, job: Job | None, last_line: str, *, begun: bool) -> str:
    """The state of a training that is not done."""
    if lock.held:
        return "running"
    if job and job.state in ("running", "waiting"):
        return job.state
    # a trainer's last words at a time limit, on preemption or scancel: nothing is wrong with it
    saved = re.search(r": stopped by SIG\w+ after iteration", last_line)
    if "error:" in last_line or (job and job.state == "failed" and not saved):
        return "failed"
    return "stopped" if begun else "to do"


def _lock(path: Path) -> Lock:
    """Try a split's lock, for a moment only: a trainer that starts must find it free."""
    held = False
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                fcntl.flock(file, fcntl.LOCK_UN)
            except OSError as error:  # any other: a file system without locks
                held = isinstance(error, BlockingIOError)
            by = re.match(r"(?:process \d+|Slurm job (\d+)) on (\S+)", file.read(200))
            since = os.fstat(file.fileno()).st_mtime
    except OSError:  # never trained
        return Lock()
    return Lock(held, since, int(by[1]) if by and by[1] else None, by[2] if by else "")


def saved_iteration(scratch: Path) -> int | None:
    """The iteration of the newest checkpoint."""
    names = (path.stem.removeprefix("checkpoint-") for path in scratch.glob("checkpoint-*.safetensors"))
    return max((int(name) for name in names if name.isdigit()), default=None)


def _journal(path: Path) -> list[Line]:
    """The last lines of timing.jsonl."""
    return whole_lines(_end(path), "timestamp", "images_per_second")


def _last_lines(path: Path) -> list[str]:
    """The last whole lines of a log."""
    return _end(path).decode(errors="replace").split("\n")[:-1]


def _end(path: Path) -> bytes:
    """The last lines of a file that may be long, and written to just now."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - TAIL)
            file.seek(start)
            content = file.read()
    except OSError:
        return b""
    return content.partition(b"\n")[2] if start else content


def _speed(journal: list[Line], batch_size: int) -> float | None:
    """Iterations a second of late."""
    speeds = sorted(line["images_per_second"] for line in journal[-RECENT:])
    return speeds[len(speeds) // 2] / batch_size if speeds else None


def _silence(heard: float, log_every: int, speed: float | None) -> str:
    """A remark on a trainer that holds its lock but writes nothing."""
    since = time.time() - heard
    return f"silent for {duration(since)}" if speed and since > max(SILENCE, 10 * log_every / speed) else ""


def duration(seconds: float) -> str:
    """Such as "1 h 45 min"."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
