"""Where a result comes from: for people, and as an RO-Crate for machines."""

from centigan.provenance.crate import crate
from centigan.provenance.story import describe

__all__ = ["crate", "describe"]
