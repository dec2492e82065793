"""What has happened in a run: jobs that began, ended and failed."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from centigan.status.training import last_error
from centigan.training.stopping import EXIT_STATUS
from snakemake_logger_plugin_centigan.work import TARGETS, Job, Work

WARNING = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]{12} warning: (.*)$", re.MULTILINE)
MOST_WARNINGS = 3  # of a job; the others are in its log
TAIL = 20  # lines of a failed job's log, with --show-failed-logs
STATUS = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.(\w+)")


@dataclass
class Failure:
    """A job that failed, and why."""

    job: Job
    log: str
    error: str
    said: str  # by Slurm


@dataclass
class Run:
    """The jobs of one call of Snakemake."""

    work: Work = field(default_factory=Work)
    began: float = field(default_factory=time.time)
    running: dict[int, Job] = field(default_factory=dict)
    done: dict[int, Job] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)  # the reports that were made
    outputs: dict[int, list[str]] = field(default_factory=dict)
    exit_texts: list[str] = field(default_factory=list)  # on commands that failed, until their jobs have
    in_failed_group: set[int] = field(default_factory=set)
    interrupted: bool = False
    error_was_shown: bool = False  # of Snakemake's, not of a job
    in_slurm: bool = False  # where trainings save after this run has ended
    ended_by_first_run: bool = False  # which has told why

    def begin(self, counts: dict[str, int]) -> None:
        """Take in how many jobs of each rule there are."""
        self.began = time.time()
        self.work.counts = {rule: count for rule, count in counts.items() if rule not in TARGETS}

    @property
    def total(self) -> int:
        return sum(self.work.counts.values())

    @property
    def has_ended_early(self) -> bool:
        """Whether the last words tell why it did not come to its end."""
        return bool(self.failures) or self.interrupted or self.ended_by_first_run or self.error_was_shown

    def planned_in_words(self) -> str:
        """Such as "5 jobs: index, 2 arrays, 2 train"."""
        rules = [f"{count} {rule}" if count > 1 else rule for rule, count in self.work.counts.items()]
        return f"{self.total} job{'s' if self.total > 1 else ''}: {', '.join(rules)}" if rules else ""

    def started(self, fields: Mapping[str, Any]) -> None:
        """A job begins, or is submitted; perhaps once more."""
        rule, number = fields["rule_name"], fields["jobid"]
        if rule in TARGETS:
            return
        self.failures.pop(number, None)
        words = fields["rule_msg"] or " ".join([rule, *map(str, fields["wildcards"].values())])
        experiment, split = (str(fields["wildcards"].get(name, "")) for name in ("experiment", "split"))
        if experiment and self.work.experiments > 1:
            words += f" of {experiment}"
        self.outputs[number] = list(fields["output"])
        self.running[number] = Job(
            number, rule, words, (experiment, split), list(fields["log"]), bool(fields["indent"])
        )

    def finished(self, number: int) -> list[str]:
        """A job ended well; the lines to show."""
        job = self.running.pop(number, None)
        if job is None:
            return []
        self.work.look(job)
        self.work.ends(job)
        self.done[number] = job
        self.pages += self.outputs[number][:1] if job.rule == "report" else []
        return [f"{self.share_in_words()} {job.words}: {spent(job.seconds)}", *_warnings(job)]

    def failed(self, fields: Mapping[str, Any], said: str = "") -> list[str]:
        """A job failed, which may be tried again; the lines to show."""
        number = fields["jobid"]
        if number in self.in_failed_group or number not in self.running:
            return []
        if self.interrupted and not any(map(last_error, map(Path, fields["log"]))):
            return []  # it was asked to end, as all that runs
        job = self.running.pop(number)
        return self._note(
            job, list(fields["log"]), said or _without_advice(fields["rule_msg"] or ""), fields["shellcmd"]
        )

    def group_failed(self, fields: Mapping[str, Any]) -> list[str]:
        """A group of jobs failed: those of its members whose logs tell of an error, or else the first."""
        members = [each for each in fields["job_error_info"] if each["jobid"] in self.running]
        self.in_failed_group |= {each["jobid"] for each in members}
        wrong = [each for each in members if any(map(last_error, map(Path, each["log"])))] or members[:1]
        lines = []
        for each in members:
            job = self.running.pop(each["jobid"])
            if each in wrong:
                lines += self._note(
                    job, [*each["log"], *fields["aux_logs"]], fields.get("why", ""), each["shellcmd"]
                )
        return lines

    def _note(self, job: Job, logs: list[str], said: str, command: str | None) -> list[str]:
        ended = self._exit_of(job, command or "")
        error, log = next(
            ((found, log) for log in logs if (found := last_error(Path(log)))),
            (ended, next((log for log in logs if _tells_something(Path(log))), "")),
        )
        failure = self.failures[job.number] = Failure(job, log, error, said)
        return [f"FAILED {job.words} after {spent(job.seconds)}", *told(failure)]

    def failures_log(self) -> list[str]:
        """The end of the log of the job that failed last."""
        failure = next(reversed(self.failures.values()))
        path = Path(failure.log)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        return [f"the end of {failure.log}:", *(f"  {line}" for line in lines[-TAIL:])] if lines else []

    def explained_by_failure(self, text: str) -> bool:
        """Whether Snakemake's words are on a command that failed, which its job's failure is to tell."""
        if STATUS.search(text) and "Error in" in text:
            self.exit_texts.append(text)
            return True
        return False

    def _exit_of(self, job: Job, command: str) -> str:
        """How a job's command ended; Snakemake's words on it are told by that."""
        command = command.strip()
        for text in reversed(self.exit_texts):
            is_its = any(log in text for log in job.logs) or (command and command in text)
            if is_its and (found := STATUS.search(text)):
                self.exit_texts.remove(text)
                return _exit_in_words(int(found[1] or 0), found[2] or "")
        return ""

    def share_in_words(self) -> str:
        """The share of the work that is done, as [ 42%]."""
        share = self.work.share(list(self.running.values()))
        is_all = sum(self.work.ended.values()) >= self.total
        return f"[{1.0 if is_all else share:4.0%}]"

    def look(self) -> None:
        """See how far the trainings are."""
        for job in list(self.running.values()):
            self.work.look(job)

    def seconds_left(self) -> float | None:
        failed = [failure.job for failure in self.failures.values()]
        return self.work.seconds_left(list(self.running.values()), failed, time.time() - self.began)


def _tells_something(log: Path) -> bool:
    """Snakemake makes the empty log of a failed job while its end is told."""
    return log.is_file() and log.stat().st_size > 0


def told(failure: Failure) -> list[str]:
    """Why a job failed: Slurm's word, its own last one, and where."""
    lines = [failure.said] if failure.said else []
    if failure.log:
        lines.append(f"{failure.log}: {failure.error or 'tells no error'}")
    elif failure.error:
        lines.append(failure.error)
    return [f"  {line}" for text in lines for line in text.splitlines()]


def spent(seconds: float) -> str:
    """Such as "42 s", "3 min 5 s" or "1 h 45 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _exit_in_words(status: int, name: str) -> str:
    """What an exit status of a shell means, where no error was written."""
    if status == EXIT_STATUS:
        return "it was asked to stop, and has saved"
    if name == "SIGKILL" or status == 137:
        return "error: it was killed, as by kill -9 or for want of memory"
    return (
        f"error: it ended by {name}" if name else f"error: it ended with status {status}; see the lines above"
    )


def _warnings(job: Job) -> list[str]:
    texts = [
        Path(log).read_text(encoding="utf-8", errors="replace") for log in job.logs if Path(log).is_file()
    ]
    found = [warning for text in texts for warning in WARNING.findall(text)]
    more = [f"  {len(found) - MOST_WARNINGS} more warnings: {job.logs[0]}"] if found[MOST_WARNINGS:] else []
    return [*(f"  warning: {text}" for text in found[:MOST_WARNINGS]), *more]


def _without_advice(text: str) -> str:
    """Slurm's word without what Snakemake adds to each."""
    return text.partition("For further error details see")[0].strip()
