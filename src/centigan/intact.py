"""Whether a folder's files are what its SHA256SUMS says."""

from collections.abc import Iterable
from pathlib import Path

from centigan.errors import UserError
from centigan.manifest import DIGESTS, read_digests, sha256

REMEDY = "`dvc pull` it again, or delete it and run `snakemake`"


def hold_to_digests(folder: Path, names: Iterable[str]) -> None:
    """Make sure that these files are what was written.

    Raises:
        UserError: for a file that is missing, not listed or another.
    """
    digests = read_digests(folder / DIGESTS)
    for name in names:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is missing; `dvc pull` it, or run `snakemake`")
        if name not in digests:
            raise UserError(f"{folder / DIGESTS} is missing or damaged: it lists no {name}; {REMEDY}")
        if digests[name] != sha256(folder / name):
            raise UserError(
                f"{folder / name} is not what {DIGESTS} beside it says: damaged, or copied in parts; {REMEDY}"
            )
