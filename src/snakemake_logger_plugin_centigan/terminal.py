"""What is under way on a terminal, redrawn in place below the lines that stay."""

import time
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snakemake_logger_plugin_centigan.run import Run, spent
from snakemake_logger_plugin_centigan.screen import left_in_words
from snakemake_logger_plugin_centigan.work import Job

MOST_SHOWN = 8  # jobs with a line of their own
TIMES_A_SECOND = 2
STOPPING = "stopping once the trainings have saved"
JOBS_LOOKED_AT = 20  # a second: their journals may lie on a file system that others use, too


class Terminal:
    """The running jobs, each with a line, and a bar for the whole."""

    def __init__(self, run: Run, stream: TextIO) -> None:
        self.run, self.looked = run, 0.0
        self.console = Console(file=stream, highlight=False)
        self.live = Live(
            console=self.console,
            get_renderable=self._under_way,
            refresh_per_second=TIMES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start()

    def print(self, text: str) -> None:
        style = "red" if text.startswith(("FAILED", "failed")) else ""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def close(self) -> None:
        self.live.stop()

    def _under_way(self) -> Group:
        now = time.monotonic()
        if now - self.looked > max(1.0, len(self.run.running) / JOBS_LOOKED_AT):
            self.looked = now
            self.run.look()
        jobs = list(self.run.running.values())
        rows = Table.grid(padding=(0, 2))
        for job in jobs[:MOST_SHOWN]:
            rows.add_row(Text(f"  {job.words}"), Text(_how_far(job), style="cyan"))
        more = len(jobs) - MOST_SHOWN
        return Group(rows, *([Text(f"  and {more} more")] if more > 0 else []), self._whole())

    def _whole(self) -> Table:
        share = self.run.share_in_words().strip("[] ")
        done, total = len(self.run.done), self.run.total
        line = Table.grid(padding=(0, 1))
        text = f"{share} of the work; {done} of {total} jobs{left_in_words(self.run)}"
        bar = ProgressBar(total=100, completed=float(share.rstrip("%")), width=24, complete_style="green")
        line.add_row(bar, Text(STOPPING if self.run.interrupted else text))
        return line


def _how_far(job: Job) -> str:
    if not job.iterations or not job.iteration:
        return spent(job.seconds)
    speed = f"  {job.speed:.1f} it/s" if job.speed else ""
    return f"{job.iteration}/{job.iterations}  {job.iteration / job.iterations:.0%}{speed}"
