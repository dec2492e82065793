"""Points as a source: points.csv, a line a point (`centigan.data.points`)."""

from pathlib import Path

import pandas as pd

from centigan.data.sources.listing import Listing, in_order, unusable
from centigan.errors import UserError

FILE = "points.csv"
FIRST = ("subset", "class_id")  # of its columns
DIMENSIONS = {"line": 1, "plane": 2}  # by the index's encoding
SUBSETS = ("train", "held_out")


def list_points(root: Path) -> Listing:
    """The points of root/points.csv: where each line lies, its subset and class.

    Raises:
        UserError: for a file that is missing, or a line that names no subset and class.
    """
    path = root / FILE
    if not path.is_file():
        raise UserError(f"{path} is missing; its columns are subset, class_id, x1, x2, ...")
    head, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    columns = head.decode("utf-8-sig", "replace").strip().split(",")  # spreadsheets write a mark before it
    if tuple(columns[:2]) != FIRST or len(columns) not in (3, 4):
        raise UserError(
            f"{path} begins with the columns {', '.join(columns) or 'of no name'}; subset, class_id, x1 and, "
            "of a plane, x2 are expected"
        )
    rows, offset = [], len(head)
    for number, line in enumerate(lines, 2):
        if not line.strip():  # as editors leave at the end
            offset += len(line)
            continue
        subset, _, rest = line.decode("utf-8", "replace").partition(",")
        class_id = rest.partition(",")[0]
        if subset not in SUBSETS or not class_id or unusable(class_id, 0):
            raise UserError(
                f"{path}: line {number} begins with {subset!r}, not with train or held_out, and a class"
            )
        rows.append((path.as_posix(), offset, len(line), f"line_{number:08d}", subset, class_id))
        offset += len(line)
    names = ["path", "offset", "size", "name", "subset", "class_id"]
    images = in_order(pd.DataFrame(rows, columns=names))
    return Listing(
        source=f"points of {len(columns) - 2} dimensions",
        found=[f"{FILE}: {len(images):,} points of {len(columns) - 2} dimensions"],
        classes=sorted(set(images["class_id"])),
        images=images,
        encoding="plane" if len(columns) == 4 else "line",
    )
