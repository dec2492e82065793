"""The settings that identify a training: a change here trains every split anew, everywhere."""

import json
from pathlib import Path

import pytest

from centigan import params
from centigan.settings.stages import ArraysStage, JudgeStage, TrainStage
from centigan.settings.training import SupervisionSettings

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).parent / "train_stages.json"  # by experiment


@pytest.mark.parametrize("experiment", json.loads(PINNED.read_text()))
def test_a_training_is_identified_by_the_same_json(experiment: str) -> None:
    pinned = json.loads(PINNED.read_text())[experiment]
    settings = params.load(experiment, ROOT)
    assert params.canonical_json(params.stage(settings, TrainStage)) == pinned


def test_every_experiment_that_ships_is_pinned() -> None:
    assert sorted(json.loads(PINNED.read_text())) == sorted(params.experiments_of(ROOT))


def test_labels_that_a_training_does_not_see_identify_it() -> None:
    settings = params.load("digits/acgan", ROOT)
    few = settings.model_copy(update={"supervision": SupervisionSettings(labelled_per_class=4)})
    assert "supervision" not in params.canonical_json(params.stage(settings, TrainStage))
    assert '"supervision": {"labelled_per_class": 4, "seed": 0}' in params.canonical_json(
        params.stage(few, TrainStage)
    )


def test_settings_that_came_later_are_left_out_while_they_have_their_default() -> None:
    arrays, judge = ArraysStage.model_validate({"arrays": {}}), JudgeStage.model_validate({"judge": {}})
    assert "channels" not in params.canonical_json(arrays)
    assert "steps" not in params.canonical_json(judge)
    fewer = JudgeStage.model_validate({"judge": {"steps": 4}})
    assert '"steps": 4' in params.canonical_json(fewer)
