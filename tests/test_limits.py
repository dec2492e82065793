"""When a judge's accuracies mean nothing."""

import pytest

from centigan.settings.limits import no_better_than_chance


@pytest.mark.parametrize(
    ("accuracy", "classes", "useless"),
    [
        (0.05, 10, True),
        (0.199, 10, True),
        (0.2, 10, False),
        (0.95, 10, False),
        (0.3, 3, True),
        (0.7, 3, False),
        (0.5, 2, False),  # twice chance is 1 there
        (0.0015, 1000, True),
    ],
)
def test_twice_chance_is_what_a_judge_must_reach(accuracy: float, classes: int, useless: bool) -> None:
    said = no_better_than_chance(accuracy, classes)
    assert (said is not None) == useless
    assert said is None or f"names {100 * accuracy:.3g} % of held-out real images" in said
