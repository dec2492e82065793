"""How well a model draws held-out images again, and how much a code tells of its own image.

mse               mean square of the difference of pixels, which run from 0 to 1
psnr              peak signal-to-noise ratio of an image, -10 log10 mse, dB; the mean over images
ms_ssim           of an image and what is drawn of it (`similarity`)
right_over_wrong  mean distance to what is drawn of an image over that to what is drawn of the others: 1 is a
                  code that tells no more of its image than of any (Donahue et al. 2017, arXiv:1605.09782,
                  compare with a wrong image, too)

Pixel errors favour what is blurred (Larsen et al. 2016, section 1): numbers of two families are read beside
their pictures. Held-out images are shrunk as features' are; images drawn again are rounded to bytes.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.some_held_out import some_held_out
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.labels import class_ids_of
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.similarity import ms_ssim
from centigan.trained import trained_family
from centigan.types import Reconstructs, to_network, to_uint8

MOST = 1000  # held-out images of a split, evenly from their list
CHUNK = 250  # images a forward pass
COLUMNS = ("class_id", "image", "mse", "psnr", "ms_ssim", "right_over_wrong")
CPU = torch.device("cpu")
Bytes = NDArray[np.uint8]


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/reconstruction/{split}.parquet: a row a held-out image; the ratio is one of all.

    Raises:
        UserError: for a family that draws no image again, or fewer than two held-out images.
    """
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Reconstructs):
        raise UserError(f"split {split}: {model.title} draws no image again")
    images, labels = some_held_out(layout.arrays(split), MOST, shape.resolution, least=2)
    rng = torch.Generator().manual_seed(counter_seed(0, split, "reconstruction"))
    parts = to_network(torch.from_numpy(images), shape.channels).split(CHUNK)
    again = torch.cat([family.reconstruct(part.to(device), rng).cpu() for part in parts])
    drawn = to_uint8(again, f"split {split}: the decoder").numpy()
    error = squared_error(images, drawn)
    with np.errstate(divide="ignore"):  # of an image that is drawn exactly
        psnr = -10 * np.log10(error)
    columns = {
        "class_id": class_ids_of(labels.numpy(), classes),
        "image": np.arange(len(images)),
        "mse": error,
        "psnr": psnr,
        "ms_ssim": ms_ssim(images, drawn),
        "right_over_wrong": right_over_wrong(torch.cat(parts), again),
    }
    with atomic_path(layout.metric("reconstruction", split)) as temporary:
        pd.DataFrame(columns)[list(COLUMNS)].to_parquet(temporary, index=False)


def squared_error(images: Bytes, drawn: Bytes) -> NDArray[np.float64]:
    """Mean square (N,) of the difference of uint8 (N, H, W, 3) each, with pixels from 0 to 1."""
    apart = (images.astype(np.float32) - drawn) / 255
    return np.square(apart).mean((1, 2, 3), dtype=np.float64)


def right_over_wrong(images: Tensor, again: Tensor) -> float:
    """Mean distance of images (N, ...) to what is drawn of them, over that to what is drawn of the others.

    Distances are Euclidean, over all pixels. 0: drawn exactly; 1: no more like its image than like any.
    """
    distances = torch.cdist(images.flatten(1), again.flatten(1))
    right = distances.diagonal()
    wrong = (distances.sum() - right.sum()) / (len(images) - 1)
    return float(right.sum() / wrong)
