"""What every number on features must fulfil, whatever its formula."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from stored_features import SPLITS, store

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics import classification, distribution, intra_class
from centigan.metrics import inception_score as score_of_sets
from centigan.metrics.classification import learn_and_name
from centigan.metrics.frechet import frechet_distance, gaussian
from centigan.metrics.inception_score import inception_score
from centigan.metrics.kernel import kernel_distances
from centigan.metrics.manifold import manifold, precision_and_recall
from centigan.settings.evaluation import ClassificationSettings, DistributionSettings, InceptionScoreSettings

COUNT, WIDTH = 60, 12
NEIGHBOURS = 5
SETTINGS = DistributionSettings(kid_subsets=3, kid_subset_size=COUNT, neighbours=NEIGHBOURS)


def share(name: str) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda generated, real: precision_and_recall(
        manifold(generated, NEIGHBOURS), manifold(real, NEIGHBOURS)
    )[name]


def taught_and_asked(generated: np.ndarray, real: np.ndarray) -> float:
    """Share of real images whose half, dark or light, is named as the generated ones teach it."""
    halves = (x.mean(1) < np.median(x.mean(1)) for x in (generated, real))
    taught, asked = (np.where(half, "dark", "light").astype(object) for half in halves)
    return float((learn_and_name(generated, taught, real) == asked).mean())


class Number(NamedTuple):
    """A number of generated and real features."""

    of: Callable[[np.ndarray, np.ndarray], float]
    least: int  # images of either kind that it needs
    limits: tuple[float, float]  # of a set against itself, where algebra says so


NUMBERS = {
    "inception_score": Number(lambda generated, real: inception_score(generated), 1, (1, WIDTH)),
    "fid": Number(lambda generated, real: frechet_distance(gaussian(generated), gaussian(real)), 2, (0, 0)),
    # against itself the unbiased estimate leaves the diagonal out on one side alone: below 0
    "kid": Number(lambda generated, real: kernel_distances(generated, real, SETTINGS).mean(), COUNT, (-1, 0)),
    "precision": Number(share("precision"), NEIGHBOURS + 1, (1, 1)),
    "recall": Number(share("recall"), NEIGHBOURS + 1, (1, 1)),
    "density": Number(share("density"), NEIGHBOURS + 1, (1, 1)),
    "coverage": Number(share("coverage"), NEIGHBOURS + 1, (1, 1)),
    "classification": Number(taught_and_asked, 2, (0.9, 1)),
}
OF_ANY_COUNT = {"classification"}  # refuses by class: tests/metrics/test_classification.py


def sets(count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((2, count, WIDTH)).astype(np.float32)
    return drawn[0] + np.float32(0.3), drawn[1]


every_number = pytest.mark.parametrize("name", NUMBERS)


@every_number
def test_plain_features_give_a_finite_number(name: str) -> None:
    assert np.isfinite(NUMBERS[name].of(*sets()))


@every_number
def test_a_set_against_itself_gives_what_algebra_says(name: str) -> None:
    _, real = sets()
    low, high = NUMBERS[name].limits
    assert low - 1e-9 <= NUMBERS[name].of(real, real.copy()) <= high + 1e-9


@every_number
def test_the_order_of_images_does_not_matter(name: str) -> None:
    generated, real = sets()
    rows = np.random.default_rng(1).permutation(COUNT)
    moved = NUMBERS[name].of(generated[rows], real[rows[::-1]])
    assert moved == pytest.approx(NUMBERS[name].of(generated, real), rel=1e-9)


@every_number
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(name: str, wrong: float) -> None:
    generated, real = sets()
    generated[7, 3] = wrong
    with np.errstate(invalid="ignore"), pytest.raises(UserError, match="NaN or infinity"):
        NUMBERS[name].of(generated, real)


@pytest.mark.parametrize("name", sorted(NUMBERS.keys() - OF_ANY_COUNT))
def test_one_image_fewer_than_needed_is_refused_and_no_more(name: str) -> None:
    number = NUMBERS[name]
    assert np.isfinite(number.of(*sets(number.least)))
    with pytest.raises(UserError, match=r"need|of 59"):
        number.of(*sets(number.least - 1))


@every_number
def test_the_inputs_are_left_as_they_were(name: str) -> None:
    generated, real = sets()
    before = generated.copy(), real.copy()
    NUMBERS[name].of(generated, real)
    np.testing.assert_array_equal(generated, before[0])
    np.testing.assert_array_equal(real, before[1])


WRITERS: dict[str, Callable[[Layout], None]] = {
    "inception_score/all": lambda layout: score_of_sets.measure(
        layout, list(SPLITS), InceptionScoreSettings(select_groups=4)
    ),
    "distribution/all": lambda layout: distribution.measure(
        layout, list(SPLITS), SETTINGS.model_copy(update={"kid_subset_size": 30, "manifold_images": 50})
    ),
    "intra_class/00": lambda layout: intra_class.measure(
        layout, "00", SETTINGS.model_copy(update={"manifold_images": 8})
    ),
    "classification/all": lambda layout: classification.measure(
        layout, list(SPLITS), ClassificationSettings(per_class=10)
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_features_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    layout = store(tmp_path)
    path = layout.metric(*name.split("/"))
    written = []
    for _ in range(2):
        WRITERS[name](layout)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert {file.name for file in path.parent.iterdir()} == {path.name}


@pytest.mark.parametrize("name", WRITERS)
def test_stored_features_that_are_not_finite_are_refused_by_file(name: str, tmp_path: Path) -> None:
    layout = store(tmp_path)
    path = layout.features("00") / "generated.npy"
    features = np.load(path)
    features[3, 5] = np.nan
    np.save(path, features)
    with pytest.raises(UserError, match=r"features.00.generated\.npy"):
        WRITERS[name](layout)
    assert not layout.metric(*name.split("/")).exists()
