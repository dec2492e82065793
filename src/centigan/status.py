"""How far an experiment is: its files, the journals and locks of its trainings, and Slurm's queue.

Nothing is written and nothing heavy is loaded, since this is asked again and again on a login node.
"""

import fcntl
import json
import logging
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from centigan import params
from centigan.layout import Layout, split_names
from centigan.settings import Settings, TrainStage

STATES = ("done", "running", "waiting", "failed", "stopped", "to do")
LISTED = ("running", "failed", "waiting", "stopped")  # trainings that get a line, in this order
LINES = 20  # of a list, unless all are asked for
PATIENCE = 5.0  # seconds that squeue is given
TAIL = 4096  # bytes read of a journal or log: some 40 lines
RECENT = 5  # lines of timing.jsonl whose median is the speed now: one may hold a checkpoint or a pause
SILENCE = 600.0  # seconds without a line of the journal, at least, before it is remarked
# squeue(1): job, job with task of an array, state, nodes, why it waits, comment, folder of the submission
FORMAT = "%A|%i|%T|%N|%r|%k|%Z"
RUNNING = {"RUNNING", "CONFIGURING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING"}
WAITING = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
WAITING |= {"SUSPENDED", "STOPPED"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What Slurm says of one job."""

    number: int
    word: str  # Slurm's own for its state
    node: str
    reason: str

    @property
    def state(self) -> str:
        """One of STATES; a completed job whose output is missing says nothing."""
        if self.word in RUNNING:
            return "running"
        if self.word in WAITING:
            return "waiting"
        return "to do" if self.word == "COMPLETED" else "failed"


@dataclass(frozen=True)
class Queue:
    """The jobs that were submitted from one folder."""

    jobs: dict[int, Job] = field(default_factory=dict)
    newest: dict[str, Job] = field(default_factory=dict)  # by the comment, which names rule and wildcards
    together: dict[str, Counter[str]] = field(default_factory=dict)  # groups and arrays: it names no split


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


@dataclass(frozen=True)
class Status:
    """How far everything is."""

    experiment: str
    stages: dict[str, Counter[str]]
    trainings: list[Training]
    failures: list[str]  # of the other stages
    together: dict[str, Counter[str]]


def look(layout: Layout, settings: Settings) -> Status:
    """Look once at all files and ask Slurm once."""
    queue = ask_slurm(layout.root)
    splits = split_names(settings.data.classes, settings.data.split_size)
    trainings = [
        _training(layout, split, params.stage(settings, TrainStage, split), queue) for split in splits
    ]
    stages: dict[str, Counter[str]] = {}
    failures = []
    for rule, files in _last_written(layout, splits, list(type(settings.figures).model_fields)).items():
        stages[rule] = Counter()
        for target, path in files.items():
            job = queue.newest.get(_comment(rule, layout.experiment, target))
            state = "done" if path.exists() else job.state if job else "to do"
            stages[rule][state] += 1
            if job and state == "failed":
                what, seen = f"{rule} {target}".rstrip(), _log(layout, rule, target)
                failures.append(f"{what}: Slurm job {job.number} {job.word}, see {seen}")
    stages["train"] = Counter(training.state for training in trainings)
    return Status(layout.experiment, stages, trainings, failures, queue.together)


def _last_written(layout: Layout, splits: list[str], figures: list[str]) -> dict[str, dict[str, Path]]:
    """Of every rule: what it is run for, and the file that it writes last."""
    metrics = ("accuracy", "ms_ssim", "ms_ssim_in_training")
    return {
        "index": {"": layout.source},
        "arrays": {split: layout.arrays(split) / "manifest.json" for split in splits},
        "train": {},  # looked at more closely
        "sample": {split: layout.samples(split) / "manifest.json" for split in splits},
        "judge": {"": layout.judge / "manifest.json"},
        **{metric: {split: layout.metric(metric, split) for split in splits} for metric in metrics},
        "tables": {"": layout.table("comparison")},
        "figure": {name: layout.figure(name, "png") for name in figures},
        "report": {"": layout.report},
        "publish": {"": layout.published},
    }


def _log(layout: Layout, rule: str, target: str) -> Path:
    folder = layout.root / "logs" / layout.experiment
    if not target:
        return folder / f"{rule}.log"
    return folder / ("figures" if rule == "figure" else rule) / f"{target}.log"


def ask_slurm(folder: Path) -> Queue:
    """Our jobs of this folder, those that ended lately too; none where there is no Slurm."""
    squeue = shutil.which("squeue")
    if squeue is None:
        return Queue()
    command = [squeue, "--noheader", "--me", "--array", "--states=all", f"--format={FORMAT}"]
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, errors="replace") as process:
            try:
                out, said = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()  # what a wrapper script started may live on: it is not waited for
        trouble = (said.strip() or f"exit status {process.returncode}") if process.returncode else ""
    except subprocess.TimeoutExpired:
        trouble = f"no answer within {PATIENCE:g} s"
    except OSError as error:
        trouble = str(error)
    if trouble:
        log.warning("no jobs of Slurm are shown; squeue: %s", " ".join(trouble.split()))
        return Queue()
    return _queue(out, str(folder.resolve()))


def _queue(text: str, folder: str) -> Queue:
    queue = Queue()
    for line in text.splitlines():
        fields = line.split("|", 6)
        if len(fields) < 7 or not fields[0].isdigit() or fields[6] != folder:
            continue
        number, task, word, node, reason, comment, _ = fields
        job = queue.jobs[int(number)] = Job(int(number), word, node, reason)
        if "_wildcards_" in comment and "_" not in task:
            queue.newest[comment] = max(job, queue.newest.get(comment, job), key=lambda job: job.number)
        elif comment.startswith("rule_") and job.state != "to do":  # an array's comment is its first job's
            name = comment.removeprefix("rule_").partition("_wildcards_")[0]
            queue.together.setdefault(name, Counter())[job.state] += 1
    return queue


def _comment(rule: str, experiment: str, target: str) -> str:
    """What Snakemake's Slurm executor puts into --comment."""
    return f"rule_{rule}_wildcards_" + "_".join(filter(None, (experiment, target))).replace("/", "_")


def _training(layout: Layout, split: str, stage: TrainStage, queue: Queue) -> Training:
    iterations, scratch = stage.train.iterations, layout.scratch(split)
    if (layout.train(split) / "manifest.json").exists():
        return Training(split, "done", iterations, iterations)
    lock, path = _lock(scratch / "lock"), _log(layout, "train", split)
    jobs = (queue.newest.get(_comment("train", layout.experiment, split)), queue.jobs.get(lock.job or 0))
    job = max((job for job in jobs if job), key=lambda job: job.number, default=None)
    journal, saved = _journal(scratch / "timing.jsonl"), _saved(scratch)
    last_line = (_last_lines(path) or [""])[-1]
    state = _state(lock, job, last_line, begun=bool(journal) or saved is not None)

    known: dict[str, Any] = {"iteration": saved or 0}
    if job and state != "to do":
        known |= {"job": job.number, "node": job.node}
        known["note"] = job.reason if state == "waiting" else "" if state == "running" else job.word
    if state == "failed":
        known |= {"log": str(path) if path.exists() else "", "last_line": last_line}
    if state == "running":
        last = journal[-1] if journal else {"iteration": 0, "timestamp": 0}
        known |= {"iteration": max(saved or 0, last["iteration"])}
        known |= {"speed": _speed(journal, stage.train.batch_size)}
    if lock.held:
        known |= {"job": lock.job, "node": lock.node}
        heard = max(lock.since, last["timestamp"] / 1000)
        known["note"] = _silence(heard, stage.train.log_every, known["speed"])
    known["iteration"] = min(known["iteration"], iterations)  # a checkpoint may be of a longer training
    return Training(split, state, iterations=iterations, **known)


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


def _saved(scratch: Path) -> int | None:
    """The iteration of the newest checkpoint."""
    names = (path.stem.removeprefix("checkpoint-") for path in scratch.glob("checkpoint-*.safetensors"))
    return max((int(name) for name in names if name.isdigit()), default=None)


def _journal(path: Path) -> list[dict[str, Any]]:
    """The last lines of timing.jsonl."""
    lines = []
    for text in _last_lines(path):
        with suppress(ValueError):  # half a line within the file, after a machine lost power
            lines.append(json.loads(text))
    return lines


def _last_lines(path: Path) -> list[str]:
    """The last whole lines of a file that may be long, and written to just now."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - TAIL)
            file.seek(start)
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return []
    return lines[1 if start else 0 : -1]


def _speed(journal: list[dict[str, Any]], batch_size: int) -> float | None:
    """Iterations a second of late."""
    speeds = sorted(line["images_per_second"] for line in journal[-RECENT:])
    return speeds[len(speeds) // 2] / batch_size if speeds else None


def _silence(heard: float, log_every: int, speed: float | None) -> str:
    """A remark on a trainer that holds its lock but writes nothing."""
    since = time.time() - heard
    return f"silent for {_duration(since)}" if speed and since > max(SILENCE, 10 * log_every / speed) else ""


def progress(trainings: Sequence[Training]) -> dict[str, float | None]:
    """Of all trainings together: iterations done and in all, speed now, seconds left at that speed."""
    done, total = (sum(getattr(each, name) for each in trainings) for name in ("iteration", "iterations"))
    speed = sum(each.speed or 0.0 for each in trainings)
    left = (total - done) / speed if speed else None
    return {"iteration": done, "iterations": total, "speed": speed, "seconds_left": left}


def as_json(now: Status) -> str:
    """Everything, for programs."""
    trainings = [asdict(each) for each in now.trainings]
    return json.dumps(vars(now) | {"trainings": trainings, "progress": progress(now.trainings)}, indent=2)


def as_text(now: Status, *, every: bool = False) -> str:
    """The screen: stages, trainings under way or in trouble, the whole."""
    rows = [[now.experiment, *STATES]]
    rows += [[rule, *(str(found[state] or "-") for state in STATES)] for rule, found in now.stages.items()]
    parts = [_aligned(rows, "<" + ">" * len(STATES)), _training_lines(now.trainings, every)]
    cut = None if every else LINES
    more = len(now.failures[LINES:]) if cut else 0
    parts.append([f"failed: {failure}" for failure in now.failures[:cut]])
    parts.append([f"{more} more failed: centigan status --all"] if more else [])
    parts.append([f"in Slurm, several a job: {rule}: {_counted(n)}" for rule, n in now.together.items()])
    parts.append([_whole(now.trainings)])
    return "\n\n".join("\n".join(part) for part in parts if part)


def _training_lines(trainings: list[Training], every: bool) -> list[str]:
    found = [each for state in LISTED for each in trainings if each.state == state]
    shown, rest = (found, []) if every else (found[:LINES], found[LINES:])
    if not shown:
        return []
    head = ["split", "state", "job", "node", "iteration", "", "it/s", "left", "end", ""]
    head_line, *rows = _aligned([head, *(_row(each) for each in shown)], "<<<<>>>><<")
    lines = [head_line]
    for row, each in zip(rows, shown, strict=True):
        lines.append(row)
        if each.log:
            lines.append(f"  {each.log}: {each.last_line}")
    if rest:
        lines.append(f"and {_counted(Counter(each.state for each in rest))}: centigan status --all")
    return lines


def _row(each: Training) -> list[str]:
    reached, share = f"{each.iteration}/{each.iterations}", f"{each.iteration / each.iterations:.0%}"
    pace = ["", "", ""]
    if each.speed:
        seconds = (each.iterations - each.iteration) / each.speed
        pace = [f"{each.speed:.1f}", _duration(seconds), _clock(seconds)]
    return [each.split, each.state, str(each.job or ""), each.node, reached, share, *pace, each.note]


def _whole(trainings: list[Training]) -> str:
    all_of = progress(trainings)
    running = sum(each.state == "running" for each in trainings)
    if all(each.state == "done" for each in trainings):
        return f"training: all {all_of['iterations']} iterations are done"
    share = (all_of["iteration"] or 0) / (all_of["iterations"] or 1)
    line = f"training: {share:.1%} of {all_of['iterations']} iterations, {running or 'none'} running"
    left = all_of["seconds_left"]
    if left is None:
        return line
    return f"{line} at {all_of['speed']:.1f} it/s; at this speed all end in {_duration(left)}, {_clock(left)}"


def _aligned(rows: list[list[str]], sides: str) -> list[str]:
    """Rows as lines of even columns; a column that says nothing below its head is left out."""
    kept = [
        [f"{cell:{side}{max(map(len, column))}}" for cell in column]
        for side, column in zip(sides, zip(*rows, strict=True), strict=True)
        if any(column[1:])
    ]
    return ["  ".join(line).rstrip() for line in zip(*kept, strict=True)]


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{found[state]} {state}" for state in STATES if found[state])


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _clock(seconds: float) -> str:
    """The local time so many seconds from now."""
    at, now = time.localtime(time.time() + seconds), time.localtime()
    if at[:3] == now[:3]:
        return time.strftime("%H:%M", at)
    return time.strftime("%a %H:%M" if seconds < 6 * 86400 else "%d %b %H:%M", at)
