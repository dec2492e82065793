from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from both_parts import both_parts
from stored_features import PER_CLASS, drop, features_of, store

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.frechet import frechet_distance, gaussian
from centigan.settings.evaluation import DistributionSettings

SETTINGS = DistributionSettings(neighbours=3)
COLUMNS = ["class_id", "source", "fid", "precision", "recall", "density", "coverage", "training", "images"]


@pytest.fixture
def experiment(tmp_path: Path) -> Layout:
    return store(tmp_path)


def measured(layout: Layout) -> pd.DataFrame:
    return both_parts("intra_class", layout, "01", SETTINGS)


def test_every_class_is_compared_with_its_own_training_images(experiment: Layout) -> None:
    table = measured(experiment)
    assert list(table.columns) == COLUMNS
    rows = table[["class_id", "source"]].to_numpy().tolist()
    assert rows == [[name, source] for source in ("generated", "held_out") for name in ("cow", "doe")]
    assert (table["training"] == PER_CLASS["training"]).all()
    assert table["images"].tolist() == [PER_CLASS["generated"]] * 2 + [PER_CLASS["held_out"]] * 2


def test_the_fid_is_that_of_the_class_alone(experiment: Layout) -> None:
    found = measured(experiment).set_index(["class_id", "source"])["fid"]["doe", "generated"]
    real, generated = (np.load(features_of(experiment, "01", name)) for name in ("training", "generated"))
    expected = frechet_distance(
        gaussian(generated[PER_CLASS["generated"] :]), gaussian(real[PER_CLASS["training"] :])
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_generator_that_confuses_its_classes_stands_out(experiment: Layout) -> None:
    honest = measured(experiment).set_index(["class_id", "source"])
    path = experiment.features("01") / "generated.npy"
    np.save(path, np.load(path)[::-1])
    confused = measured(experiment).set_index(["class_id", "source"])
    for class_id in ("cow", "doe"):
        change = confused.loc[(class_id, "generated"), "fid"] - honest.loc[(class_id, "generated"), "fid"]
        assert change > 100  # 2 * 1280 * 0.3^2 = 230 between two centres, but for chance
    held_out = honest.xs("held_out", level="source")
    pd.testing.assert_frame_equal(held_out, confused.xs("held_out", level="source"))


@pytest.mark.parametrize(
    ("source", "keep", "message"),
    [
        ("training", 0, "class doe, training: FID needs 2 images, there is 0"),
        ("generated", 1, "class doe, generated: FID needs 2 images, there is 1"),
        ("held_out", 3, r"class doe, held_out: .*distribution\.neighbours = 3 need 4 images, there are 3"),
    ],
)
def test_a_class_with_too_few_images_is_named_with_what_it_needs(
    source: str, keep: int, message: str, experiment: Layout
) -> None:
    drop(experiment, "01", source, 1, keep=keep)
    with pytest.raises(UserError, match=message):
        measured(experiment)
