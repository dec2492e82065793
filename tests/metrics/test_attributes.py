"""Attributes as asked: counted by hand."""

import pandas as pd
import pytest

from centigan.catalogue import METRICS, has_of_data, subject_of, why_not
from centigan.metrics.attributes import found
from centigan.reporting.scores import attributes_summary
from centigan.settings.data import ContentSettings
from centigan.settings.families.cgan import CganConfig
from centigan.settings.families.vae import VaeConfig

ASKED = ["red_circle_large"] * 4 + ["blue_square_small"] * 2
NAMED = [
    "red_circle_large",
    "red_circle_small",
    "red_square_large",
    "blue_circle_large",
    "blue_square_small",
    "green_triangle_large",
]


def counts() -> pd.DataFrame:
    return found(ASKED, NAMED, {"blue_square_small"})


def test_each_attribute_is_right_for_itself() -> None:
    right = counts().set_index(["class_id", "attribute"])["correct"].to_dict()
    of_red = {"colour": 3, "shape": 3, "size": 3, "all": 1}
    assert {key: right["red_circle_large", key] for key in of_red} == of_red
    assert {key: right["blue_square_small", key] for key in of_red} == dict.fromkeys(of_red, 1)
    assert set(counts()["count"]) == {4, 2}


def test_combinations_that_were_not_learnt_stand_apart() -> None:
    numbers = attributes_summary(counts().assign(source="generated"))
    assert numbers["attributes/generated/seen/colour"] == pytest.approx(3 / 4)
    assert numbers["attributes/generated/seen/all"] == pytest.approx(1 / 4)
    assert numbers["attributes/generated/unseen/size"] == pytest.approx(1 / 2)


def test_a_class_with_more_images_weighs_no_more() -> None:
    numbers = attributes_summary(found(ASKED, NAMED, set()).assign(source="held_out"))
    assert numbers["attributes/held_out/seen/all"] == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert not any("unseen" in name for name in numbers)


def test_only_models_that_draw_a_class_of_attributes_are_asked() -> None:
    of_shapes, of_digits = (has_of_data(ContentSettings(source=name)) for name in ("shapes", "digits"))
    metric = METRICS["attributes"]
    assert why_not(metric, subject_of(CganConfig(), classes_of_a_split=36, data=of_shapes)) is None
    assert why_not(metric, subject_of(CganConfig(), classes_of_a_split=10, data=of_digits)) is not None
    assert why_not(metric, subject_of(VaeConfig(), classes_of_a_split=36, data=of_shapes)) is not None
