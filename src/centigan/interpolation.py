"""Walks through the latent space of a trained generator (section 4.4, Fig 8 left)."""

import logging
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.batches import counter_seed
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.sampling import trained_family
from centigan.settings import SampleStage
from centigan.sheets import contact_sheet
from centigan.types import to_uint8

log = logging.getLogger(__name__)


def linear(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """The paper's walk: points (steps, latent) on the line between two of shape (latent,), ends included."""
    return torch.lerp(start, end, torch.linspace(0, 1, steps, device=start.device)[:, None])


def spherical(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points (steps, latent) on the great arc (Shoemake 1985), so that none is shorter than both ends."""
    angle = torch.arccos(torch.cosine_similarity(start, end, dim=0))
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    weighed = torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end
    return weighed / torch.sin(angle)


PATHS = {"linear": linear, "spherical": spherical}


def interpolate_split(
    layout: Layout,
    split: str,
    stage: SampleStage,
    *,
    device: torch.device,
    only: list[str] | None,
    path: str,
    rows: int,
    steps: int,
    out: Path | None,
) -> Path:
    """Draw `rows` walks of `steps` images for each class, from one latent to another; the PNG's path.

    Raises:
        UserError: for a class that the split does not have.
    """
    family, classes = trained_family(layout, split, stage.model, device)
    for name in only or ():
        if name not in classes:
            raise UserError(f"split {split} has no class {name!r}; it has {', '.join(classes)}")
    walks = []
    for name in only or classes:
        for row in range(rows):
            rng = torch.Generator(device).manual_seed(
                counter_seed(stage.sample.seed, split, "interpolation", name, row)
            )
            start, end = family.latent(2, rng)
            points = PATHS[path](start, end, steps)
            labels = torch.full((steps,), classes.index(name), device=device)
            walks.append(to_uint8(family.generate(points, labels)).cpu().numpy())
    out = out or layout.results / "interpolations" / f"{split}-{path}.png"
    with atomic_path(out) as temporary:
        sheet = contact_sheet(walks, across=steps, tile=max(64, walks[0].shape[1]))
        Image.fromarray(sheet).save(temporary, format="PNG")
    log.info("%s: %d walks of %d steps, of %s", out, len(walks), steps, ", ".join(only or classes))
    return out
