"""Retrieval on embeddings that are made so that one knows what is found."""

import pytest
import torch
from torch import Tensor

from centigan.text.retrieval import Embedded, chance, retrieval, retrieved, share

CLASSES = ("blue_circle", "blue_square", "red_circle", "red_square")
EYE = torch.eye(4)


def embedded(vectors: Tensor, labels: list[int]) -> Embedded:
    return Embedded(vectors, torch.tensor(labels))


def of_all(vectors: Tensor = EYE) -> Embedded:
    return embedded(vectors, [0, 1, 2, 3])


def test_each_finds_its_own_where_embeddings_are_apart() -> None:
    found = retrieval(of_all(), of_all(), CLASSES, [3], ())
    assert {group: each["candidates"] for group, each in found.items()} == {
        "seen": 3,
        "unseen": 1,
        "unseen_among_all": 4,
    }
    for each in found.values():
        assert each["images_to_text"] == each["text_to_images"] == 1
        assert each["chance"] == pytest.approx(1 / each["candidates"])
        assert each["attributes"] == {}


def test_seen_classes_are_sought_among_the_seen_and_unseen_ones_apart_and_among_all() -> None:
    """Images of class 3 look like class 1, and a little like 3."""
    images = of_all(torch.stack([*EYE[:3], EYE[1] + 0.5 * EYE[3]]))
    found = retrieval(images, of_all(), CLASSES, [2, 3], ())
    assert found["seen"]["images_to_text"] == 1
    assert (found["unseen"]["images_to_text"], found["unseen"]["candidates"]) == (1, 2)
    assert found["unseen_among_all"]["images_to_text"] == 0.5
    assert found["unseen_among_all"]["images"] == 2


def test_a_class_is_known_by_the_mean_of_its_captions_not_by_the_nearest_one() -> None:
    captions = embedded(torch.tensor([[3.0], [-3.0], [1.0]]), [0, 0, 1])
    assert retrieved(embedded(torch.ones(1, 1), [1]), captions, [0, 1]).tolist() == [1]


def test_the_inner_product_counts_and_not_the_angle() -> None:
    captions = embedded(torch.tensor([[1.0, 0.0], [2.0, 2.0]]), [0, 1])
    assert retrieved(embedded(torch.tensor([[1.0, 0.0]]), [0]), captions, [0, 1]).tolist() == [1]


def test_candidates_need_not_be_the_first_classes() -> None:
    assert retrieved(of_all(), of_all(), [3, 1]).tolist()[1::2] == [1, 3]


def test_the_two_directions_are_told_apart() -> None:
    """Image 0 is nearer to all captions than other images are; each image still finds its caption."""
    images, captions = EYE.clone(), EYE.clone()
    images[0] += 2 * torch.ones(4)
    captions[0] *= 2
    found = retrieval(of_all(images), of_all(captions), CLASSES, [], ())["seen"]
    assert (found["images_to_text"], found["text_to_images"]) == (1, 0.25)


def test_attributes_are_right_where_the_class_that_is_found_shares_them() -> None:
    """Images of red_square find blue_square: a wrong colour, a right shape."""
    images = of_all(torch.stack([*EYE[:3], EYE[1]]))
    found = retrieval(images, of_all(), CLASSES, [3], ("colour", "shape"))["unseen_among_all"]
    assert found["images_to_text"] == 0
    assert found["attributes"]["colour"]["images_to_text"] == 0
    assert found["attributes"]["shape"]["images_to_text"] == 1


def test_chance_is_the_share_of_candidates_with_the_same_attribute() -> None:
    colours = ["blue", "blue", "blue", "red"]
    labels = torch.tensor([0, 0, 3, 3])
    assert chance(labels, CLASSES, [0, 1, 2, 3]) == 0.25
    assert chance(labels, colours, [0, 1, 2, 3]) == 0.5  # half of them 3/4, half 1/4
    assert chance(labels, colours, [0, 3]) == 0.5
    assert chance(torch.tensor([3]), colours, [0, 1]) == 0


def test_a_share_is_of_those_asked() -> None:
    found, labels = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 3, 3])
    assert share(found, labels, CLASSES) == 0.5
    assert share(found, labels, ["a", "b", "c", "c"]) == 1


def test_without_unseen_classes_there_is_one_group_and_classes_that_nothing_shows_are_no_candidates() -> None:
    three = embedded(EYE[:3], [0, 1, 2])
    found = retrieval(three, three, CLASSES, [], ())
    assert list(found) == ["seen"]
    assert found["seen"]["candidates"] == 3
