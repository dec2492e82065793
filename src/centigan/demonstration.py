"""What a family's paper shows, drawn of a trained split: sheets of images with their words."""

import json
import logging
from typing import Any

import torch
from safetensors.numpy import save_file

from centigan.atomic import atomic_path, write_text
from centigan.data.caption_vectors import asked_of_images
from centigan.data.some_held_out import some_held_out
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.seeds import counter_seed
from centigan.settings.stages import DemonstrateStage
from centigan.sheets import Images
from centigan.trained import trained_family
from centigan.types import (
    UNLABELLED,
    Demonstrates,
    DemonstratesCaptions,
    DemonstratesClasses,
    Sheet,
    to_network,
    to_uint8,
)

log = logging.getLogger(__name__)


def demonstrate_split(layout: Layout, split: str, stage: DemonstrateStage, *, device: torch.device) -> None:
    """Write demonstrations/{split}: images.safetensors, sheets.json, facts and manifest.

    images.safetensors has for each sheet, under its name, uint8 (R, S, H, W, 3); sheets.json their words, in
    the order in which the family draws them. The family is handed held-out images, evenly from their list.
    Random numbers are those of the CPU on any device.

    Raises:
        UserError: for a family that draws no such sheets, or one whose images are no finite numbers.
    """
    family, classes, shape = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Demonstrates | DemonstratesCaptions):
        raise UserError(f"split {split}: {stage.model.title} draws no demonstration")
    settings = stage.demonstrations
    images, labels = some_held_out(layout.arrays(split), settings.images, shape.resolution)
    real = to_network(torch.from_numpy(images), shape.channels).to(device)
    rng = torch.Generator().manual_seed(counter_seed(settings.seed, split, "demonstrations"))
    sheets = family.demonstrate(real, classes, rng) if isinstance(family, Demonstrates) else []
    known = labels != UNLABELLED
    if isinstance(family, DemonstratesClasses) and known.any():
        sheets += family.demonstrate_classes(real[known.to(device)], labels[known], classes)
    if isinstance(family, DemonstratesCaptions):
        asked = asked_of_images(layout.captions(split), layout.arrays(split), settings.images)
        sheets += family.demonstrate_captions(real, asked.vectors.to(device), asked.texts, rng)
    tensors = {sheet.name: _as_bytes(sheet, f"split {split}: sheet {sheet.name!r}") for sheet in sheets}
    folder = layout.demonstrations(split)
    with atomic_path(folder / "images.safetensors") as temporary:
        save_file(tensors, temporary)
    words = json.dumps([_words(sheet) for sheet in sheets], indent=2, ensure_ascii=False)
    write_text(folder / "sheets.json", words + "\n")
    inputs = [layout.train(split) / f"{name}.safetensors" for name in family.networks]
    about = describe(stage, inputs=[*inputs, layout.arrays(split) / "held_out_images.npy"])
    facts = {"classes": classes, "held_out": len(images)}
    write_manifest(folder, about, facts=facts, of=["images.safetensors", "sheets.json"])
    log.info("split %s: %d sheets of what the paper shows: %s", split, len(sheets), ", ".join(tensors))


def _as_bytes(sheet: Sheet, source: str) -> Images:
    """Its images, (R, S, C, H, W) in [-1, 1], as uint8 (R, S, H, W, 3)."""
    rows, columns = sheet.images.shape[:2]
    levels = to_uint8(sheet.images.flatten(0, 1), source)
    pixels: Images = levels.unflatten(0, (rows, columns)).cpu().numpy()
    return pixels


def _words(sheet: Sheet) -> dict[str, Any]:
    """All of a sheet but its images."""
    about = {"name": sheet.name, "title": sheet.title, "caption": sheet.caption}
    return about | {"rows": list(sheet.rows), "columns": list(sheet.columns)}
