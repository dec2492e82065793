"""The file that `data.order` may name: classes in their order, which also chooses among them."""

from collections import Counter
from pathlib import Path

from centigan.errors import UserError

WORDS = ("sorted", "devkit")  # what data.order may be instead


def named_classes(order: str) -> list[str] | None:
    """The classes of the file, one a line, blank lines apart; None where the order is one of `WORDS`.

    Raises:
        UserError: for a file that cannot be read or names a class twice.
    """
    if order in WORDS:
        return None
    file = Path(order)
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
