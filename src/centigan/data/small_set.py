"""What every small set in a published format keeps to: it replaces nothing, and passes for no real one."""

from collections.abc import Iterable
from pathlib import Path

from centigan.errors import UserError, plural


def require_empty(out: Path) -> None:
    """Make sure that a fixture replaces nothing.

    Raises:
        UserError: where something lies at `out`.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty; name another folder")


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Write a list as published sets have them: a line each, in UTF-8, with an end to the last one, too."""
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def require_another_set(
    data_set: str, *, classes: int, published_classes: int, counts: Iterable[tuple[int, int]]
) -> None:
    """Make sure that a fixture has the classes of the real set, and other numbers of images.

    Args:
        data_set: for people.
        counts: of each file, images that are asked for and those that were published.

    Raises:
        UserError: for another number of classes, or a file with as many images as were published.
    """
    if classes != published_classes:
        raise UserError(
            f"a fixture of {data_set} has {published_classes} {plural('class', published_classes)}, "
            f"not {classes}"
        )
    if any(asked == published for asked, published in counts):
        raise UserError(
            f"a fixture with as many images as {data_set} would be taken for a damaged copy; choose other "
            "numbers"
        )
