"""Drawn shapes with captions: every caption says what its image shows."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from centigan.data.embedded import put_in_place
from centigan.data.index import build_index
from centigan.data.shape_captions import CAPTIONS, COUNTS, TEMPLATES, WORDS, captions, places
from centigan.data.shapes import CLASSES, COLOURS, GREY, SHAPES, SIDE, UNSEEN, UNSEEN_PAIRS, attributes_of
from centigan.data.sources import list_source
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_object
from centigan.settings.data import DataSettings

PLACES = {"left": (0, -1), "right": (0, 1), "upper": (1, -1), "lower": (1, 1)}  # word -> axis, side
MEANT = {word: name for name, words in WORDS.items() for word in words}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "captioned_shapes"
    put_in_place("captioned_shapes", root)
    return root


@pytest.fixture(scope="module")
def settings(raw: Path) -> DataSettings:
    return DataSettings(source="captioned_shapes", root=str(raw), classes=36, split_size=36)


def attributes_in(caption: str) -> Counter[str]:
    return Counter(MEANT[word] for word in re.findall("[a-z]+", caption) if word in MEANT)


def middle_of(image: Path, colour: str) -> np.ndarray:
    """Across and down, in pixels from the image's middle, of the box around the shape."""
    towards = np.subtract(COLOURS[colour], GREY)
    cover = (np.asarray(Image.open(image)).astype(float) - GREY) @ towards / (towards @ towards)
    ends = []
    for axis in (0, 1):
        there = cover.max(axis)
        lit = np.flatnonzero(there > 0.02)
        ends.append((lit[0] + 1 - there[lit[0]] + lit[-1] + there[lit[-1]]) / 2 - SIDE / 2)
    return np.array(ends)


def test_every_caption_tells_colour_shape_and_size_once_each_and_no_other(settings: DataSettings) -> None:
    images = list_source(settings).images
    assert len(images) == len(CLASSES) * sum(COUNTS.values())
    for class_id, sentences in zip(images["class_id"], images["captions"], strict=True):
        assert len(sentences) == len(set(sentences)) == CAPTIONS
        assert all(attributes_in(one) == Counter(attributes_of(class_id)) for one in sentences)


def test_a_place_is_told_only_where_it_is_true_and_then_not_always(settings: DataSettings) -> None:
    images = list_source(settings).images.iloc[::10]
    told = 0
    for row in images.itertuples():
        words = {word for one in row.captions for word in re.findall("[a-z]+", one) if word in PLACES}
        told += bool(words)
        middle = middle_of(Path(row.path), attributes_of(row.class_id).colour)
        for axis, side in map(PLACES.get, words):
            assert side * middle[axis] > 1  # of 3 at most
    assert 0.4 < told / len(images) < 0.9


def test_nothing_is_said_of_the_place_of_a_shape_about_the_middle() -> None:
    assert places(np.array([16.0, 17.4])) == []
    assert places(np.array([14.0, 16.0])) == ["on the left"]
    assert places(np.array([18.0, 18.0])) == ["on the right", "in the lower half", "in the lower right"]


def test_all_words_templates_and_orders_are_used() -> None:
    rng = np.random.default_rng(0)
    said = [one for _ in range(400) for one in captions("cyan_circle_small", np.array([13.0, 13.0]), rng)]
    words = Counter(word for one in said for word in re.findall("[a-z]+", one))
    assert all(words[word] > 100 for name in ("cyan", "circle", "small") for word in WORDS[name])
    assert len(TEMPLATES) >= 8
    assert len(set(said)) > 800  # of 2000
    assert any("an aqua" in one for one in said)
    assert not any(re.search(r"\ba [aeiou]|\ban [^aeiou]|[{}]", one) for one in said)


def test_no_word_has_two_meanings() -> None:
    assert len(MEANT) == sum(map(len, WORDS.values()))
    assert MEANT.keys().isdisjoint(PLACES)


def test_unseen_pairs_leave_every_colour_and_every_shape_to_be_learnt() -> None:
    seen = [attributes_of(class_id) for class_id in CLASSES if class_id not in UNSEEN]
    assert len(UNSEEN_PAIRS) == 4
    assert len(seen) == 28
    assert min(Counter((one.colour, one.size) for one in seen).values()) == 2
    assert min(Counter((one.shape, one.size) for one in seen).values()) == 4
    assert {(one.colour, one.shape) for one in seen}.isdisjoint(UNSEEN_PAIRS)
    assert ({one.colour for one in seen}, {one.shape for one in seen}) == (set(COLOURS), set(SHAPES))


def test_the_index_has_captions_and_names_the_unseen_classes(settings: DataSettings, tmp_path: Path) -> None:
    layout = Layout("captioned_shapes/gan", root=tmp_path)
    build_index(layout.shared, settings)
    source = read_object(layout.source)
    assert source["unseen"] == sorted(UNSEEN)
    assert source["has"] == ["attributes", "captions", "images"]
    assert "passed_over" not in source


def test_the_same_bytes_each_time(raw: Path, tmp_path: Path) -> None:
    put_in_place("captioned_shapes", tmp_path / "again")
    assert (tmp_path / "again/manifest.json").read_bytes() == (raw / "manifest.json").read_bytes()


def test_captions_that_are_gone_are_named(tmp_path: Path) -> None:
    for name in ("train/cat/1.png", "val/cat/2.png"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(file)
    (tmp_path / "text/cat").mkdir(parents=True)
    (tmp_path / "text/cat/1.txt").write_text("a cat\n")
    with pytest.raises(UserError, match=r"text/cat/2.txt is missing: its image has no captions$"):
        list_source(DataSettings(source="captioned_shapes", root=str(tmp_path)))
