"""Drawn shapes with captions as arrays folders hold them: 36 classes, sentences of templates."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from centigan.data.shapes import CLASSES, COLOURS, GREY, SIZES, attributes_of, outline
from centigan.manifest import write_manifest
from centigan.settings.text import TextSettings

SIDE, FINER = 16, 4
PAIRS = (("red", "square"), ("blue", "triangle"), ("yellow", "circle"), ("cyan", "triangle"))
UNSEEN = ["_".join((*pair, size)) for pair in PAIRS for size in SIZES]
SAID = {  # what attributes are called beside their names
    "red": ["scarlet"],
    "green": ["emerald"],
    "blue": ["navy"],
    "yellow": ["golden"],
    "cyan": ["turquoise"],
    "magenta": ["purple"],
    "circle": ["disc"],
    "square": ["box"],
    "triangle": ["wedge"],
    "small": ["tiny", "little"],
    "large": ["big", "huge"],
}
TEMPLATES = (
    "a {size} {colour} {shape}",
    "this {shape} is {colour} and {size}",
    "there is a {colour} {shape} of {size} size on grey",
    "a {shape}, {size}, painted {colour}",
    "the picture shows one {size} {shape} in {colour}",
    "{colour} is the colour of the {size} {shape}",
)

SMALL = {"char": {"iterations": 8, "char_maps": (4, 4, 4), "char_units": 4}, "bow": {"iterations": 8}}


def image_of(class_id: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3)."""
    colour, shape, size = attributes_of(class_id)
    scale = SIDE * FINER / 32
    middle = 16 + rng.uniform(-3, 3, 2)
    image = Image.new("RGB", (SIDE * FINER, SIDE * FINER), GREY)
    corners = [tuple(point) for point in (middle + SIZES[size] * outline(shape)) * scale]
    ImageDraw.Draw(image).polygon(corners, fill=COLOURS[colour])
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))


def caption_of(class_id: str, rng: np.random.Generator) -> str:
    words = {
        attribute: str(rng.choice([name, *SAID[name]]))
        for attribute, name in attributes_of(class_id)._asdict().items()
    }
    return str(rng.choice(TEMPLATES)).format(**words)


def write_arrays(
    folder: Path,
    *,
    classes: Sequence[str] = CLASSES,
    unseen: Sequence[str] = UNSEEN,
    counts: tuple[int, int] = (20, 4),
    captions: int = 3,
    seed: int = 0,
) -> Path:
    """An arrays folder of `counts` training and held-out images of each class."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for prefix, count in zip(("", "held_out_"), counts, strict=True):
        labels = np.repeat(np.arange(len(classes), dtype=np.int16), count)
        images = [image_of(classes[label], rng) for label in labels]
        said = [[caption_of(classes[label], rng) for _ in range(captions)] for label in labels]
        np.save(folder / f"{prefix}images.npy", np.stack(images))
        np.save(folder / f"{prefix}labels.npy", labels)
        (folder / f"{prefix}captions.json").write_text(json.dumps(said))
    facts = {"classes": list(classes), "resolution": SIDE}
    facts |= {"unseen": [name for name in unseen if name in classes]}
    write_manifest(folder, {}, facts=facts, of=["images.npy", "labels.npy", "captions.json"])
    return folder


def small_encoder(encoder: str, **more: object) -> TextSettings:
    """Settings of an encoder that has hardly learnt."""
    values = {"encoder": encoder, "classes": 8, "embedding": 6, **SMALL[encoder], **more}
    return TextSettings.model_validate(values)
