"""Stopping between two iterations: SIGTERM, SIGINT and SIGUSR1 ask for it, a second signal insists.

Slurm sends SIGTERM at a time limit, on scancel and on preemption, a terminal SIGINT; SIGUSR1 is what
`--signal` is mostly given.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
EXIT_STATUS = 75  # EX_TEMPFAIL of sysexits.h: not done, and running again continues
log = logging.getLogger(__name__)


class Stopped(Exception):  # noqa: N818
    """A run that ended early as it was asked to, everything done so far saved."""


class Stop:
    """Whether a signal has asked the run to end."""

    def __init__(self) -> None:
        self.asked_by: signal.Signals | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals while the block runs; the second one acts as if nobody listened."""
        before = {number: signal.signal(number, self._take) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.asked_by = signal.Signals(number)
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        log.info("%s: finishing the iteration, then saving; once more to end at once", self.asked_by.name)
