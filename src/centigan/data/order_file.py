"""A file that names the classes that are chosen, in their order: one a line."""

from collections import Counter
from pathlib import Path

from centigan.errors import UserError

BY_RULE = ("sorted", "devkit")  # values of data.order that are no file


def read_order(file: Path) -> list[str]:
    """Its classes; blank lines do not count.

    Raises:
        UserError: for a file that cannot be read, or names a class twice.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # Windows' editors begin it with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"data.order: {file} is neither sorted, nor devkit, nor a file that can be read ({error})"
        ) from None
    classes = [line.strip() for line in text.splitlines() if line.strip()]
    most, times = Counter(classes).most_common(1)[0] if classes else ("", 0)
    if times > 1:
        raise UserError(f"data.order: {file} names class {most} {times} times")
    return classes
