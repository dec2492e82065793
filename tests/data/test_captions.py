"""Captions go with their images: from a source's listing into the index, and beside the arrays."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from small import ARRAYS

from centigan.data import index as indexing
from centigan.data.arrays import build_arrays
from centigan.data.captions import captions_of
from centigan.data.index import build_index
from centigan.data.sources import list_source
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_digests, read_facts, read_object
from centigan.settings.data import DataSettings

Indexed = Callable[..., Layout]


def said(class_id: str, name: str) -> list[str]:
    return [f"a {class_id}", f"this is {name}, a {class_id}"]


@pytest.fixture
def indexed(data_settings: DataSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Indexed:
    """The index of the raw tree, as of a source that has a caption of each image, and unseen classes."""

    def captioned(settings: DataSettings, unseen: tuple[str, ...]) -> Listing:
        listing = list_source(settings)
        images = listing.images
        captions = [said(*row) for row in zip(images["class_id"], images["name"], strict=True)]
        return replace(listing, images=images.assign(captions=captions), unseen=unseen)

    def build(*unseen: str) -> Layout:
        monkeypatch.setattr(indexing, "list_source", lambda settings: captioned(settings, unseen))
        layout = Layout("captioned", tmp_path / "indexed")
        build_index(layout, data_settings)
        return layout

    return build


def test_the_index_and_the_arrays_have_the_captions_of_every_image_in_the_order_of_the_images(
    indexed: Indexed, raw: Path
) -> None:
    layout = indexed()
    build_arrays(layout, "01", ARRAYS, raw)
    rows = pd.read_parquet(layout.index("01"))
    for subset, prefix in (("train", ""), ("held_out", "held_out_")):
        own = rows[rows["subset"] == subset]
        expected = [said(*row) for row in zip(own["class_id"], own["name"], strict=True)]
        assert [list(captions) for captions in own["captions"]] == expected
        assert captions_of(layout.arrays("01"), prefix) == expected
    assert {"captions.json", "held_out_captions.json"} < read_digests(
        layout.arrays("01") / "SHA256SUMS"
    ).keys()


def test_a_bad_image_takes_its_captions_with_it(indexed: Indexed, raw: Path) -> None:
    layout = indexed()
    rows = pd.read_parquet(layout.index("00"))
    bad, *others = rows[rows["subset"] == "train"].itertuples()
    (raw / bad.path).write_bytes(b"\0" * bad.size)
    build_arrays(layout, "00", ARRAYS, raw)
    assert captions_of(layout.arrays("00")) == [said(row.class_id, row.name) for row in others]


def test_without_captions_nothing_speaks_of_them(layout: Layout) -> None:
    assert {"captions", "unseen"}.isdisjoint(pd.read_parquet(layout.index("00")).columns)
    assert not list(layout.arrays("00").glob("*captions*"))
    assert "captions" not in (layout.arrays("00") / "SHA256SUMS").read_text()
    assert "unseen" not in read_facts(layout.arrays("00")) | read_object(layout.source)
    with pytest.raises(UserError, match=r"00/captions.json is missing: these images have no captions"):
        captions_of(layout.arrays("00"))


@pytest.mark.parametrize("text", ['[["a"], ["b"', "[[]]", '["a"]', '{"a": ["b"]}', "[[1]]"])
def test_a_damaged_file_of_captions_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "captions.json").write_text(text)
    with pytest.raises(UserError, match=r"captions.json( is damaged|: image 0 has no caption)"):
        captions_of(tmp_path)


def test_letters_of_any_alphabet_stay_as_they_are(indexed: Indexed, raw: Path, tmp_path: Path) -> None:
    layout = indexed()
    rows = pd.read_parquet(layout.index("00"))
    rows["captions"] = [["ein größerer Vogel \N{BIRD}", "naïve"]] * len(rows)
    rows.to_parquet(layout.index("00"))
    build_arrays(layout, "00", ARRAYS, raw)
    assert captions_of(layout.arrays("00"))[0] == ["ein größerer Vogel \N{BIRD}", "naïve"]
    lines = (layout.arrays("00") / "captions.json").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line.rstrip(",")) for line in lines[1:-1]] == captions_of(layout.arrays("00"))


def test_unseen_classes_are_named_in_source_json_and_in_the_facts_of_their_splits(
    indexed: Indexed, raw: Path
) -> None:
    layout = indexed("dog")
    assert read_object(layout.source)["unseen"] == ["dog"]
    for split in ("00", "01"):
        build_arrays(layout, split, ARRAYS, raw)
    assert read_facts(layout.arrays("00"))["unseen"] == ["dog"]
    assert "unseen" not in read_facts(layout.arrays("01"))


def test_a_split_of_unseen_classes_alone_is_refused(indexed: Indexed) -> None:
    with pytest.raises(UserError, match=r"split 01 has unseen classes alone.* raise data.split_size"):
        indexed("eel", "fox")
