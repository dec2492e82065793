"""The smallest settings that exercise every stage."""

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
# The whole pipeline, as an experiment's file.
TINY = """
data: {source: digits, root: data/raw/digits, classes: 10, split_size: 5, per_class: 20}
arrays: {resolution: 32}
model: {width: 0.1}
train: {batch_size: 10, iterations: 8, log_every: 2, checkpoint_every: 4, snapshot_every: 4,
        snapshot_per_class: 2}
sample: {per_class: 12, fresh_per_class: 4}
judge: {name: small-cnn}
ms_ssim: {pairs: 4}
features: {network: judge}
distribution: {kid_subsets: 4, kid_subset_size: 20, neighbours: 2}
neighbours: {per_class: 3, ms_ssim_per_class: 1, permutations: 50}
latent: {walks: 1, steps: 4, styles: 2}
"""
