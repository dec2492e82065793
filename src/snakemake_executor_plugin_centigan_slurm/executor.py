"""The executor: submits jobs, asks Slurm how they are, and cancels them."""

import asyncio
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from centigan.status.queue import said_by_slurm
from snakemake_executor_plugin_centigan_slurm.batch import Batch, numbered, outputs_of, sharing
from snakemake_executor_plugin_centigan_slurm.sbatch import RefusedError, answer, submit
from snakemake_executor_plugin_centigan_slurm.states import (
    FAILED,
    GONE,
    PASSING,
    TICK,
    USUAL,
    SlurmSilentError,
    State,
    ask,
)

SECONDS_UNTIL_TAKEN = 180.0  # a job that Slurm could start again, or has never heard of, is given so long
SUBMITTING = 4  # calls of sbatch at a time


class Executor(RemoteExecutor):
    """One Slurm job for each job of Snakemake, or group of them."""

    begun = False  # Snakemake starts the thread that asks Slurm before all else here is set

    def __post_init__(self) -> None:
        self.settings = self.workflow.executor_settings
        self.folder = Path(self.workflow.workdir_init)
        self.submitting = ThreadPoolExecutor(SUBMITTING, thread_name_prefix="sbatch")
        self.ending = threading.Event()
        self.in_slurm: dict[str, Batch] = {}  # not known to have ended
        self.uncertain: dict[str, float] = {}  # since when a job is in a passing state
        self.told: set[str] = set()  # reasons for waiting
        self.silent_since: float | None = None
        self.begun = True

    def run_jobs(self, jobs: list[Any]) -> None:
        """Submit what is ready; what it is made of is read here, in Snakemake's own thread."""
        for job in jobs:
            self.run_job_pre(job)
        for together in sharing(jobs, self.settings.side_by_side):
            batch = Batch(together, self.settings.side_by_side)
            log = Path(self.settings.logdir) / batch.folder / f"{batch.name}.%j.log"
            (self.folder / log).parent.mkdir(parents=True, exist_ok=True)  # sbatch makes no folder
            batch.before = outputs_of(together, self.folder)
            call = batch.call(self.settings, str(log), str(self.folder))
            script = batch.script(self.workflow, self.settings.prelude)
            self.submitting.submit(self._submit, batch, call, script, log)

    def run_job(self, job: Any) -> None:
        """Submit one job."""
        self.run_jobs([job])

    def _submit(self, batch: Batch, call: list[str], script: str, log: Path) -> None:
        try:
            number = submit(call, script, batch.token, self.ending, self.logger)
            self.in_slurm[number] = batch
            path = Path(str(log).replace("%j", number))
            self.logger.info(f"Slurm job {number}: {batch.name}, log {path}")
            for job in batch.jobs:
                aux = {"batch": batch, "log": path}
                self.report_job_submission(SubmittedJobInfo(job, external_jobid=number, aux=aux))
        except RefusedError as error:
            message = f"sbatch did not take the job: {error}\n    {shlex.join(call)}\n"
            for job in batch.jobs:
                self.report_job_error(SubmittedJobInfo(job), msg=message)
        except (
            Exception
        ) as error:  # nobody else would hear of it in this thread, and the run would wait for ever
            self.workflow.scheduler.executor_error_callback(error)

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that ended, and give back the others."""
        states: dict[str, State] | None = {}
        if active_jobs:
            states = await self._states(list({str(info.external_jobid) for info in active_jobs}))
        for info in active_jobs:
            number = str(info.external_jobid)
            if states is None or not self._has_ended(info, states.get(number, State(GONE))):
                yield info
            else:
                self.in_slurm.pop(number, None)

    async def _states(self, numbers: list[str]) -> dict[str, State] | None:
        """What Slurm says; None while it says nothing, which is told once and when it is over."""
        try:
            states = await ask(numbers, self.settings.status_command or "both", lambda: self.wait)
        except SlurmSilentError as error:
            if self.silent_since is None and self.wait:
                self.silent_since = time.monotonic()
                self.logger.warning(
                    f"Slurm does not say how its jobs are ({error}). They may go on; it is asked again."
                )
            return None
        if self.silent_since is not None:
            self.logger.warning(f"Slurm answers again after {time.monotonic() - self.silent_since:.0f} s.")
            self.silent_since = None
        self._tell_reasons(states)
        return states

    def _tell_reasons(self, states: dict[str, State]) -> None:
        """Say once why jobs wait, where it is not the queue: a hold, a drained node, a limit."""
        waiting: dict[str, list[str]] = {}
        for number, state in states.items():
            if (
                state.word in ("PENDING", "REQUEUE_HOLD", "SPECIAL_EXIT")
                and state.reason not in USUAL | self.told
            ):
                waiting.setdefault(state.reason, []).append(number)
        for reason, numbers in waiting.items():
            self.told.add(reason)
            held = f"; once that is over: scontrol release {numbers[0]}" if "eld" in reason else ""
            self.logger.warning(f"Slurm lets jobs wait for {reason}: {numbered(numbers)}{held}")

    def _has_ended(self, info: SubmittedJobInfo, state: State) -> bool:
        """Whether a job ended, which is then reported."""
        number = str(info.external_jobid)
        if state.word == GONE or state.word in PASSING:
            since = self.uncertain.setdefault(number, time.monotonic())
            if time.monotonic() - since < SECONDS_UNTIL_TAKEN:
                return False
            self._scancel([number])  # it must not come back beside the one that takes its place
            self._fail(info, state)
            return True
        self.uncertain.pop(number, None)
        if state.word == "COMPLETED":
            with suppress(OSError):  # a log that stays is no harm
                (self.folder / info.aux["log"]).unlink(missing_ok=True)
            self.report_job_success(info)
        elif state.word in FAILED and len(info.aux["batch"].jobs) > 1 and self._is_made(info):
            self.report_job_success(info)  # another one failed that shared the Slurm job
        elif state.word in FAILED:
            self._fail(info, state)
        return state.word == "COMPLETED" or state.word in FAILED

    def _is_made(self, info: SubmittedJobInfo) -> bool:
        """Whether all outputs are there, none of them one that lay there when the job was submitted."""
        before, now = info.aux["batch"].before, outputs_of([info.job], self.folder)
        return all(state is not None and state != before[path] for path, state in now.items())

    def _fail(self, info: SubmittedJobInfo, state: State) -> None:
        batch: Batch = info.aux["batch"]
        asked, left = batch.resources, info.job.restart_times >= info.job.attempt
        said = said_by_slurm(self.folder / info.aux["log"])
        word = (
            "OUT_OF_MEMORY" if "memory limit" in said else state.word
        )  # Slurm without cgroups calls it FAILED
        why = {
            "OUT_OF_MEMORY": f"it used more than the {asked.mem_mb} MB that it asked for",
            "TIMEOUT": f"it did not end within the {asked.runtime} minutes that it asked for",
            "CANCELLED": "somebody, or Slurm, cancelled it",
            GONE: "no command of Slurm knows it any more",
        }.get(word, said or "see its log")
        more = "; tried again, with more memory and time" if left else ""
        message = f"Slurm job {info.external_jobid} ({batch.name}): {word}, {why}{more}. "
        # Snakemake shows no `msg` of a group; the logger shows `why`
        self.report_job_error(info, msg=message, aux_logs=[str(info.aux["log"])], why=message.strip())

    async def sleep(self) -> None:
        """Wait until Slurm is to be asked again, or the run ends."""
        begun = time.monotonic()
        while self.wait and not (self.begun and time.monotonic() - begun > self._seconds()):
            await asyncio.sleep(TICK)

    def _seconds(self) -> float:
        """Between two questions."""
        return max(1, self.settings.seconds_between_checks, len(self.in_slurm) / 20)

    def cancel(self) -> None:
        """Ctrl-C: say so, cancel all jobs, also those just being submitted. A second one changes nothing."""
        self.ending.set()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            numbers = list(self.in_slurm)
            if numbers:
                jobs = f"{len(numbers)} Slurm jobs: {numbered(numbers)}"
                self.logger.warning(f"Cancelling {jobs}. Trainings save before they end.")
            self._scancel(numbers)
            self.submitting.shutdown(wait=True, cancel_futures=True)
            self._scancel([number for number in self.in_slurm if number not in numbers])
            self.in_slurm.clear()
            self.shutdown()
        finally:
            signal.signal(signal.SIGINT, before)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel some jobs."""
        self._scancel(list({str(info.external_jobid) for info in active_jobs}))

    def _scancel(self, numbers: list[str]) -> None:
        """Cancel jobs; Slurm gives trainings the time to save."""
        if not numbers:
            return
        try:
            _, trouble = answer(["scancel", *numbers], seconds=20)
        except (OSError, subprocess.TimeoutExpired) as error:
            trouble = str(error)
        if trouble:
            self.logger.error(f"{trouble}\nWhat still runs, cancel by hand: scancel {' '.join(numbers)}")

    def shutdown(self) -> None:
        """End the threads, and jobs that an error of our own would leave to nobody."""
        self.ending.set()
        self.submitting.shutdown(wait=True)
        self._scancel(list(self.in_slurm))
        self.in_slurm.clear()
        super().shutdown()

    def get_python_executable(self) -> str:
        """Not asked: a job starts no Snakemake."""
        raise NotImplementedError
