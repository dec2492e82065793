"""The smallest settings that exercise every stage."""

from pathlib import Path

from centigan.params import PROTOCOL_FILE
from centigan.settings.stages import ArraysStage, SampleStage, TrainStage

CLASSES = ("cat", "dog", "eel", "fox")
TRAIN = TrainStage.model_validate(
    {
        "model": {"width": 0.1},
        "train": {
            "batch_size": 4,
            "iterations": 6,
            "log_every": 2,
            "checkpoint_every": 2,
            "snapshot_every": 3,
            "snapshot_per_class": 2,
        },
    }
)
SAMPLE = SampleStage.model_validate({"model": TRAIN.model.model_dump(), "sample": {"per_class": 3}})
ARRAYS = ArraysStage.model_validate({"arrays": {"resolution": 32}})
# The whole pipeline, as the files of a protocol and of an experiment.
TINY_PROTOCOL = """
data: {source: digits, root: data/raw/digits, classes: 10, split_size: 5, per_class: 20}
arrays: {resolution: 32}
sample: {per_class: 12, fresh_per_class: 4}
judge: {name: small-cnn, steps: 4}
ms_ssim: {pairs: 4}
features: {network: judge}
distribution: {kid_subsets: 4, kid_subset_size: 20, neighbours: 2}
neighbours: {per_class: 3, ms_ssim_per_class: 1, permutations: 50}
latent: {walks: 1, steps: 4, styles: 2}
"""
TINY = """
model: {width: 0.1}
train: {batch_size: 10, iterations: 8, log_every: 2, checkpoint_every: 4, snapshot_every: 4,
        snapshot_per_class: 2}
"""


def write_experiment(project: Path, name: str, text: str = TINY, protocol: str = TINY_PROTOCOL) -> Path:
    """Write an experiment's file, and its protocol's where there is none; the experiment's."""
    file = project / "experiments" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not (shared := file.with_name(PROTOCOL_FILE)).exists():
        shared.write_text(protocol)
    file.write_text(text)
    return file
