"""What a model's codes of images tell: their classes, by the nearest code; their distance from the prior.

Held-out images are encoded, and so are training images, at most MOST of each, evenly from their lists. A
held-out image is named by the training image with the nearest code, by the Euclidean distance (Donahue et
al. 2017, arXiv:1605.09782, section 4.1), and by the one with the nearest pixels beside it. No label has
taught the code unless the family learns from labels.

`energy` is the energy distance (`energy`) of held-out codes from as many draws of the prior, `floor` that of
two such sets of draws: what Makhzani et al. (2015, arXiv:1511.05644, Fig 2) show as pictures. x1 and x2 are
the code where it has two dimensions, else its first two principal components, of training codes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.energy import energy_distance
from centigan.metrics.labels import class_ids_of
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.sheets import evenly
from centigan.trained import trained_family
from centigan.types import Encodes, Latent, Shape

MOST = 2000  # images of a kind
CHUNK = 250  # images a forward pass
COMPONENTS = 50  # that LDA is given: of more it learns the training images by heart
COLUMNS = (
    "class_id",
    "source",
    "x1",
    "x2",
    "named",
    "named_by_pixels",
    "named_by_pca",
    "named_by_lda",
    "energy",
    "floor",
    "dimensions",
)
CPU = torch.device("cpu")
Codes = NDArray[np.float32]
Labels = NDArray[np.int64]
ClassIds = NDArray[np.object_]


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/codes/{split}.parquet: a row a held-out image, then a row a draw of the prior.

    What stands in `named...` are classes, and None of draws of the prior; both distances are of all.

    Raises:
        UserError: for a family that finds no codes, or has no prior over them.
    """
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Encodes) or not isinstance(family, Latent):
        raise UserError(f"split {split}: {model.title} finds no codes of images")
    folder = layout.arrays(split)
    training, own = (_some(folder, prefix, shape) for prefix in ("", "held_out_"))
    codes, held_out = (_encoded(family, images, device) for images, _ in (training, own))
    rng = torch.Generator().manual_seed(counter_seed(0, split, "codes"))
    prior, other = (family.latent(len(held_out), rng).numpy() for _ in range(2))
    plane = in_a_plane(codes, held_out, prior)
    pixels, own_pixels = (images.flatten(1).numpy() for images in (training[0], own[0]))
    named = {
        column: class_ids_of(nearest(of, training[1], asked), classes)
        for column, (of, asked) in {
            "named": (codes, held_out),
            "named_by_pixels": (pixels, own_pixels),
            "named_by_pca": by_components(pixels, own_pixels, codes.shape[1]),
            "named_by_lda": by_discriminants(pixels, own_pixels, training[1], codes.shape[1]),
        }.items()
    }
    of_images = _rows("held_out", plane[0], class_ids_of(own[1], classes), named)
    nothing = class_ids_of(np.full(len(prior), -1), classes)
    table = pd.concat(
        [of_images, _rows("prior", plane[1], nothing, dict.fromkeys(named, nothing))], ignore_index=True
    ).assign(
        energy=energy_distance(held_out, prior),
        floor=energy_distance(other, prior),
        dimensions=codes.shape[1],
    )
    with atomic_path(layout.metric("codes", split)) as temporary:
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def nearest(codes: Codes, labels: Labels, asked: Codes) -> Labels:
    """The label (M,) of the nearest of codes (N, L), labels (N,), to each asked one (M, L)."""
    found: Labels = KNeighborsClassifier(1).fit(codes, labels).predict(asked)
    return found


def in_a_plane(codes: Codes, *others: Codes) -> list[Codes]:
    """Others (M, L) as (M, 2): where L is above 2, on the first principal components of codes (N, L)."""
    if codes.shape[1] == 1:
        return [np.concatenate([other, np.zeros_like(other)], axis=1) for other in others]
    if codes.shape[1] == 2:
        return list(others)
    components = PCA(2, svd_solver="full").fit(codes)
    return [components.transform(other) for other in others]


def by_components(pixels: Codes, asked: Codes, dimensions: int) -> tuple[Codes, Codes]:
    """Pixels (N, F) and asked ones (M, F) on the first principal components of the former."""
    components = PCA(min(dimensions, *pixels.shape), random_state=0).fit(pixels)
    return components.transform(pixels), components.transform(asked)


def by_discriminants(pixels: Codes, asked: Codes, labels: Labels, dimensions: int) -> tuple[Codes, Codes]:
    """The same on linear discriminants of labels (N,).

    On principal components where there are none: of one class, or of classes that are one image each.
    """
    classes = len(np.unique(labels))
    if classes == 1 or len(np.unique(pixels, axis=0)) <= classes:
        return by_components(pixels, asked, dimensions)
    small, small_asked = by_components(pixels, asked, min(COMPONENTS, len(pixels) - classes))
    found = LinearDiscriminantAnalysis(n_components=min(dimensions, classes - 1, small.shape[1]))
    found.fit(small, labels)
    return found.transform(small), found.transform(small_asked)


def _some(folder: Path, prefix: str, shape: Shape) -> tuple[torch.Tensor, Labels]:
    """At most MOST images (N, C, H, W) of a file, evenly, and their labels (N,).

    Raises:
        UserError: for fewer than two images.
    """
    labels = np.load(folder / f"{prefix}labels.npy")
    if len(labels) < 2:
        raise UserError(f"{folder}/{prefix}images.npy has {len(labels)} image(s), and 2 are needed")
    rows = np.array(evenly(len(labels), MOST))
    return images_of(folder / f"{prefix}images.npy", shape, rows), labels[rows].astype(np.int64)


def _encoded(family: Encodes, images: torch.Tensor, device: torch.device) -> Codes:
    parts = [family.encode(part.to(device)).float().cpu() for part in images.split(CHUNK)]
    return np.asarray(torch.cat(parts).numpy())


def _rows(source: str, plane: Codes, class_ids: ClassIds, named: dict[str, ClassIds]) -> pd.DataFrame:
    columns = {"class_id": class_ids, "source": source, "x1": plane[:, 0], "x2": plane[:, 1]}
    return pd.DataFrame(columns | named)
