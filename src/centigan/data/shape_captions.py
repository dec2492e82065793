"""Drawn shapes with captions: what is drawn, said in templates of English with words that mean the same.

Every caption tells colour, shape and size. Some say where the shape lies, in images whose shape clearly lies
beside the middle. An image is train/<class>/0007.png or val/<class>/0120.png, its captions, a sentence a
line, are text/<class>/0007.txt: numbers run on from the one to the other.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centigan.data.shapes import CLASSES, SEED, SIDE, all_different, attributes_of

COUNTS = {"train": 120, "val": 12}  # images of a class
CAPTIONS = 5  # of an image, all different
CLEARLY = 1.5  # pixels from the middle along an axis, from where on words for a place are true
TELLING = 0.5  # share of the captions with a place, where there are such words

WORDS = {  # of each attribute of a class, what it is called; the first is its own name
    "red": ("red", "scarlet", "crimson"),
    "green": ("green", "emerald"),
    "blue": ("blue", "cobalt"),
    "yellow": ("yellow", "golden"),
    "cyan": ("cyan", "turquoise", "aqua"),
    "magenta": ("magenta", "fuchsia"),
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle", "wedge"),
    "small": ("small", "tiny", "little"),
    "large": ("large", "big", "huge"),
}
TEMPLATES = (  # {a:...}: the word with its article
    "{a:size} {colour} {shape}",
    "{a:colour} {shape} that is {size}",
    "there is {a:size} {colour} {shape}",
    "the {shape} is {size} and {colour}",
    "this {colour} {shape} is {size}",
    "the picture shows {a:size} {shape} in {colour}",
    "{a:size} {shape} of {colour} colour on a grey ground",
    "{a:colour} {shape}, {size} in size",
    "one {size} {shape}, and it is {colour}",
    "{colour} is the {size} {shape}",
)
PLACED = ("{said}, {place}", "{place}, {said}")


def write_captioned_shapes(root: Path) -> None:
    """Write root/train/<class>/*.png, root/val/<class>/*.png and root/text/<class>/*.txt."""
    for label, class_id in enumerate(CLASSES):
        images, rng = all_different(class_id), np.random.default_rng([SEED, label, 1])
        text = root / "text" / class_id
        text.mkdir(parents=True)
        first = 0
        for subset, count in COUNTS.items():
            folder = root / subset / class_id
            folder.mkdir(parents=True)
            for number in range(first, first + count):
                image, middle = next(images)
                image.save(folder / f"{number:04d}.png")
                lines = (f"{sentence}\n" for sentence in captions(class_id, middle, rng))
                (text / f"{number:04d}.txt").write_text("".join(lines), encoding="utf-8")
            first += count


def captions(class_id: str, middle: NDArray[np.float64], rng: np.random.Generator) -> list[str]:
    """CAPTIONS different sentences of an image of a class, whose shape lies about `middle` (pixels)."""
    said: dict[str, None] = {}  # a set that keeps its order
    while len(said) < CAPTIONS:
        said[_sentence(class_id, middle, rng)] = None
    return list(said)


def places(middle: NDArray[np.float64]) -> list[str]:
    """What can truly be said of where a shape lies; nothing of one about the middle of the image."""
    across, down = middle - SIDE / 2
    words = [
        word
        for word, offset in (("left", -across), ("right", across), ("upper", -down), ("lower", down))
        if offset > CLEARLY
    ]
    phrases = {"left": "on the left", "right": "on the right", "upper": "in the upper half"}
    phrases["lower"] = "in the lower half"
    corner = [f"in the {words[1]} {words[0]}"] if len(words) == 2 else []
    return [phrases[word] for word in words] + corner


def _sentence(class_id: str, middle: NDArray[np.float64], rng: np.random.Generator) -> str:
    words: dict[str, str] = {}
    for attribute, name in attributes_of(class_id)._asdict().items():
        word = _one_of(WORDS[name], rng)
        words |= {attribute: word, f"a:{attribute}": f"{'an' if word[0] in 'aeiou' else 'a'} {word}"}
    said = _one_of(TEMPLATES, rng)
    for name, word in words.items():
        said = said.replace(f"{{{name}}}", word)
    there = places(middle)
    if not there or rng.random() >= TELLING:
        return said
    return _one_of(PLACED, rng).format(said=said, place=_one_of(there, rng))


def _one_of(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
