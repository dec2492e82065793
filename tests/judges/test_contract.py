"""What every judge promises, checked for each entry of the table."""

import numpy as np
import pytest
import torch

from centigan.judges import JUDGES, Judge
from centigan.settings.evaluation import JudgeSettings

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8)


@pytest.fixture(params=JUDGES)
def judge(request: pytest.FixtureRequest, judges: dict[str, Judge]) -> Judge:
    return judges[request.param]


def test_each_judge_stands_in_the_table_under_its_own_name() -> None:
    assert {name: judge.name for name, judge in JUDGES.items()} == {name: name for name in JUDGES}


def test_probabilities_of_each_image_sum_to_one(judge: Judge) -> None:
    found = judge.probabilities(IMAGES)
    assert found.shape == (3, len(judge.classes))
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (33, 20), (130, 130)])
def test_any_image_size_is_accepted(judge: Judge, shape: tuple[int, int]) -> None:
    found = judge.probabilities(np.full((1, *shape, 3), 90, np.uint8))
    assert found.shape == (1, len(judge.classes))


def test_the_same_images_give_the_same_answer(judge: Judge) -> None:
    np.testing.assert_array_equal(judge.probabilities(IMAGES), judge.probabilities(IMAGES))


def test_an_image_is_judged_alone(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    together = judge.probabilities(IMAGES)
    np.testing.assert_allclose(together[1:2], judge.probabilities(IMAGES[1:2]), atol=1e-4)
    monkeypatch.setitem(vars(judge.network), "batch", 2)  # fewer than there are images
    np.testing.assert_allclose(judge.probabilities(IMAGES), together, atol=1e-4)


def test_the_callers_images_are_left_as_they_are(judge: Judge) -> None:
    images = IMAGES[:1].copy()
    judge.probabilities(images)
    np.testing.assert_array_equal(images, IMAGES[:1])


def test_features_are_as_wide_as_the_network_says_and_alike_for_the_judge_and_its_network(
    judge: Judge,
) -> None:
    features = judge.network.features(IMAGES)
    assert features.shape == (3, judge.network.width)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, judge.network.features(IMAGES))
    assert judge.network.logits(features).shape[0] == 3


def test_no_images_have_no_features(judge: Judge) -> None:
    assert judge.network.features(IMAGES[:0]).shape == (0, judge.network.width)


def test_a_judge_is_what_its_tensors_say(judge: Judge, inception_weights: dict[str, str]) -> None:
    tensors = {name: value.clone() for name, value in judge.tensors().items()}
    settings = JudgeSettings(weights=inception_weights.get(judge.name))
    again = JUDGES[judge.name].load(judge.classes, tensors, settings)
    np.testing.assert_array_equal(again.probabilities(IMAGES), judge.probabilities(IMAGES))


def test_judging_leaves_torchs_own_random_numbers_alone(judge: Judge) -> None:
    before = torch.get_rng_state()
    judge.probabilities(IMAGES[:1])
    assert torch.equal(torch.get_rng_state(), before)
