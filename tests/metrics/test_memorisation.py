import numpy as np
import pandas as pd
import pytest

from centigan.errors import UserError
from centigan.metrics.memorisation import closer_than_held_out, duplicate_counts, duplicates


def table(generated: np.ndarray, held_out: np.ndarray) -> pd.DataFrame:
    """Distances (classes, images) of both sources, of L1 and in both scopes."""
    frames = []
    for source, distances in (("generated", generated), ("held_out", held_out)):
        classes, images = distances.shape
        columns = {
            "source": source,
            "class_id": np.repeat([f"class-{number}" for number in range(classes)], images),
            "image": np.arange(distances.size),
            "metric": "l1",
            "neighbour": np.arange(distances.size)[::-1],
            "neighbour_class": "class-0",
            "distance": distances.ravel(),
        }
        frames += [pd.DataFrame(columns).assign(scope=scope) for scope in ("class", "split")]
    return pd.concat(frames, ignore_index=True)


def draws(seed: int, classes: int = 6, images: int = 10) -> np.ndarray:
    """Distances whose level differs between classes far more than within one."""
    rng = np.random.default_rng(seed)
    return 20 + 10 * np.arange(classes)[:, None] + rng.normal(0, 1, (classes, images))


def test_planted_copies_are_listed_with_their_rows_and_nothing_else_is() -> None:
    generated = draws(0)
    generated[2, 3], generated[4, 7] = 1.5, 0.0
    found = duplicates(table(generated, draws(1)), threshold=5)
    assert found["image"].tolist() == [47, 23]  # the nearest first
    assert found["class_id"].tolist() == ["class-4", "class-2"]
    assert found["distance"].tolist() == [0, 1.5]
    assert set(found["source"]) == {"generated"}


def test_held_out_copies_are_listed_too() -> None:
    held_out = draws(1)
    held_out[0, 0] = 0.2  # the data set repeats itself
    counts = duplicate_counts(table(draws(0), held_out), threshold=5).set_index("source")
    assert counts["duplicates"].to_dict() == {"generated": 0, "held_out": 1}
    assert counts["images"].to_dict() == {"generated": 60, "held_out": 60}
    assert counts["share"]["held_out"] == pytest.approx(1 / 60)


def test_the_threshold_itself_is_no_duplicate() -> None:
    generated = draws(0)
    generated[0, 0] = 5.0
    assert duplicates(table(generated, draws(1)), threshold=5.0).empty


def test_a_generator_that_emits_training_images_has_the_smallest_p() -> None:
    result = closer_than_held_out(table(np.zeros((6, 10)), draws(1)), permutations=999, seed=0)
    assert result["p_closer"] == 1 / 1000
    assert result["share_closer"] == 1
    assert result["median_generated"] == 0
    assert result["median_held_out"] == pytest.approx(45, abs=5)


def test_a_few_copies_among_many_samples_show() -> None:
    generated = draws(0)
    generated[:, 0] = 0
    assert closer_than_held_out(table(generated, draws(1)), permutations=999, seed=0)["p_closer"] < 0.05


def test_samples_farther_than_held_out_images_have_a_p_of_one() -> None:
    result = closer_than_held_out(table(draws(0) + 9, draws(1)), permutations=999, seed=0)
    assert (result["p_closer"], result["share_closer"]) == (1, 0)


def test_another_draw_of_held_out_images_has_any_p_alike() -> None:
    results = [
        closer_than_held_out(table(draws(2 * seed, 3), draws(2 * seed + 1, 3)), permutations=199, seed=seed)
        for seed in range(100)
    ]
    p = np.array([result["p_closer"] for result in results])
    assert p.mean() == pytest.approx(0.5, abs=0.1)  # 3.5 standard deviations of 0.29 / 10
    assert 0 < (p < 0.25).mean() < 0.4
    assert np.mean([result["share_closer"] for result in results]) == pytest.approx(0.5, abs=0.05)


def test_equal_distances_have_a_p_of_one() -> None:
    same = np.full((3, 7), 0.1)
    assert closer_than_held_out(table(same, same), permutations=99, seed=0)["p_closer"] == 1


def test_p_is_the_share_of_all_groupings_where_they_can_be_counted() -> None:
    generated, held_out = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])  # 1 of 6 groupings is as close
    result = closer_than_held_out(table(generated, held_out), permutations=20_000, seed=0)
    assert result["p_closer"] == pytest.approx(1 / 6, abs=0.01)


def test_a_class_that_is_hard_for_all_does_not_count_against_its_samples() -> None:
    generated, held_out = draws(0)[:, :4], draws(1)  # fewer samples than held-out images
    result = closer_than_held_out(table(generated[::-1], held_out[::-1]), permutations=999, seed=0)
    assert 0.02 < result["p_closer"] < 0.98


def test_neither_the_order_of_rows_nor_of_classes_changes_anything() -> None:
    rows = table(draws(0), draws(1))
    values = [closer_than_held_out(frame, permutations=199, seed=3) for frame in (rows, rows.iloc[::-1])]
    assert values[0] == values[1]


def test_the_seed_decides_p() -> None:
    rows = table(draws(0), draws(1))
    values = [closer_than_held_out(rows, permutations=199, seed=seed) for seed in (0, 0, 1)]
    assert values[0] == values[1]
    assert values[0] != values[2]


def test_a_class_of_samples_alone_is_named() -> None:
    rows = table(draws(0), draws(1))
    rows = rows[~((rows["source"] == "held_out") & (rows["class_id"] == "class-3"))]
    with pytest.raises(UserError, match="class class-3"):
        closer_than_held_out(rows, permutations=9, seed=0)
