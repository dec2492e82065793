"""How much of a run's work is done, and how long the rest takes.

A job counts by the seconds it takes: those of the rule's jobs that have ended in this run, before that a
plain weight. A training counts by its iterations, at the speed that its journal tells.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from centigan.status.training import pace

# About the seconds of a job of the demo on two cores, until a job of the rule has ended.
SECONDS = {
    "raw": 3.0,
    "judge": 40.0,
    "publish": 10.0,
}
OTHERWISE = 4.0
SECONDS_OF_AN_ITERATION = 0.05
SURE = 0.5  # of what is left, the share whose seconds were measured, from which on an end is told
# Rules without a command: names of what others make.
TARGETS = {"all", "everything", "data", "training", "evaluation", "reporting"}


def weight(rule: str) -> float:
    """The seconds of a job of a rule, of which none has ended."""
    return SECONDS.get(rule, OTHERWISE)


class Training(NamedTuple):
    """How long a training is, and where it tells how far it is."""

    scratch: Path
    iterations: int
    batch_size: int


@dataclass
class Job:
    """A job that has been started."""

    number: int
    rule: str
    words: str  # such as "train split 00"
    training: tuple[str, str]  # the experiment and the split that it is of, if it is one
    logs: list[str]
    in_group: bool
    began: float = field(default_factory=time.time)
    iteration: int = 0  # of a training
    iterations: int = 0
    speed: float | None = None  # iterations a second

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.time() - self.began


class Work:
    """The seconds of all jobs, done and to come."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.ended: Counter[str] = Counter()
        self.measured: dict[str, list[float]] = {}
        self.trainings: Mapping[tuple[str, str], Training] = {}
        self.speed: float | None = None  # of the last training that was looked at
        self.busy, self.highest = 0.0, 0.0

    def expect(self, trainings: Mapping[tuple[str, str], Training]) -> None:
        """Take in the trainings that there are, by experiment and split."""
        self.trainings = trainings

    @property
    def experiments(self) -> int:
        """How many experiments are in force."""
        return len({experiment for experiment, _ in self.trainings})

    def ends(self, job: Job) -> None:
        """Count a job that succeeded. What a group took says nothing of its members."""
        self.ended[job.rule] += 1
        self.busy += job.seconds
        if not job.in_group and (job.rule != "train" or job.speed is None):
            self.measured.setdefault(job.rule, []).append(job.seconds)

    def look(self, job: Job) -> None:
        """See how far a training is."""
        if job.rule != "train" or (training := self.trainings.get(job.training)) is None:
            return
        job.iterations = training.iterations
        if found := pace(training.scratch, training.batch_size, since=job.began):
            job.iteration, job.speed = min(found[0], job.iterations), found[1]
            self.speed = job.speed or self.speed

    def of_one(self, rule: str) -> float:
        """The seconds of a job of a rule, as far as is known."""
        if rule in TARGETS:
            return 0.0
        if rule == "train" and self.trainings and (self.speed or rule not in self.measured):
            mean = sum(each.iterations for each in self.trainings.values()) / len(self.trainings)
            return mean / self.speed if self.speed else mean * SECONDS_OF_AN_ITERATION
        known = self.measured.get(rule)
        return sum(known) / len(known) if known else weight(rule) * self._slowness()

    def _slowness(self) -> float:
        """How many times longer than their weights the jobs took that have ended here."""
        ended = {rule: seconds for rule, seconds in self.measured.items() if rule != "train"}
        weights = sum(weight(rule) * len(seconds) for rule, seconds in ended.items())
        return sum(map(sum, ended.values())) / weights if weights else 1.0

    def is_known(self, rule: str) -> bool:
        """Whether the seconds of a rule were measured in this run."""
        return rule in self.measured or (rule == "train" and self.speed is not None)

    def share(self, running: list[Job]) -> float:
        """The share of the work that is done, 0 to 1; it never shrinks, though estimates do."""
        total = sum(count * self.of_one(rule) for rule, count in self.counts.items())
        done = sum(count * self.of_one(rule) for rule, count in self.ended.items())
        done += sum(self._done_of(job) for job in running)
        self.highest = max(self.highest, min(done / total, 0.99) if total else 0.0)
        return self.highest

    def seconds_left(self, running: list[Job], failed: list[Job], elapsed: float) -> float | None:
        """Until all has ended, at the present speed; None while most of it has not been measured."""
        waiting = Counter(self.counts)
        waiting.subtract(self.ended)
        waiting.subtract(job.rule for job in failed)
        waiting.subtract(job.rule for job in running)
        left = {rule: max(0, count) * self.of_one(rule) for rule, count in waiting.items()}
        of_running = [self.of_one(job.rule) - self._done_of(job) for job in running]
        total = sum(left.values()) + sum(of_running)
        known = sum(seconds for rule, seconds in left.items() if self.is_known(rule))
        known += sum(s for job, s in zip(running, of_running, strict=True) if self.is_known(job.rule))
        if not total or known < SURE * total:
            return None
        side_by_side = (self.busy + sum(job.seconds for job in running)) / max(elapsed, 1.0)
        return max([total / max(1.0, side_by_side), *of_running])

    def _done_of(self, job: Job) -> float:
        whole = self.of_one(job.rule)
        if job.rule == "train":
            return whole * job.iteration / job.iterations if job.iterations else 0.0
        return min(job.seconds, 0.9 * whole)
