"""The networks that captions go through: shapes, masks, pooling."""

import pytest
import torch
from torch import Generator

from centigan.nets.captions import REACH, BagOfWords, CharacterCnnRnn
from centigan.settings.text import TextSettings
from centigan.text.reading import ALPHABET, Characters, Words


def rng() -> Generator:
    return Generator().manual_seed(0)


def character_net(maps: tuple[int, int, int] = (6, 5, 4), units: int = 7) -> CharacterCnnRnn:
    return CharacterCnnRnn(70, maps, units, 3, rng())


def test_a_bag_of_words_is_a_linear_layer_of_the_mean_of_its_words() -> None:
    network = BagOfWords(5, 4, 3, rng())
    known = network.words.weight
    expected = network.out((known[2] + known[5] + known[5]) / 3)
    torch.testing.assert_close(network(torch.tensor([[5, 2, 5, 0, 0]]))[0], expected)


def test_words_in_another_order_embed_to_the_same() -> None:
    network = BagOfWords(5, 4, 3, rng())
    one, other = network(torch.tensor([[1, 2, 3], [3, 1, 2]]))
    torch.testing.assert_close(one, other)


def test_201_characters_leave_8_places_as_in_the_paper() -> None:
    network = CharacterCnnRnn(70, (384, 512, 256), 256, 1024, rng())
    assert network.states(torch.ones(2, 201, dtype=torch.int64)).shape == (2, 8, 256)
    assert network(torch.ones(2, 201, dtype=torch.int64)).shape == (2, 1024)
    weights = {name: tuple(value.shape) for name, value in network.convolutions.named_parameters()}
    assert weights["0.weight"] == (384, 70, 4)
    assert weights["3.weight"] == (512, 384, 4)
    assert weights["6.weight"] == (256, 512, 4)


def test_the_shortest_length_that_settings_allow_leaves_one_place() -> None:
    shortest = TextSettings(char_length=66).char_length
    assert character_net().states(torch.ones(1, shortest, dtype=torch.int64)).shape[1] == 1
    with pytest.raises(ValueError, match="greater than or equal to 66"):
        TextSettings(char_length=65)


def test_an_embedding_is_linear_in_the_mean_of_the_states() -> None:
    network, codes = character_net(), torch.randint(0, 71, (2, 201), generator=rng())
    states = network.states(codes)
    assert (states >= 0).all()  # ReLU
    torch.testing.assert_close(network(codes), network.out(states.sum(1) / 8))


def test_an_unknown_character_is_a_column_of_zeros_and_a_known_one_has_its_own() -> None:
    seen = character_net().one_hot(torch.tensor([[1, 0, 70]]))[0]  # (70, 3)
    assert seen.shape == (70, 3)
    assert seen[:, 1].tolist() == [0.0] * 70
    assert seen.argmax(0).tolist() == [0, 0, 69]
    assert seen.sum() == 2


def test_first_weights_are_within_the_reach_of_the_authors_code() -> None:
    for network in (BagOfWords(50, 40, 30, rng()), character_net((40, 40, 40))):
        for parameter in network.parameters():
            assert parameter.abs().max() <= REACH
            assert parameter.abs().max() > 0.5 * REACH


# Reading


def words(*sentences: str) -> Words:
    return Words.of(sentences, TextSettings())


def characters(length: int = 201) -> Characters:
    return Characters(ALPHABET, length)


def test_words_are_sorted_lower_case_and_free_of_marks() -> None:
    assert words("A red-hot Circle!", "it's a  circle,\nred_ish").vocabulary == [
        *("a", "circle", "hot", "ish", "it's", "red")
    ]


def test_words_have_codes_from_1_and_unknown_ones_are_left_out() -> None:
    known = words("a red circle")
    assert known.codes(["circle, red", "a green circle"]).tolist() == [[2, 3], [1, 2]]
    assert known.codes(["red", "a red circle"]).tolist() == [[3, 0, 0], [1, 3, 2]]


def test_the_alphabet_is_that_of_the_authors_code() -> None:
    assert len(ALPHABET) == 70
    assert len(set(ALPHABET)) == 69  # "-" stands twice
    assert characters().codes(["-"])[0, 0] == ALPHABET.rindex("-") + 1


def test_characters_are_codes_filled_up_with_0_and_cut_at_the_length() -> None:
    known = characters()
    row = known.codes(["Aé b"])[0]
    assert row[:5].tolist() == [1, 0, 70, 2, 0]
    assert row.shape == (201,)
    long = "ab" * 150
    assert known.codes([long]).tolist() == known.codes([long[:201]]).tolist()
    assert known.codes([long]).tolist() != known.codes([long[:200]]).tolist()
