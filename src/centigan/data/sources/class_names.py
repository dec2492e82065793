"""What classes are called whose images have only numbers as labels.

- WordNet ids, where the names of all training images begin with one (n01440764_10026.JPEG), one a label: so
  ImageNet has the same classes from any packaging.
- Else the names that the data set tells, where they are different and can be names of files.
- Else the numbers, with leading zeros, and such names as words.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from centigan.data.sources.listing import UNPRINTABLE
from centigan.errors import UserError

NAMES, INFO = "classnames.txt", "dataset_info.json"
WNID = r"^(n\d{8})_"
REPEATED = re.compile(r"_n\d{8}(?=\.\w+$)")  # the Hub's archives: n01440764_10026_n01440764.JPEG


class Classes(NamedTuple):
    """Label -> id of the class, and id -> its name in words."""

    ids: dict[int, str]
    words: dict[str, str]


def name_classes(training: pd.DataFrame, labels: Sequence[int], names: Sequence[str] = ()) -> Classes:
    """The classes of these labels.

    Args:
        training: columns name (of the image) and label.
        names: of the labels 0, 1, ...; empty where none are known.
    """
    words = dict(zip(labels, (names[label] for label in labels), strict=True)) if names else {}
    ids = _wnids(training)
    if set(ids) != set(labels):
        width = len(str(max(labels, default=0)))
        able = names and len(set(names)) == len(names) and not any(map(is_no_name, names))
        ids = words if able else {label: f"{label:0{width}d}" for label in labels}
    return Classes(ids, {ids[label]: name for label, name in words.items()})


def published_name(name: str) -> str:
    """The name that ImageNet's authors gave an image, without what the Hub's archives add."""
    return REPEATED.sub("", name)


def names_beside(root: Path) -> list[str]:
    """The names in classnames.txt, a line each, or dataset_info.json; empty where neither is there.

    Raises:
        UserError: for a file that cannot be read as that.
    """
    try:
        if (path := root / NAMES).is_file():
            return path.read_text(encoding="utf-8-sig").splitlines()
        if (path := root / INFO).is_file():
            return names_in(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # no UTF-8, no JSON
        raise UserError(f"{path} cannot be read: {error}") from None
    return []


def names_in(info: Any) -> list[str]:
    """features.label.names of what describes a data set for the Hub; empty where it has none."""
    for key in ("features", "label", "names"):
        info = info.get(key) if isinstance(info, dict) else None
    return info if isinstance(info, list) and all(isinstance(name, str) for name in info) else []


def words_in(lines: Iterable[str], separator: str | None = None) -> dict[str, str]:
    """Id -> words, of lines such as `n01440764 tench, Tinca tinca`; others are passed over.

    Args:
        separator: what stands between the two; None: any white space.
    """
    parts = (line.split(separator, 1) for line in lines)
    return {found[0]: found[1] for found in parts if len(found) == 2}


def _wnids(training: pd.DataFrame) -> dict[int, str]:
    """Label -> WordNet id by the names of the images, where every image has one and each label its own."""
    pairs = training.assign(wnid=training["name"].str.extract(WNID, expand=False))
    pairs = pairs[["label", "wnid"]].drop_duplicates()
    if pairs["wnid"].isna().any() or pairs["label"].duplicated().any() or pairs["wnid"].duplicated().any():
        return {}
    return dict(zip(pairs["label"].tolist(), pairs["wnid"], strict=True))


def is_no_name(name: str) -> bool:
    """Whether it cannot be the name of a file, as that of a class must."""
    return not name.strip(".") or "/" in name or UNPRINTABLE.search(name) is not None
