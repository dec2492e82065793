"""Slurm's queue: the jobs that were submitted from one folder, and what they are for."""

import logging
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

PATIENCE = 5.0  # seconds that squeue is given
LOGS = Path("logs/slurm")  # where the executor keeps Slurm's own, once it has submitted a job
LONGEST = 120  # letters of what squeue says that are shown
# squeue(1): job, job with task of an array, state, nodes, why it waits, comment, folder of the submission
FORMAT = "%A|%i|%T|%N|%r|%k|%Z"
RUNNING = {"RUNNING", "CONFIGURING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING"}
WAITING = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
WAITING |= {"SUSPENDED", "STOPPED"}
BY_SLURM = re.compile(r"^slurmstepd\S*: error: (.+)$", re.MULTILINE)
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
    newest: dict[tuple[str, ...], Job] = field(
        default_factory=dict
    )  # by experiment or protocol, rule and target


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
        if (folder / LOGS).is_dir():  # else no job can be missing
            log.warning("no jobs of Slurm are shown; squeue: %s", _last_of(trouble))
        return Queue()
    return _queue(out, str(folder.resolve()))


def _last_of(trouble: str) -> str:
    """The last line of what squeue said, which ended it; those before tell where it looked for a cluster."""
    return shorten(trouble.splitlines()[-1].strip().removeprefix("squeue: "), LONGEST, placeholder=" ...")


def _queue(text: str, folder: str) -> Queue:
    queue = Queue()
    for line in text.splitlines():
        fields = line.split("|", 6)
        if len(fields) < 7 or not fields[0].isdigit() or fields[6] != folder:
            continue
        number, _, word, node, reason, comment, _ = fields
        job = queue.jobs[int(number)] = Job(int(number), word, node, reason)
        mark, _, told = comment.partition(" ")
        for of_one in told.split(" + ") if mark == "centigan" else ():
            owner, *targets = of_one.split(" ")
            for target in targets:
                rule, _, of = target.partition("/")
                key = key_of(owner, rule, of)
                queue.newest[key] = max(job, queue.newest.get(key, job), key=lambda job: job.number)
    return queue


def said_by_slurm(log_file: Path) -> str:
    """What Slurm itself wrote into a job's log, such as why it killed it; "" where it wrote nothing."""
    try:
        found = BY_SLURM.search(log_file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""


def key_of(owner: str, rule: str, target: str = "") -> tuple[str, ...]:
    """What a job is for, of an experiment or of a protocol.

    The executor puts it into --comment: `centigan digits/acgan train/00 train/01 + digits/cgan train/00`.
    """
    return owner, rule, target
