import numpy as np
import prdc
import pytest
import torch
from sklearn.datasets import load_digits
from torch_fidelity.metric_prc import prc_features_to_metric

from centigan.errors import UserError
from centigan.metrics import manifold as blocks
from centigan.metrics.manifold import manifold, precision_and_recall


def shares(generated: np.ndarray, real: np.ndarray, neighbours: int) -> dict[str, float]:
    return precision_and_recall(manifold(generated, neighbours), manifold(real, neighbours))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels of digits, the generated ones under noise."""
    pixels = load_digits().data.astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 2, (600, 64)).astype(np.float32)
    return pixels[:600] + noise, pixels[600:1500]


def column(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float64)[:, None]


def test_sets_on_a_line_by_hand() -> None:
    """Real balls reach 2, 1, 1 and 7 far; generated ones 1.5, 1.5 and, of the stray one, 17.5."""
    found = shares(column(1, 2.5, 20), column(0, 2, 3, 10), 1)
    assert found == {"precision": 2 / 3, "recall": 1, "density": 1, "coverage": 3 / 4}


def test_a_set_is_precise_varied_dense_and_covered_by_itself() -> None:
    x, _ = digits()
    found = shares(x, x, 5)
    assert found == pytest.approx({"precision": 1, "recall": 1, "density": 1, "coverage": 1})


def test_sets_far_apart_share_nothing() -> None:
    x, _ = digits()
    assert set(shares(x, x + 1000, 3).values()) == {0}


def test_a_collapsed_generator_is_precise_and_recalls_nothing() -> None:
    _, real = digits()
    found = shares(np.repeat(real[:1], 50, axis=0), real, 3)
    assert found["precision"] == 1
    assert found["recall"] == 0
    assert found["coverage"] < 0.05


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_equal_to_prdc(neighbours: int, capsys: pytest.CaptureFixture[str]) -> None:
    generated, real = digits()
    expected = prdc.compute_prdc(real, generated, neighbours)
    assert shares(generated, real, neighbours) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_precision_and_recall_equal_torch_fidelity(neighbours: int) -> None:
    generated, real = digits()
    tensors = [torch.from_numpy(x).double() for x in (generated, real)]
    expected = prc_features_to_metric(*tensors, prc_neighborhood=neighbours, verbose=False)
    found = shares(generated, real, neighbours)
    assert found["precision"] == pytest.approx(expected["precision"], rel=1e-6)  # it averages in float32
    assert found["recall"] == pytest.approx(expected["recall"], rel=1e-6)


def test_an_image_on_the_rim_of_a_ball_is_outside_as_in_prdc_not_as_in_torch_fidelity() -> None:
    real, rim, inside = column(0, 2), column(4, 100, 200), column(4 - 1e-9, 100, 200)
    assert shares(rim, real, 1)["precision"] == 0
    assert shares(inside, real, 1)["precision"] == pytest.approx(1 / 3)
    tensors = [torch.from_numpy(x) for x in (rim, real)]
    theirs = prc_features_to_metric(*tensors, prc_neighborhood=1, verbose=False)
    assert theirs["precision"] == pytest.approx(1 / 3)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generated, real = digits()
    whole = shares(generated, real, 3)
    monkeypatch.setattr(blocks, "BLOCK", 7)
    assert shares(generated, real, 3) == whole


def test_as_many_images_as_neighbours_are_too_few() -> None:
    with pytest.raises(UserError, match=r"distribution\.neighbours = 5 need 6 images, there are 5"):
        manifold(np.zeros((5, 4), np.float32), 5)
