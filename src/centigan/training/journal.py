"""history.jsonl: one line a logged iteration, cut back to the checkpoint on resume.

The journal carries no time, so that two runs of the same settings write the same bytes; wall-clock
time and speed go to timing.jsonl beside it, which is no declared output.
"""

import json
import os
from pathlib import Path


class Journal:
    """An append-only file of JSON lines, each with an "iteration"."""

    def __init__(self, path: Path, *, start: int) -> None:
        """Open `path`, dropping every line after iteration `start` and any torn last line."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._truncate(start)
        self._file = path.open("a", encoding="utf-8")

    def write(self, iteration: int, values: dict[str, float]) -> None:
        """Append one line."""
        self._file.write(json.dumps({"iteration": iteration} | values) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Return once every line is on disk; called before a checkpoint that relies on them."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self.sync()
        self._file.close()

    def _truncate(self, start: int) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            keep = 0
            for line in file:
                if not line.endswith(b"\n") or json.loads(line)["iteration"] > start:
                    break
                keep += len(line)
            file.truncate(keep)
