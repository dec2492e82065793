"""Training, measuring and choosing a judge on real images only; writes the folder that `load_judge` reads.

With judge.name `auto` the two judges that learn the classes are both trained, and the better mean of
three accuracies on held-out real images wins: clean, under noise, under blur. Generated images show
fine noise and blur, so a judge that either puts off would judge the noise. No generated image is seen.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges.augmentation import blurred
from centigan.judges.images import Examples, Images, resized, to_bytes
from centigan.judges.table import JUDGES, Judge
from centigan.manifest import DIGESTS, FACTS, describe, read_facts, read_manifest, write_manifest
from centigan.settings.evaluation import JudgeSettings
from centigan.settings.limits import no_better_than_chance

AUTO = ("small-cnn", "head-on-features")
NOISE_LEVELS = 25  # standard deviation of the Gaussian noise, of 255
BLUR_SIDE = 1 / 32  # standard deviation of the Gaussian blur, of the image's side
MOST_MEASURED = 5_000  # held-out images, evenly over the classes: minutes even at 299 px on a CPU
log = logging.getLogger(__name__)


def train_judge(arrays: list[Path], settings: JudgeSettings, out: Path) -> None:
    """Make the judge that `settings` asks for and write out/weights.safetensors and out/manifest.json.

    The weights hold nothing but a `judge` entry in their header when the judge came trained.

    Args:
        arrays: the arrays folder of every split; the classes of the first come first.
        settings: which judge, and the seed of whatever is random in its training.
        out: the judge's folder.

    Raises:
        UserError: when the judge cannot judge these classes, or nothing is held out.
    """
    classes = sorted(name for folder in arrays for name in read_facts(folder)["classes"])
    names = AUTO if settings.name == "auto" else (settings.name,)
    examples = training_examples(arrays, classes, wanted=any(JUDGES[name].learns for name in names))
    judges = {name: JUDGES[name].fit(examples, settings) for name in names}
    held_out = held_out_examples(arrays, classes)
    candidates = {name: measure(judge, held_out, settings.seed) for name, judge in judges.items()}
    best = max(names, key=lambda name: candidates[name]["mean"])
    if useless := no_better_than_chance(candidates[best]["clean"], len(classes)):
        log.warning("%s: %s", best, useless)
    with atomic_path(out / "weights.safetensors") as temporary:
        save_file(judges[best].tensors(), temporary, metadata={"judge": best})
    measured = {
        "requested": settings.name,
        "candidates": candidates,
        "held_out": {
            "images": len(held_out.images),
            "side": held_out.images.shape[1],
            "noise": f"Gaussian, standard deviation {NOISE_LEVELS} of 255",
            "blur": f"Gaussian, standard deviation {held_out.images.shape[1] * BLUR_SIDE:g} px",
        },
    }
    digests = [folder / DIGESTS for folder in arrays]
    about = describe(settings, inputs=digests, **measured)
    write_manifest(out, about, facts={"name": best, "classes": classes}, of=["weights.safetensors"])


def load_judge(folder: Path, settings: JudgeSettings | None = None) -> Judge:
    """The judge that `train_judge` wrote; by default under the settings it was made with.

    Raises:
        UserError: when the folder holds none, or the weights of another.
    """
    weights = folder / "weights.safetensors"
    for path in (folder / FACTS, weights):
        if not path.exists():
            raise UserError(f"{path}: no judge lies there; make it first")
    facts = read_facts(folder)
    tensors = _read_weights(weights, facts["name"])
    settings = settings or JudgeSettings.model_validate(read_manifest(folder)["settings"])
    return JUDGES[facts["name"]].load(tuple(facts["classes"]), tensors, settings)


def _read_weights(path: Path, judge: str) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            written_by = file.metadata()["judge"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}); delete it, run again") from None
    if written_by != judge:
        raise UserError(f"{path} holds {written_by}, its facts.json names {judge}; delete both, run again")
    return tensors


def measure(judge: Judge, held_out: Examples, seed: int) -> dict[str, float]:
    """Share of held-out images named rightly: clean, noise, blur, and the mean of the three."""
    rng = np.random.default_rng(seed)
    views: dict[str, Callable[[Images], Images]] = {
        "clean": lambda images: images,
        "noise": lambda images: with_noise(images, rng),
        "blur": with_blur,
    }
    shares = {}
    for name, view in views.items():
        named = judge.probabilities(view(held_out.images)).argmax(1)
        shares[name] = float((named == held_out.labels).mean())
    return {**shares, "mean": sum(shares.values()) / len(shares)}


def with_noise(images: Images, rng: np.random.Generator) -> Images:
    """White Gaussian noise on every pixel and channel, rounded and clipped to 0..255."""
    noise = rng.normal(0, NOISE_LEVELS, images.shape)
    return np.rint(images + noise).clip(0, 255).astype(np.uint8)


def with_blur(images: Images) -> Images:
    """Gaussian blur, rounded."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return to_bytes(blurred(x, BLUR_SIDE * images.shape[1]))


def training_examples(arrays: list[Path], classes: list[str], *, wanted: bool) -> Examples:
    """The training images of all splits under global labels; none where no judge learns from them."""
    if not wanted:
        return Examples(np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0, np.int64), tuple(classes))
    images = [np.load(folder / "images.npy") for folder in arrays]
    labels = [global_labels(folder, "labels.npy", classes) for folder in arrays]
    return Examples(np.concatenate(images), np.concatenate(labels), tuple(classes))


def held_out_examples(arrays: list[Path], classes: list[str]) -> Examples:
    """The first held-out images of each class at the training images' size, `MOST_MEASURED` at most."""
    per_class = max(1, MOST_MEASURED // len(classes))
    images, labels = [], []
    for folder in arrays:
        split_labels = global_labels(folder, "held_out_labels.npy", classes)
        chosen = first_of_each(split_labels, per_class)
        stored = np.load(folder / "held_out_images.npy", mmap_mode="r")[chosen]
        side = int(read_facts(folder)["resolution"])
        images.append(to_bytes(resized(stored, side)) if len(stored) else stored[:, :side, :side])
        labels.append(split_labels[chosen])
    held_out = Examples(np.concatenate(images), np.concatenate(labels), tuple(classes))
    if not len(held_out.labels):
        raise UserError("no class has held-out images (val/<class>/*), so no judge can be measured")
    return held_out


def global_labels(folder: Path, file: str, classes: list[str]) -> NDArray[np.int64]:
    """Labels of a split's file, positions in the split -> positions in `classes`."""
    own = read_facts(folder)["classes"]
    return np.array([classes.index(name) for name in own], dtype=np.int64)[np.load(folder / file)]


def first_of_each(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Positions, ascending, of the first `count` of each label."""
    firsts = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(firsts)) if firsts else np.zeros(0, np.int64)
