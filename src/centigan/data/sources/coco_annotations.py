"""COCO's files of captions: which images they name, and what people said of each.

Whatever is wrong with ids, names and captions is added to the faults of a listing, cut to be printed.
"""

import json
import reprlib
from pathlib import Path
from typing import Any, NamedTuple

from centigan.data.sources.caption_files import fault_of, sentence_of
from centigan.data.sources.listing import printable, require_plain
from centigan.errors import UserError


class Annotations(NamedTuple):
    """Id -> file name of each image, and file name -> its captions."""

    names: dict[int, str]
    captions: dict[str, list[str]]


def read_annotations(file: Path, faults: list[str]) -> Annotations:
    """The images of a file and their captions.

    Raises:
        UserError: for a file that is missing, damaged or of another format.
    """
    content = _content(file)
    try:
        named = [(image["id"], image["file_name"]) for image in content["images"]]
        said = [(one["image_id"], one["caption"]) for one in content["annotations"]]
    except (KeyError, TypeError) as error:
        lacking = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{file} is no file of COCO's captions ({lacking}: `images` have `id` and `file_name`, "
            "`annotations` `image_id` and `caption`); fetch it anew"
        ) from None
    names = _names(file, named, faults)
    captions = _captions(file, said, names, faults)
    return Annotations(names, {names[number]: lines for number, lines in captions.items()})


def _captions(
    file: Path, said: list[tuple[Any, Any]], names: dict[int, str], faults: list[str]
) -> dict[int, list[str]]:
    """Id of each image -> its captions."""
    captions: dict[int, list[str]] = {number: [] for number in names}
    wrong: dict[str, str] = {}  # image -> the last fault of its captions
    for number, caption in said:
        if not _is_number(number) or number not in captions:
            wrong[repr(number)] = f"{file} has captions of image {_short(number)}, which it does not name"
        elif not isinstance(caption, str):
            wrong[repr(number)] = f"{file}: a caption of image {number} is no text: {_short(caption)}"
        elif fault := fault_of(caption):
            wrong[repr(number)] = f"{file}: a caption of image {number} {fault}"
        elif sentence := sentence_of(caption):
            captions[number].append(sentence)
    faults += wrong.values()
    faults += [
        f"{file}: {names[number]} has no captions"
        for number, lines in captions.items()
        if not lines and repr(number) not in wrong
    ]
    return captions


def _names(file: Path, named: list[tuple[Any, Any]], faults: list[str]) -> dict[int, str]:
    """Number -> file name of each image; numbers and names that are none, or are there twice, are faults."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for number, name in named:
        if not _is_number(number):
            faults.append(f"{file}: the id of an image is no whole number: {_short(number)}")
        elif not isinstance(name, str) or not name or printable(name) != name:
            faults.append(f"{file}: the file_name of image {number} is no name: {_short(name)}")
        elif number in names or name in taken:
            what = f"image {number}" if number in names else f"file_name {name}"
            faults.append(f"{file} names {what} twice")
        else:
            names[number] = name
            taken.add(name)
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: object) -> str:
    """What stands in a file, as text that can be printed, cut."""
    return printable(reprlib.repr(value))


def _content(file: Path) -> Any:
    require_plain(file)
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{file} is missing; unpack COCO's annotations anew") from None
    except RecursionError:
        raise UserError(
            f"{file} is no file of COCO's captions (brackets in brackets, too deep to read); fetch it anew"
        ) from None
    except ValueError as error:  # of JSON, and of bytes that are no text
        raise UserError(f"{file} is cut short or damaged ({error}); unpack COCO's annotations anew") from None
