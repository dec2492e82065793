"""Results of the layout before protocols, which would be taken for others: no run begins beside them."""

from pathlib import Path

from centigan.errors import UserError

# what lay directly in the folder of an experiment, and lies in that of no protocol
MARKS = ("summary.json", "mlflow.json", "report/index.html", "train/*/manifest.json")


def refuse_former(root: Path) -> None:
    """Make sure that no folder of results/ is one that an experiment had for itself.

    Raises:
        UserError: naming it, and what to do.
    """
    folders = (root / "results").glob("*/")
    if former := sorted(str(folder) for folder in folders if any(any(folder.glob(mark)) for mark in MARKS)):
        raise UserError(
            f"{', '.join(former)}: results of the layout before protocols, which no command reads any more: "
            f"move them out of results/, or `rm -r {' '.join(former)}`; see docs/decisions/0026-protocols.md"
        )
