"""Real images drawn again by a family that encodes, and walks between the codes of two of them.

The images are held-out ones: those of the training could be known by heart. Whether a code tells its image
and not any image is what `right_over_wrong` measures (Donahue et al. 2017, arXiv:1605.09782, compare with a
wrong image, too).
"""

import logging

import torch
from safetensors.numpy import save_file
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.some_held_out import some_held_out
from centigan.errors import UserError
from centigan.interpolation import linear
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.metrics.reconstruction import right_over_wrong
from centigan.seeds import counter_seed
from centigan.settings.stages import ReconstructStage
from centigan.trained import trained_family
from centigan.types import Encodes, Given, Latent, Reconstructs, to_network, to_uint8

log = logging.getLogger(__name__)


def reconstruct_split(layout: Layout, split: str, stage: ReconstructStage, *, device: torch.device) -> None:
    """Write reconstructions/{split}: images.safetensors, facts and manifest.

    "images", uint8 (N, R, R, 3): held-out images, evenly from their list, which stands in the order of the
    classes. "reconstructed", the same shape: each drawn again. "walks", uint8 (W, S, R, R, 3): S points on
    the line between the codes of two of these images; "ends", int64 (W, 2): which ones. A family that finds
    no codes has neither of the two. facts.json has `right_over_wrong`.

    Raises:
        UserError: for a family that draws no image again, or fewer than two held-out images.
    """
    family, classes, shape = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Reconstructs):
        raise UserError(f"split {split}: {stage.model.title} draws no image again")
    settings, of = stage.reconstructions, f"split {split}: the decoder"
    # a reconstruction is compared with those of others
    images, labels = some_held_out(layout.arrays(split), settings.images, shape.resolution, least=2)
    real = to_network(torch.from_numpy(images), shape.channels).to(device)
    rng = torch.Generator().manual_seed(counter_seed(settings.seed, split, "reconstructions"))
    again = family.reconstruct(real, rng)
    tensors = {"images": images, "reconstructed": to_uint8(again, of).cpu().numpy()}
    if isinstance(family, Encodes) and isinstance(family, Latent):
        ends = _ends(len(images), settings.walks, counter_seed(settings.seed, split, "ends"))
        codes = family.encode(real)
        drawn = [_walk(family, codes[pair], labels[pair[0]], settings.steps) for pair in ends]
        tensors |= {"walks": to_uint8(torch.cat(drawn), of).cpu().numpy(), "ends": ends.numpy()}
        tensors["walks"] = tensors["walks"].reshape(settings.walks, settings.steps, *images.shape[1:])
    ratio = right_over_wrong(real, again)
    folder = layout.reconstructions(split)
    with atomic_path(folder / "images.safetensors") as temporary:
        save_file(tensors, temporary)
    inputs = [layout.train(split) / f"{name}.safetensors" for name in stage.model.sampled]
    about = describe(stage, inputs=[*inputs, layout.arrays(split) / "held_out_images.npy"])
    facts = {"classes": classes, "right_over_wrong": ratio}
    write_manifest(folder, about, facts=facts, of=["images.safetensors"])
    log.info("split %s: %d held-out images drawn again, right over wrong %.3f", split, len(images), ratio)


def _ends(count: int, walks: int, seed: int) -> Tensor:
    """Of each walk the positions (W, 2) of two different images of so many."""
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(count, generator=rng)[:2] for _ in range(walks)])


def _walk(family: Latent, ends: Tensor, label: Tensor, steps: int) -> Tensor:
    """(steps, C, R, R) between two codes (2, latent); a family of classes keeps the class of the first."""
    points = linear(ends[0], ends[1], steps)
    return family.generate(points, Given(label.to(ends.device).expand(steps)))
