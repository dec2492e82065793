"""Walks through the latent space of a trained generator, squares of it, and grids of one z for every class.

AC-GAN (arXiv:1610.09585), section 4.4 and Fig 8: were the generator to memorise, images along a walk
would change by leaps (left; `metrics.smoothness` measures it); what z means, should hold for any class
(right).
"""

import logging
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.settings.stages import LatentStage, SampleStage
from centigan.settings.training import LatentSettings
from centigan.sheets import Images, contact_sheet, require_png
from centigan.trained import trained_family
from centigan.types import Given, Latent, to_uint8

log = logging.getLogger(__name__)


def linear(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """The paper's walk: points (steps, latent) on the line between two of shape (latent,), ends included."""
    return torch.lerp(start, end, torch.linspace(0, 1, steps, device=start.device)[:, None])


def spherical(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points (steps, latent) on the great arc (Shoemake 1985), so that none is shorter than both ends."""
    angle = torch.arccos(torch.cosine_similarity(start, end, dim=0))
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    first, last = torch.sin((1 - share) * angle), torch.sin(share * angle)
    return first / torch.sin(angle) * start + last / torch.sin(angle) * end  # exact at either end


PATHS = {"linear": linear, "spherical": spherical}


def between_four(corners: Tensor, side: int) -> Tensor:
    """Points (side, side, latent) between four latents (4, latent), which stand row by row at its corners.

    With u from 0 to 1 along each row, v down each column, c(t) = cos(pi t / 2) and s(t) = sin(pi t / 2),

        z(u, v) = c(u) c(v) z_1 + s(u) c(v) z_2 + c(u) s(v) z_3 + s(u) s(v) z_4.

    The squares of the four weights sum to 1, so between independent z ~ N(0, I), the prior of every family
    here, each point is a draw from N(0, I) too: what G makes there, it makes as a sample. The middle of a
    bilinear square is half as long as a draw. An edge is `spherical` for latents at right angles, which
    many dimensions nearly give. Corners are exact.
    """
    rising = torch.linspace(0, torch.pi / 2, side, device=corners.device).sin()
    ends = torch.stack([rising.flip(0), rising], dim=1)  # (side, 2): c and s; torch.cos(pi / 2) is not 0
    return torch.einsum("ia,jb->ijab", ends, ends).flatten(2) @ corners


def latent_of_split(layout: Layout, split: str, stage: LatentStage, *, device: torch.device) -> None:
    """Write latent/{split}: images.safetensors and manifest.

    "linear" and "spherical", uint8 (K, W, S, R, R, 3): W walks of each class, both paths between the same
    two latents. "square", uint8 (K, N, N, R, R, 3): of each class the images between four latents.
    "grid", uint8 (Z, K, R, R, 3): each row one latent, for every class. A family that draws without classes
    has K = 1, called "all", and no grid.

    Raises:
        UserError: for a family without a latent space.
    """
    family, classes = _with_latent_space(layout, split, stage.model, device)
    latent, folder = stage.latent, layout.latent(split)
    groups = stage.model.groups(classes)
    ends = {
        name: [_ends(family, latent.seed, split, name, walk, device) for walk in range(latent.walks)]
        for name in groups
    }
    tensors = {
        path: np.array(
            [
                [_walk(family, split, path, two, latent.steps, label) for two in of_group]
                for label, of_group in enumerate(ends.values())
            ]
        )
        for path in PATHS
    }
    squares = [_square(family, split, label, name, latent, device) for label, name in enumerate(groups)]
    tensors["square"] = np.array(squares)
    if groups == classes:
        seed = counter_seed(latent.seed, split, "grid")
        tensors["grid"] = _grid(family, split, len(classes), latent.styles, seed, device)
    with atomic_path(folder / "images.safetensors") as temporary:
        save_file(tensors, temporary)
    inputs = [layout.train(split) / f"{name}.safetensors" for name in stage.model.sampled]
    about = describe(stage, inputs=inputs)
    write_manifest(folder, about, facts={"classes": groups}, of=["images.safetensors"])
    log.info("split %s: %d walks of each of %s", split, latent.walks, ", ".join(groups))


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
    if out:
        require_png(out)
    family, classes = _with_latent_space(layout, split, stage.model, device)
    groups = stage.model.groups(classes)
    for name in only or ():
        if name not in groups:
            raise UserError(f"split {split} has no class {name!r}; it has {', '.join(groups)}")
    walks = []
    for name in only or groups:
        for row in range(rows):
            ends = _ends(family, stage.sample.seed, split, name, row, device)
            walks.append(_walk(family, split, path, ends, steps, groups.index(name)))
    out = out or layout.results / "interpolations" / f"{split}-{path}.png"
    with atomic_path(out) as temporary:
        sheet = contact_sheet(walks, across=steps, tile=max(64, walks[0].shape[1]))
        Image.fromarray(sheet).save(temporary, format="PNG")
    log.info("%s: %d walks of %d steps, of %s", out, len(walks), steps, ", ".join(only or groups))
    return out


def _with_latent_space(
    layout: Layout, split: str, model: FamilySettings, device: torch.device
) -> tuple[Latent, list[str]]:
    family, classes, _ = trained_family(layout, split, model, device)
    if not isinstance(family, Latent):
        raise UserError(f"split {split}: {model.title} has no latent space to walk through")
    return family, classes


def _ends(family: Latent, seed: int, split: str, name: str, walk: int, device: torch.device) -> Tensor:
    """The two latents (2, latent) that a walk of a class leads between."""
    return _latents(family, 2, counter_seed(seed, split, "interpolation", name, walk), device)


def _latents(family: Latent, count: int, seed: int, device: torch.device) -> Tensor:
    """(count, latent), drawn on the CPU: the same for any device."""
    return family.latent(count, torch.Generator().manual_seed(seed)).to(device)


def _walk(family: Latent, split: str, path: str, ends: Tensor, steps: int, label: int) -> Images:
    """uint8 (steps, R, R, 3) of one class."""
    points = PATHS[path](ends[0], ends[1], steps)
    labels = torch.full((steps,), label, device=ends.device)
    return to_uint8(family.generate(points, Given(labels)), f"split {split}: the generator").cpu().numpy()


def _square(
    family: Latent, split: str, label: int, name: str, latent: LatentSettings, device: torch.device
) -> Images:
    """uint8 (N, N, R, R, 3) of one class."""
    corners = _latents(family, 4, counter_seed(latent.seed, split, "square", name), device)
    rows = between_four(corners, latent.square)
    labels = torch.full((latent.square,), label, device=device)
    drawn = (to_uint8(family.generate(row, Given(labels)), f"split {split}: the generator") for row in rows)
    return torch.stack([images.cpu() for images in drawn]).numpy()


def _grid(family: Latent, split: str, classes: int, styles: int, seed: int, device: torch.device) -> Images:
    """uint8 (styles, classes, R, R, 3): one latent a row."""
    latents = _latents(family, styles, seed, device)
    labels = torch.arange(classes, device=device)
    drawn = (family.generate(z.expand(classes, -1), Given(labels)) for z in latents)
    rows = [to_uint8(images, f"split {split}: the generator") for images in drawn]
    return torch.stack(rows).cpu().numpy()
