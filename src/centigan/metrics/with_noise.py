"""FID, precision, recall and Inception score of samples with the decoder's noise.

A VAE's samples are its decoder's means; the model whose likelihood is bounded draws noise around them. Of a
decoder behind a strong flow the means may be one image, f^-1(mu), while draws, f^-1(mu + sigma eps), are as
varied as the data. So such families have both numbers: `fid/generated` of means, and these of draws, as many
as there are samples, compared with the same training images in the same way (`distribution`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges.extractor import load_extractor
from centigan.layout import WHOLE, Layout
from centigan.manifest import read_manifest
from centigan.metrics.distribution import described
from centigan.metrics.features import read_features
from centigan.metrics.frechet import frechet_distance
from centigan.metrics.inception_score import inception_score
from centigan.metrics.manifold import precision_and_recall
from centigan.seeds import counter_seed
from centigan.settings.families import OfModel
from centigan.settings.families.contract import FamilySettings
from centigan.settings.stages import WithNoiseStage
from centigan.sheets import Images
from centigan.trained import trained_family
from centigan.types import Given, Noisy, labels_of, to_file

CHUNK = 250  # images a forward pass; part of what the seed means
CPU = torch.device("cpu")
COLUMNS = ("metric", "value", "training", "images")


def measure(
    layout: Layout, splits: Sequence[str], stage: WithNoiseStage, *, device: torch.device = CPU
) -> None:
    """Write metrics/with_noise/all.parquet: columns are COLUMNS.

    Raises:
        UserError: for a family without such noise.
    """
    extractor = load_extractor(stage.features, layout.judge)
    drawn = [noisy_samples(layout, split, stage, device) for split in splits]
    features = np.concatenate([extractor.features(images) for images in drawn])
    real = read_features(layout, splits, "training").features
    of_real, balls = described(real, stage.distribution, "training")
    own, own_balls = described(features, stage.distribution, "with_noise")
    rows = {
        "fid": frechet_distance(own, of_real),
        "inception_score": inception_score(extractor.logits(features)),  # all in one group
        **precision_and_recall(own_balls, balls),
    }
    table = pd.DataFrame(rows.items(), columns=["metric", "value"])
    of_all = table["metric"].isin(["fid", "inception_score"])
    table["training"] = np.where(of_all, len(real), len(balls.points))
    table["images"] = np.where(of_all, len(features), len(own_balls.points))
    with atomic_path(layout.metric("with_noise", WHOLE)) as temporary:
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def noisy_samples(layout: Layout, split: str, stage: WithNoiseStage, device: torch.device) -> Images:
    """uint8 (K n, H, W, 3): as many as the samples, with noise."""
    model = _model_of(layout, split)
    family, classes, _ = trained_family(layout, split, model, device)
    if not isinstance(family, Noisy):
        raise UserError(f"split {split}: {model.title} has a decoder without noise")
    labels = labels_of(model.groups(classes), classes, stage.sample.per_class)
    noise = torch.Generator().manual_seed(counter_seed(stage.sample.seed, split, "with_noise"))
    parts = (family.sample_noisy(Given(part.to(device)), noise) for part in labels.split(CHUNK))
    chunks = [to_file(images, f"split {split}: the decoder").cpu() for images in parts]
    return torch.cat(chunks).numpy()


def _model_of(layout: Layout, split: str) -> FamilySettings:
    """The model that the split was trained with: splits may have settings of their own."""
    settings = read_manifest(layout.train(split))["settings"]
    return OfModel.model_validate({"model": settings["model"]}).model
