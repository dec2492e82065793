"""Samples with the decoder's noise are compared as all samples are."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from stored_features import SPLITS, features_of, store

from centigan.errors import UserError
from centigan.judges.extractor import load_extractor
from centigan.layout import WHOLE, Layout
from centigan.metrics.frechet import frechet_distance, gaussian
from centigan.metrics.inception_score import inception_score
from centigan.metrics.manifold import manifold, precision_and_recall
from centigan.metrics.with_noise import COLUMNS, measure
from centigan.reporting.scores import with_noise_summary
from centigan.settings.evaluation import DistributionSettings, FeatureSettings
from centigan.settings.families.cq import CqConfig
from centigan.settings.stages import WithNoiseStage
from centigan.settings.training import SampleSettings
from centigan.types import Given, Shape, to_network

STAGE = WithNoiseStage(
    model=CqConfig(),
    sample=SampleSettings(per_class=8),
    features=FeatureSettings(network="efficientnet-lite0"),
    distribution=DistributionSettings(neighbours=3),
)


class Drawing:
    """Draws by chance what nobody else can draw."""

    def __init__(self) -> None:
        self.drawn: list[np.ndarray] = []

    def sample_noisy(self, wanted: Given, rng: torch.Generator) -> torch.Tensor:
        assert (wanted.labels == -1).all()
        bytes_of = torch.randint(256, (len(wanted.labels), 32, 32, 3), generator=rng, dtype=torch.uint8)
        self.drawn.append(bytes_of.numpy())
        return to_network(bytes_of)


class Plain:
    """Draws without noise."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = store(tmp_path)
    layout.metric("with_noise", WHOLE).parent.mkdir(parents=True, exist_ok=True)
    for latent, split in enumerate(SPLITS, 3):  # each of a model of its own
        layout.train(split).mkdir(parents=True, exist_ok=True)
        model = {"family": "cq", "latent": latent}
        (layout.train(split) / "manifest.json").write_text(json.dumps({"settings": {"model": model}}))
    return layout


def test_draws_of_all_splits_are_compared_with_the_training_images(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, asked = Drawing(), []

    def trained(layout: Layout, split: str, model: CqConfig, device: torch.device) -> tuple:
        asked.append((split, model.latent))
        return family, ["ape", "bee"], Shape(2, 32)

    monkeypatch.setattr("centigan.metrics.with_noise.trained_family", trained)
    measure(layout, list(SPLITS), STAGE)
    assert asked == [("00", 3), ("01", 4)]  # a split's own model
    table = pd.read_parquet(layout.metric("with_noise", WHOLE))
    assert tuple(table.columns) == COLUMNS
    values = with_noise_summary(table)

    first, second = family.drawn
    assert len(first) == len(second) == 16  # as many as samples: 8 of each class
    assert not np.array_equal(first, second)  # a split draws its own
    extractor = load_extractor(STAGE.features, layout.judge)
    features = np.concatenate([extractor.features(first), extractor.features(second)])
    real = np.concatenate([np.load(features_of(layout, split, "training")) for split in SPLITS])
    assert values["with_noise/fid"] == pytest.approx(
        frechet_distance(gaussian(features), gaussian(real)), rel=1e-6
    )
    assert values["with_noise/inception_score"] == pytest.approx(inception_score(extractor.logits(features)))
    shares = precision_and_recall(manifold(features, 3), manifold(real, 3))
    assert {f"with_noise/{name}": share for name, share in shares.items()}.items() <= values.items()
    counts = table.set_index("metric")[["training", "images"]]
    assert counts.loc["fid"].tolist() == [len(real), 32]


def test_a_family_without_noise_is_named(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = Plain(), ["ape", "bee"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.with_noise.trained_family", lambda *_: trained)
    with pytest.raises(UserError, match="split 00: CQ has a decoder without noise"):
        measure(layout, list(SPLITS), STAGE)
