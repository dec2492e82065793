"""What a training begins with beside its images: networks of another experiment, and captions."""

from pathlib import Path

import numpy as np

from centigan.data.caption_vectors import CaptionVectors
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import DIGESTS, read_digests, read_manifest, sha256
from centigan.settings.families import OfModel
from centigan.settings.families.contract import ByCaption
from centigan.settings.stages import TrainStage
from centigan.types import Family, Starts


def networks_begun_with(family: Family, layout: Layout, split: str, stage: TrainStage) -> list[Path]:
    """The networks of another experiment that this training begins with; none for most families."""
    if not (stage.model.parent and isinstance(family, Starts)):
        return []
    folder = Layout(stage.model.parent, layout.root).train(split)
    made_with = OfModel.model_validate({"model": read_manifest(folder)["settings"]["model"]})
    if made_with != OfModel.model_validate({"model": stage.model.model_dump()["decoder"]}):
        raise UserError(
            f"{folder} was trained with another model than {stage.model.parent} has now; train it again first"
        )
    files = [folder / f"{name}.safetensors" for name in family.started]
    digests = read_digests(folder / DIGESTS)
    for file in files:
        if digests.get(file.name) != sha256(file):
            raise UserError(f"{file} is not what {DIGESTS} beside it says: damaged; train it again")
    return files


def captions_learnt_by(layout: Layout, split: str, stage: TrainStage) -> CaptionVectors | None:
    """The captions that the images are given with, of a family that learns by them."""
    if not isinstance(stage.model, ByCaption):
        return None
    images = len(np.load(layout.arrays(split) / "labels.npy", mmap_mode="r"))
    return CaptionVectors(layout.captions(split), stage.model.captions_averaged, images=images)
