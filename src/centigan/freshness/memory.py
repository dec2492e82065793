"""What this machine has seen of a folder of results."""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from centigan.atomic import write_text
from centigan.freshness.digests import Digests

log = logging.getLogger(__name__)


@dataclass
class Memory:
    """Digests of files, and of what each job wrote when it was last looked at."""

    digests: Digests = field(default_factory=Digests)
    good: dict[str, tuple[float, str]] = field(default_factory=dict)  # output: its job's start, its digest
    records: dict[str, str] = field(default_factory=dict)  # records/<stage>.json: its digest

    @classmethod
    def load(cls, file: Path) -> "Memory":
        """What was seen; nothing where the file is damaged."""
        if not file.exists():
            return cls()
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            known = {
                path: (int(size), int(time), str(sha)) for path, (size, time, sha) in found["digests"].items()
            }
            good = {path: (float(start), str(digest)) for path, (start, digest) in found["good"].items()}
            return cls(Digests(known), good, dict(found["records"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("%s is damaged and made again: %s", file, error)
            return cls()

    def write(self, file: Path) -> None:
        values = {"digests": self.digests.known, "good": self.good, "records": self.records}
        write_text(file, json.dumps(values, allow_nan=False))
