"""From Snakemake's records to what is shown; in a thread of Snakemake's own, one record after another."""

import logging
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from centigan.freshness.first import NOT_MADE_FIRST
from snakemake_logger_plugin_centigan.ending import ending
from snakemake_logger_plugin_centigan.plan import Plan
from snakemake_logger_plugin_centigan.run import Run
from snakemake_logger_plugin_centigan.screen import Screen, screen_for
from snakemake_logger_plugin_centigan.work import Training

# What Snakemake says in every run, or what is told in other words here.
ROUTINE = (
    "Building DAG of jobs",
    "Assuming unrestricted shared filesystem usage",
    "Using shell:",
    "host:",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Group jobs: inactive",
    "Select jobs to execute",
    "Removing output files of failed job",
    "Trying to restart job",
    "Shutting down, this might take some time",
    "Terminating processes on user request",
    "Exiting because a job execution failed",
    "Complete log",
    "Elapsed time:",
    "Reasons:",
    "Rules with provenance triggered jobs",
    "Some jobs were triggered by provenance information",
)
INTERRUPTED = "Terminating processes on user request"
# Where a Snakefile raised a WorkflowError: what Snakemake puts before and after the message.
RAISED_AT = re.compile(r'WorkflowError in file "([^"]+)", line \d+:\n')
TRACE = re.compile(r'(\n  File "[^"\n]+", line \d+, in [^\n]+)+\s*\Z')
AT_THE_END = "At least one job did not complete successfully"


class LogHandler(LogHandlerBase):
    """Shows a run, or what a dry run would do."""

    def __post_init__(self) -> None:
        asked = self.common_settings
        self.quiet = {getattr(each, "name", str(each)).lower() for each in asked.quiet or ()}
        self.verbose = asked.verbose or asked.debug_dag
        self.stream = sys.stdout if asked.stdout else sys.stderr
        self.run, self.plan = Run(), Plan()
        self.screen: Screen | None = None
        self.snakemakes = _snakemakes_own(asked, self.stream) if self.verbose else None
        self.closed = False
        self.events = {
            LogEvent.RUN_INFO: self._planned,
            LogEvent.JOB_INFO: self._started,
            LogEvent.JOB_FINISHED: self._finished,
            LogEvent.JOB_ERROR: self._failed,
            LogEvent.GROUP_ERROR: self._group_failed,
            LogEvent.ERROR: self._error,
            LogEvent.SHELLCMD: self._command,
        }

    def expect(self, trainings: Mapping[tuple[str, str], tuple[Path, int, int]]) -> None:
        """Take in all trainings by experiment and split: folder of journals, iterations, size of a batch."""
        self.run.work.expect({key: Training(*told) for key, told in trainings.items()})

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record; a fault of ours must not end the thread that shows all others."""
        try:
            if self.snakemakes and self.snakemakes.filter(record):
                self.snakemakes.emit(record)
            event = getattr(record, "event", None)
            if event in self.events:
                self.events[event](record)
            elif event is None:
                self._said(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Say the last words. Snakemake calls it more than once."""
        if not self.closed:
            self.closed = True
            if self.screen:
                self.screen.close()
            if self.common_settings.dryrun:
                self._print(self.plan.as_text(why="reason" not in self.quiet))
            elif not self._is_quiet_about("progress") or self.run.has_ended_early:
                for text in () if self.run.interrupted else self.run.exit_texts:
                    self._show_error(text)  # no job's failure has told it
                self._print("\n".join(ending(self.run)))
        super().close()

    def _planned(self, record: logging.LogRecord) -> None:
        stats = dict(record.stats)  # type: ignore[attr-defined]
        stats.pop("total", None)
        if self.common_settings.dryrun:
            self.plan.counts = stats
            return
        self.run.begin(stats)
        self._show(self.run.planned_in_words(), about="progress")

    def _started(self, record: logging.LogRecord) -> None:
        fields = vars(record)
        if self.common_settings.dryrun:
            self.plan.add(fields["rule_name"], fields["reason"])
            return
        self.run.started(fields)
        if self.screen is None and not self._is_quiet_about("progress") and not self.verbose:
            self.screen = screen_for(self.run, self.stream, plain=self.common_settings.nocolor)

    def _finished(self, record: logging.LogRecord) -> None:
        lines = self.run.finished(record.job_id)  # type: ignore[attr-defined]
        self._show("\n".join(lines), about="rules")

    def _failed(self, record: logging.LogRecord) -> None:
        self._show_failure(self.run.failed(vars(record)))

    def _group_failed(self, record: logging.LogRecord) -> None:
        self._show_failure(self.run.group_failed(vars(record)))

    def _show_failure(self, lines: list[str]) -> None:
        self._show("\n".join(lines))
        if self.common_settings.show_failed_logs and lines:
            self._show("\n".join(self.run.failures_log()))

    def _error(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self.run.ended_by_first_run |= NOT_MADE_FIRST in text
        if (
            NOT_MADE_FIRST in text
            or self.run.explained_by_failure(text)
            or (AT_THE_END in text and self.run.has_ended_early)
        ):
            return
        self.run.error_was_shown = True
        self._show_error(_refusal_alone(text))

    def _command(self, record: logging.LogRecord) -> None:
        if self.common_settings.printshellcmds and (command := getattr(record, "shellcmd", None)):
            self._show(str(command).strip(), about="rules")

    def _said(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self.run.interrupted |= text.startswith(INTERRUPTED)
        self.run.in_slurm |= text.startswith("Slurm job ")
        if text == "None" or not text.strip() or text.startswith(ROUTINE):
            return
        if not (self.common_settings.dryrun and text.startswith("This was a dry-run")):
            if record.levelno >= logging.ERROR:
                self._show_error(text)
            else:
                self._show(text, about="" if record.levelno == logging.WARNING else "progress")

    def _is_quiet_about(self, what: str) -> bool:
        return "all" in self.quiet or what in self.quiet

    def _show(self, text: str, *, about: str = "") -> None:
        """Show what the user has not asked to be spared, above what is under way."""
        if not self.verbose and not self._is_quiet_about(about):
            self._print(text)

    def _show_error(self, text: str) -> None:
        """Show it whatever the user has asked to be spared; `--verbose` shows it unless told to be quiet."""
        if not self.verbose or self._is_quiet_about(""):
            self._print(text)

    def _print(self, text: str) -> None:
        if text and self.screen:
            self.screen.print(text)
        elif text:
            print(text, file=self.stream, flush=True)

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return True

    @property
    def has_formatter(self) -> bool:
        return True

    @property
    def needs_rulegraph(self) -> bool:
        return False


def _refusal_alone(text: str) -> str:
    """What the project's own Snakefile refuses, without where; of any other error, all that is said."""
    raised = RAISED_AT.match(text)
    if raised and Path(raised[1]).is_relative_to(Path.cwd()):
        return TRACE.sub("", text[raised.end() :])
    return text


def _snakemakes_own(asked: Any, stream: Any) -> logging.Handler:
    """What Snakemake shows without a plugin, for those who ask for every word."""
    from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

    quiet: Collection[Any] = asked.quiet or ()
    handler: logging.Handler = ColorizingTextHandler(
        nocolor=asked.nocolor,
        stream=stream,
        formatter=DefaultFormatter(quiet, asked.show_failed_logs),
        filter=DefaultFilter(quiet, asked.debug_dag, asked.verbose, asked.dryrun, asked.printshellcmds),
    )
    return handler
