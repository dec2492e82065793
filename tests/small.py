"""The smallest settings that exercise every stage."""

from centigan.settings import ArraysStage, SampleStage, TrainStage

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
