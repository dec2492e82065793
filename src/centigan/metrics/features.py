"""Features of every image of a split, computed once and shared by all metrics that compare them.

Real images are the training images, held-out ones are shrunk to their size, since a generator is compared
at its own resolution; generated and fresh ones are samples. Those of real images lie apart: every experiment
of a protocol reads them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import DIGESTS, describe, read_facts, write_manifest
from centigan.metrics.labels import class_ids_of
from centigan.metrics.stacked import Features, InFile, Stacked
from centigan.settings.evaluation import FeatureSettings
from centigan.sheets import Images  # the judges' load every network

# the prefixes of their image files
SOURCES = {"training": "", "held_out": "held_out_", "generated": "", "fresh": "fresh_"}
OF_REAL, OF_SAMPLES = ("training", "held_out"), ("generated", "fresh")
IDENTITY = ("network", "weights_sha256", "resizing", "precision")  # features are comparable under the same


class FeatureSet(NamedTuple):
    """Features of one source over some splits, in the order of the image files."""

    features: Features  # (N, F)
    class_ids: NDArray[np.object_]  # (N,); None: of no class
    settings: FeatureSettings
    identity: dict[str, str]  # by IDENTITY
    folder: Path  # of the first split


def features_of_split(layout: Layout, split: str, settings: FeatureSettings) -> None:
    """Write features/{split}: generated and fresh .npy, float32 (N, F); manifest.json.

    Raises:
        UserError: when images are missing or of another size, or the network cannot be had.
    """
    inputs = [layout.samples(split) / DIGESTS]
    _write(layout, split, settings, OF_SAMPLES, inputs)


def features_of_real(layout: Layout, split: str, settings: FeatureSettings) -> None:
    """Write real/features/{split}: training and held_out .npy, float32 (N, F); manifest.json.

    Raises:
        UserError: when images are missing or of another size, or the network cannot be had.
    """
    _write(layout, split, settings, OF_REAL, [layout.arrays(split) / DIGESTS])


def _write(
    layout: Layout, split: str, settings: FeatureSettings, sources: Sequence[str], inputs: list[Path]
) -> None:
    from centigan.judges.extractor import load_extractor  # only here: what reads features needs no PyTorch

    extractor = load_extractor(settings, layout.judge)
    folder = _folder(layout, split, sources[0])
    counts = {}
    for source in sources:
        features = extractor.features(_images(layout, split, source), progress=f"{split} {source}")
        _require_finite(features, folder / f"{source}.npy")
        with atomic_path(folder / f"{source}.npy") as temporary:
            np.save(temporary, features)
        counts[source] = len(features)
    facts = {
        "network": extractor.name,
        "weights_sha256": extractor.weights_sha256,
        "resizing": extractor.resizing,
        "precision": extractor.precision,
        "settings": settings.model_dump(mode="json"),
    }
    if settings.network == "judge":
        inputs.append(layout.judge / DIGESTS)
    about = describe(settings, inputs=inputs, images=counts)
    write_manifest(folder, about, facts=facts, of=[f"{source}.npy" for source in sources])


def read_all_features(layout: Layout, splits: Sequence[str], sources: Sequence[str]) -> dict[str, FeatureSet]:
    """Features of some sources of `SOURCES`, each as `read_features` has it.

    Raises:
        UserError: when a split lacks them, or splits or sources differ in what their features are.
    """
    found = {source: read_features(layout, splits, source) for source in sources}
    first, *others = found.values()
    for other in others:
        _require_same(first.folder, first.identity, other.folder, other.identity)
    return found


def read_features(layout: Layout, splits: Sequence[str], source: str) -> FeatureSet:
    """Features of one source of `SOURCES`, split after split, with the class of each image.

    Raises:
        UserError: when a split lacks them, or splits differ in what their features are.
    """
    folders = [_folder(layout, split, source) for split in splits]
    facts = [read_facts(folder) for folder in folders]
    for folder, own in zip(folders, facts, strict=True):
        _require_same(folders[0], facts[0], folder, own)
    parts = [_of_split(layout, split, source) for split in splits]
    return FeatureSet(
        Stacked([features for features, _ in parts]),
        np.concatenate([class_ids for _, class_ids in parts]),
        FeatureSettings.model_validate(facts[0]["settings"]),
        {key: facts[0][key] for key in IDENTITY},
        folders[0],
    )


def _require_same(one: Path, first: dict[str, Any], other: Path, second: dict[str, Any]) -> None:
    for key in IDENTITY:
        if first[key] != second[key]:
            raise UserError(
                f"{one} has features with {key} {first[key]}, {other} with {second[key]}; they cannot be "
                "compared, make them again"
            )


def _folder(layout: Layout, split: str, source: str) -> Path:
    return layout.real_features(split) if source in OF_REAL else layout.features(split)


def _of_split(layout: Layout, split: str, source: str) -> tuple[InFile, NDArray[np.object_]]:
    path = _folder(layout, split, source) / f"{source}.npy"
    folder, prefix = _place(layout, split, source)
    features: NDArray[np.float32] = _load(path, mmap_mode="r")
    labels = _load(folder / f"{prefix}labels.npy")
    if len(features) != len(labels):
        raise UserError(
            f"{path} has features of {len(features)} images, {folder} has {len(labels)}; make them again"
        )
    _require_finite(features, path)
    return InFile(path), class_ids_of(labels, read_facts(folder)["classes"])


def _images(layout: Layout, split: str, source: str) -> Images:
    """The images of a source, each R x R."""
    folder, prefix = _place(layout, split, source)
    path = folder / f"{prefix}images.npy"
    side = int(read_facts(layout.arrays(split))["resolution"])
    images: Images = _load(path, mmap_mode="r")
    if source == "held_out":
        from centigan.data.held_out import at_training_size

        return at_training_size(images, side)
    if images.shape[1:] != (side, side, 3):
        raise UserError(
            f"{path} has images of shape {images.shape[1:]}, not {side} x {side} x 3; make it again"
        )
    return images


def _place(layout: Layout, split: str, source: str) -> tuple[Path, str]:
    """Folder of a source's images, and what stands before "images.npy" there."""
    return (layout.arrays if source in OF_REAL else layout.samples)(split), SOURCES[source]


def _load(path: Path, mmap_mode: Literal["r"] | None = None) -> NDArray[Any]:
    try:
        found: NDArray[Any] = np.load(path, mmap_mode=mmap_mode)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; make it again") from None
    except (ValueError, EOFError) as error:  # any other OSError is the machine's, and says so itself
        raise UserError(f"{path} is damaged ({error}); make it again") from None
    return found


def _require_finite(features: NDArray[np.float32], path: Path) -> None:
    wrong = ~np.isfinite(features).all(1)
    if wrong.any():
        raise UserError(
            f"{path}: the features of {wrong.sum()} images, number {int(wrong.argmax())} first, are not "
            "finite; check the weights of features.network, or use features.precision: float32"
        )
