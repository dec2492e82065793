import pytest

from centigan.errors import UserError
from centigan.layout import split_name, split_names


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
