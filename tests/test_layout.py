import re

import pytest

from centigan.errors import UserError
from centigan.layout import pattern_of, split_name, split_names


def test_a_thousand_classes_in_tens_are_splits_00_to_99() -> None:
    names = split_names(1000, 10)
    assert (len(names), names[0], names[-1]) == (100, "00", "99")


def test_the_last_split_may_be_smaller_and_a_thousand_splits_have_three_digits() -> None:
    assert split_names(11, 10) == ["00", "01"]
    assert split_names(1000, 1)[-1] == "999"


@pytest.mark.parametrize("split", [7, "7", "07"])
def test_a_split_is_found_by_number_or_name(split: int | str) -> None:
    assert split_name(split, 1000, 10) == "07"


@pytest.mark.parametrize("split", [100, "100", "-1", "seven"])
def test_a_split_out_of_range_says_which_there_are(split: int | str) -> None:
    with pytest.raises(UserError, match=rf"split {split} does not exist; splits are 00\.\.99"):
        split_name(split, 1000, 10)


@pytest.mark.parametrize("count", [1, 2, 10, 11, 57, 100, 101, 1000, 2310])
def test_the_pattern_of_splits_matches_their_names_and_no_other(count: int) -> None:
    names, pattern = split_names(count, 1), re.compile(pattern_of(split_names(count, 1)))
    numbers = {f"{number:0{digits}d}" for digits in range(1, 6) for number in range(3000)}
    assert {number for number in numbers if pattern.fullmatch(number)} == set(names)
