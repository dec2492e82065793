from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from both_parts import both_parts
from sklearn.datasets import load_digits
from stored_features import CLASSES, PER_CLASS, SPLITS, drop, store

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.classification import (
    evenly,
    images_of_each_class,
    learn_and_name,
    measure,
)
from centigan.metrics.features import read_all_features
from centigan.metrics.labels import right_answers
from centigan.settings.evaluation import ClassificationSettings


@pytest.fixture
def experiment(tmp_path: Path) -> Layout:
    return store(tmp_path)


def measured(layout: Layout, per_class: int = 100) -> pd.DataFrame:
    return both_parts("classification", layout, list(SPLITS), ClassificationSettings(per_class=per_class))


def test_samples_of_the_true_classes_teach_as_well_as_real_images(experiment: Layout) -> None:
    table = measured(experiment)
    assert list(table.columns) == ["class_id", "trained_on", "correct", "count"]
    assert table["class_id"].tolist() == CLASSES * 2
    assert table["trained_on"].tolist() == ["generated"] * 4 + ["training"] * 4
    assert (table["count"] == PER_CLASS["held_out"]).all()
    assert (table["correct"] == PER_CLASS["held_out"]).all()


def test_a_generator_that_confuses_two_classes_teaches_them_wrongly(experiment: Layout) -> None:
    path = experiment.features("01") / "generated.npy"
    np.save(path, np.load(path)[::-1])
    correct = measured(experiment).set_index(["trained_on", "class_id"])["correct"]
    assert correct["generated"].to_dict() == {"ape": 10, "bee": 10, "cow": 0, "doe": 0}
    assert correct["training"].to_dict() == dict.fromkeys(CLASSES, 10)


def test_classes_of_all_splits_compete() -> None:
    """All ten digits at once, by their pixels."""
    pixels, digits = load_digits(return_X_y=True)
    names = digits.astype(str).astype(object)
    taught, asked = slice(0, 1000), slice(1000, None)
    named = learn_and_name(pixels[taught].astype(np.float32), names[taught], pixels[asked].astype(np.float32))
    table = right_answers(named, names[asked])
    assert table["class_id"].tolist() == list("0123456789")
    assert table["count"].sum() == 797
    assert table["correct"].sum() / table["count"].sum() > 0.9


def test_real_images_are_as_many_as_generated_ones_evenly_from_the_file() -> None:
    class_ids = np.array(["a"] * 10 + ["b"] * 3, dtype=object)
    assert evenly(class_ids, {"a": 4, "b": 3}).tolist() == [0, 2, 5, 7, 10, 11, 12]


def test_either_kind_teaches_as_many_images_of_a_class_and_no_more_than_set(experiment: Layout) -> None:
    drop(experiment, "00", "generated", 0, keep=2)
    drop(experiment, "01", "training", 1, keep=4)
    kinds = read_all_features(experiment, list(SPLITS), ["generated", "training", "held_out"])
    assert images_of_each_class(kinds, 5) == {"ape": 2, "bee": 5, "cow": 5, "doe": 4}
    assert images_of_each_class(kinds, 1000) == {"ape": 2, "bee": 20, "cow": 20, "doe": 4}


@pytest.mark.parametrize(
    ("source", "word"), [("generated", "generated"), ("training", "training"), ("held_out", "held-out")]
)
def test_a_class_without_images_of_a_kind_is_named(source: str, word: str, experiment: Layout) -> None:
    drop(experiment, "01", source, 1, keep=0)
    with pytest.raises(UserError, match=f"class doe has no {word} image"):
        measured(experiment)


def test_a_single_class_is_no_choice(experiment: Layout) -> None:
    for source in PER_CLASS:
        drop(experiment, "00", source, 1, keep=0)
    with pytest.raises(UserError, match="needs two classes, there is 1"):
        measure(experiment, ["00"], ClassificationSettings())
