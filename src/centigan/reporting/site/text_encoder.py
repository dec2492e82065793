"""What the first page tells of the text encoder that captions are read by: how it was made, what it finds."""

from collections.abc import Iterator
from typing import Any

from centigan.manifest import read_facts, read_object
from centigan.reporting.results import Results, present

KINDS = {
    "bow": "a mean of learnt vectors of words",
    "char": "a convolutional and a recurrent network on characters, as in its paper",
    "sentence": "a published network below a learnt linear layer",
}
SEEN_BY = {"small-cnn": "a small convnet", "features": "a linear layer on features of real images"}
GROUPS = {
    "seen": "of {} classes that were learnt",
    "unseen": "of {} that were not",
    "unseen_among_all": "of those, among all {}",
}


def text_encoder(results: Results) -> dict[str, Any] | None:
    """Which encoder it is, what it was learnt from, and a row for each kind of class and attribute.

    None where no number of the experiment is of captions.

    Raises:
        UserError: when the encoder's files are missing or damaged.
    """
    if "retrieval" not in results.metrics:
        return None
    folder = results.layout.text
    about = read_object(present(folder / "manifest.json"))
    settings, facts = about["settings"], read_facts(folder)
    return {
        "name": facts["encoder"],
        "is": KINDS[facts["encoder"]],
        "beside": SEEN_BY[settings["images"]],
        "embedding": facts["embedding"],
        "images": about["trained_on"],
        "captions": about["captions"],
        "iterations": settings["iterations"],
        "longest": facts["longest"],
        "parts": "characters" if facts["encoder"] == "char" else "words",
        "rows": list(_rows(read_object(present(folder / "retrieval.json")))),
    }


def _rows(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of classes, and below each those of attributes, where classes are such."""
    for group, words in GROUPS.items():
        if group in found:
            numbers = found[group]
            yield {"name": words.format(numbers["candidates"]), "is_class": True, **numbers}
            for attribute, shares in numbers["attributes"].items():
                yield {"name": f"their {attribute}", "is_class": False, **shares}
