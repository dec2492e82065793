"""How long one split's evaluation takes, and where the time goes: 10 classes, everything that is measured.

    python benchmarks/evaluation.py [--resolution 128] [--train 1300] [--samples 1000] [--network NAME]

Real images are random crops of the embedded photographs, samples come from a generator of the paper's size
that was never trained: what is computed does not depend on what the pictures show. Every step is the command
that the pipeline runs, in a temporary folder. `small-cnn` judges the accuracy, --network makes the features.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from centigan.catalogue import METRICS
from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.families import build
from centigan.layout import Layout
from centigan.manifest import write_manifest
from centigan.settings import Settings

CLASSES = sorted(PHOTOGRAPHS)[:10]
HELD_OUT = 50  # of a class, as in ImageNet
STEPS = {  # the command, and whether it is of a split
    "sample": True,
    "latent": True,
    "judge": False,
    "features --real": True,
    "features": True,
}
for name, metric in METRICS.items():
    if name != "ms_ssim_in_training":  # nothing is trained
        STEPS[f"measure {name}"] = metric.per == "split"
    if metric.of_real:
        STEPS[f"measure --real {name}"] = metric.per == "split"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--train", type=int, default=1300, help="training images of a class")
    parser.add_argument("--samples", type=int, default=1000, help="samples of a class")
    parser.add_argument("--network", default="efficientnet-lite0")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        settings = write_project(project, words)
        write_split(Layout("split", project), settings, words)
        seconds = {verb: timed(project, verb, of_split) for verb, of_split in STEPS.items()}
    total = sum(seconds.values())
    for verb, took in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{verb:32} {took:7.1f} s  {took / total:6.1%}")
    cores = len(os.sched_getaffinity(0))
    print(f"{'in all':32} {total:7.1f} s  on {cores} cores; {words}")


def write_project(project: Path, words: argparse.Namespace) -> Settings:
    """params.yaml and the experiment's file."""
    own = {
        "data": {"classes": len(CLASSES), "split_size": len(CLASSES)},
        "arrays": {"resolution": words.resolution},
        "sample": {"per_class": words.samples},
        "judge": {"name": "small-cnn"},
        "features": {"network": words.network},
        "distribution": {"kid_subset_size": min(500, HELD_OUT * len(CLASSES))},
    }
    (project / "experiments").mkdir()
    (project / "experiments" / "split.yaml").write_text(yaml.safe_dump(own))
    (project / "params.yaml").write_text("experiment: split\n")
    return Settings.model_validate({"experiment": "split", **own})


def write_split(layout: Layout, settings: Settings, words: argparse.Namespace) -> None:
    """What precedes the evaluation: arrays of crops, and an untrained generator."""
    pixels, arrays, trained = np.random.default_rng(0), layout.arrays("00"), layout.train("00")
    arrays.mkdir(parents=True)
    trained.mkdir(parents=True)
    for prefix, count, side in (
        ("", words.train, words.resolution),
        ("held_out_", HELD_OUT, 2 * words.resolution),
    ):
        crops = [crop(name, side, pixels) for name in CLASSES for _ in range(count)]
        np.save(arrays / f"{prefix}images.npy", np.stack(crops))
        np.save(arrays / f"{prefix}labels.npy", np.repeat(np.arange(len(CLASSES)), count).astype(np.int16))
    facts = {"classes": CLASSES, "resolution": words.resolution}
    write_manifest(arrays, facts, of=[file.name for file in arrays.glob("*.npy")])
    family = build(
        settings.model,
        classes=len(CLASSES),
        resolution=words.resolution,
        rng=torch.Generator().manual_seed(0),
    )
    for name, network in family.networks.items():
        save_file(
            {k: v.contiguous() for k, v in network.state_dict().items()}, trained / f"{name}.safetensors"
        )
    write_manifest(trained, facts, of=[file.name for file in trained.glob("*.safetensors")])


@cache
def photograph(name: str) -> Image.Image:
    return Image.open(packaged(*PHOTOGRAPHS[name])).convert("RGB")


def crop(name: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random square of a photograph, of `side` pixels."""
    picture = photograph(name)
    width = int(rng.integers(96, 200))
    left, top = (int(rng.integers(0, size - width)) for size in picture.size)
    return np.asarray(
        picture.resize((side, side), Image.Resampling.BICUBIC, (left, top, left + width, top + width))
    )


def timed(project: Path, verb: str, of_split: bool) -> float:
    command = [sys.executable, "-c", "from centigan.cli import main; main()", *verb.split()]
    start = time.perf_counter()
    subprocess.run([*command, *(["-s", "0"] if of_split else [])], cwd=project, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
