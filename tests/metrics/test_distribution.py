from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from both_parts import both_parts
from stored_features import PER_CLASS, SPLITS, features_of, store

from centigan.errors import UserError
from centigan.metrics.distribution import described
from centigan.metrics.frechet import frechet_distance, gaussian
from centigan.metrics.kernel import kernel_distances
from centigan.metrics.manifold import manifold, precision_and_recall
from centigan.settings.evaluation import DistributionSettings

SETTINGS = DistributionSettings(kid_subsets=4, kid_subset_size=30, neighbours=3)
METRICS = ["fid", "kid", "precision", "recall", "density", "coverage"]


def measured(root: Path, settings: DistributionSettings = SETTINGS) -> pd.DataFrame:
    layout = store(root)
    return both_parts("distribution", layout, list(SPLITS), settings)


def test_generated_and_held_out_images_are_compared_with_the_training_images(tmp_path: Path) -> None:
    table = measured(tmp_path)
    assert list(table.columns) == ["source", "metric", "value", "std", "training", "images"]
    assert table.groupby("source")["metric"].apply(list).to_dict() == {
        "generated": METRICS,
        "held_out": METRICS,
    }
    assert np.isfinite(table["value"]).all()
    assert table["std"].notna().tolist() == [metric == "kid" for metric in table["metric"]]
    assert (table["training"] == 4 * PER_CLASS["training"]).all()
    counts = table.groupby("source")["images"].unique().map(list).to_dict()
    assert counts == {"generated": [4 * PER_CLASS["generated"]], "held_out": [4 * PER_CLASS["held_out"]]}


def test_the_values_are_the_formulas_of_all_splits_features_together(tmp_path: Path) -> None:
    found = measured(tmp_path).set_index(["source", "metric"])["value"]
    again = store(tmp_path / "again")
    real, generated = (
        np.concatenate([np.load(features_of(again, split, source)) for split in SPLITS])
        for source in ("training", "generated")
    )
    expected = {
        "fid": frechet_distance(gaussian(generated), gaussian(real)),
        "kid": kernel_distances(generated, real, SETTINGS).mean(),
        **precision_and_recall(manifold(generated, 3), manifold(real, 3)),
    }
    assert found["generated"].to_dict() == pytest.approx(expected, rel=1e-12)


def test_the_four_of_neighbours_take_no_more_images_than_set_and_say_so(tmp_path: Path) -> None:
    table = measured(tmp_path, SETTINGS.model_copy(update={"manifold_images": 50}))
    counts = table.set_index(["source", "metric"])[["training", "images"]]
    assert counts.loc[("generated", "recall")].tolist() == [50, 50]
    assert counts.loc[("held_out", "recall")].tolist() == [50, 40]
    assert counts.loc[("generated", "fid")].tolist() == [120, 80]


def test_the_seed_chooses_those_images() -> None:
    features = np.arange(200, dtype=np.float32).reshape(100, 2)

    def chosen(seed: int, word: str) -> list[list[float]]:
        settings = DistributionSettings(manifold_images=20, seed=seed)
        return described(features, settings, word)[1].points.tolist()

    assert chosen(0, "training") == chosen(0, "training") == sorted(chosen(0, "training"))
    assert chosen(0, "training") != chosen(1, "training")
    assert chosen(0, "training") != chosen(0, "generated")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kid_subset_size": 81}, r"^generated, training: .*kid_subset_size = 81 images, of 80"),
        ({"kid_subset_size": 41}, r"^held_out, training: .*kid_subset_size = 41 images, of 40"),
        ({"neighbours": 40}, r"^held_out: .*distribution\.neighbours = 40 need 41 images, there are 40"),
    ],
)
def test_settings_that_ask_for_more_images_than_there_are_are_named(
    change: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        measured(tmp_path, SETTINGS.model_copy(update=change))
