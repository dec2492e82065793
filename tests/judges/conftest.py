"""Real digits as arrays folders, and every judge that can be made offline."""

from pathlib import Path

import numpy as np
import pytest
import torch
from built_once import built_once
from sklearn.datasets import load_digits
from torch import nn
from torchvision.models import inception_v3

from centigan.judges import JUDGES, Judge, train_judge
from centigan.judges.choose import held_out_examples, training_examples
from centigan.judges.imagenet import CLASSES
from centigan.manifest import write_manifest
from centigan.settings.evaluation import JudgeSettings

DIGITS = [str(digit) for digit in range(10)]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Arrays of the first 120 of each digit, every fifth held out, 16 px and 32 px, 2 splits of 5."""
    root = tmp_path_factory.mktemp("arrays")
    source = load_digits()
    levels = np.rint(source.images * (255 / 16)).astype(np.uint8)
    rgb = np.repeat(levels[..., None], 3, axis=3)  # (N, 8, 8, 3)
    held_out = np.arange(120) % 5 == 0
    for split in range(2):
        folder = root / f"{split:02d}"
        folder.mkdir()
        own = range(5 * split, 5 * split + 5)
        for prefix, mask, scale in (("", ~held_out, 2), ("held_out_", held_out, 4)):
            images = np.concatenate([rgb[source.target == digit][:120][mask] for digit in own])
            np.save(folder / f"{prefix}images.npy", images.repeat(scale, axis=1).repeat(scale, axis=2))
            np.save(folder / f"{prefix}labels.npy", np.repeat(np.arange(5), mask.sum()).astype(np.int16))
        facts = {"classes": [str(digit) for digit in own], "resolution": 16}
        write_manifest(folder, {}, facts=facts, of=[file.name for file in folder.glob("*.npy")])
    return [root / "00", root / "01"]


@pytest.fixture(scope="session")
def chosen(digits: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the judge that `auto` chose for the digits."""

    def choose(folder: Path) -> None:
        folder.mkdir()
        train_judge(digits, JudgeSettings(name="auto"), folder)

    return built_once(tmp_path_factory, "chosen_judge", choose)


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Random weights in the format of either Inception's file; the names in both are torchvision's."""
    files = {
        "inception-v3": ("inception_v3_google-0cc3c7bd.pth", {"aux_logits": True}),
        "inception-2015": (
            "weights-inception-2015-12-05-6726825d.pth",
            {"num_classes": 1008, "aux_logits": False},
        ),
    }

    def write(folder: Path) -> None:
        folder.mkdir()
        for file, layers in files.values():
            torch.save(_random_state(inception_v3(weights=None, init_weights=False, **layers)), folder / file)

    folder = built_once(tmp_path_factory, "weights", write)
    return {name: str(folder / file) for name, (file, _) in files.items()}


def _random_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights under which activations neither vanish nor grow from layer to layer."""
    rng = torch.Generator().manual_seed(0)
    for weight in (p for p in network.parameters() if p.ndim > 1):
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
    return network.state_dict()


@pytest.fixture(scope="session")
def judges(digits: list[Path], inception_weights: dict[str, str]) -> dict[str, Judge]:
    """One of every entry of JUDGES; the trained ones have seen a few digits only."""
    few = training_examples(digits, DIGITS, wanted=True)
    few = few._replace(images=few.images[::24, ::2, ::2], labels=few.labels[::24])
    imagenet = held_out_examples(digits, DIGITS)._replace(classes=CLASSES)
    return {
        name: judge.fit(few if judge.learns else imagenet, JudgeSettings(weights=inception_weights.get(name)))
        for name, judge in JUDGES.items()
    }
