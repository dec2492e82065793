"""Captions as embeddings: which, in which order, and what a text encoder refuses."""

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from captioned_shapes import small_encoder
from torch import Tensor

from centigan.errors import UserError
from centigan.manifest import read_digests, read_facts, read_manifest, sha256
from centigan.text import embed_captions, fit_text_encoder, load_text_encoder
from centigan.text.embed import embedded_captions


class ByLength:
    """Embeds a sentence as its length and its half."""

    longest = 9

    def embed(self, sentences: Sequence[str], *, progress: str | None = None) -> Tensor:
        return torch.tensor([[len(each), len(each) / 2] for each in sentences])

    def unknown(self, sentence: str) -> list[str]:
        return []


def test_captions_lie_by_image_and_in_their_order() -> None:
    embedded = embedded_captions([["a", "bb"], ["ccc", "dddd"]], ByLength(), most=10)
    assert embedded.dtype == np.float16
    assert embedded.tolist() == [[[1, 0.5], [2, 1]], [[3, 1.5], [4, 2]]]


def test_of_many_captions_the_first_are_kept_and_few_are_repeated_in_turn() -> None:
    embedded = embedded_captions([["a", "bb", "ccc", "dddd"], ["55555"], ["a", "bb"]], ByLength(), most=3)
    assert embedded[..., 0].tolist() == [[1, 2, 3], [5, 5, 5], [1, 2, 1]]


def test_a_split_is_embedded_caption_by_caption(encoder: Path, shapes: Path, tmp_path: Path) -> None:
    embed_captions(shapes, encoder, tmp_path)
    loaded = load_text_encoder(encoder)
    for prefix in ("", "held_out_"):
        said = json.loads((shapes / f"{prefix}captions.json").read_text())
        stored = np.load(tmp_path / f"{prefix}embeddings.npy")
        assert stored.shape == (len(said), 3, 6)
        expected = loaded.embed([sentence for of_image in said for sentence in of_image])
        np.testing.assert_allclose(stored.reshape(-1, 6), expected, rtol=1e-3, atol=1e-6)
    digests = read_digests(tmp_path / "SHA256SUMS")
    assert set(digests) == {"embeddings.npy", "held_out_embeddings.npy", "facts.json"}
    assert all(sha256(tmp_path / name) == digest for name, digest in digests.items())
    assert read_facts(tmp_path)["embedding"] == 6
    assert list(read_manifest(tmp_path)["inputs"]) == [f"{shapes}/SHA256SUMS", f"{encoder}/SHA256SUMS"]
    assert {path.name for path in tmp_path.iterdir()} == {*digests, "SHA256SUMS", "manifest.json"}


def test_fewer_captions_of_an_image_need_no_other_encoder(
    encoder: Path, shapes: Path, tmp_path: Path
) -> None:
    embed_captions(shapes, encoder, tmp_path / "all")
    embed_captions(shapes, encoder, tmp_path / "one", 1)
    every, first = (np.load(tmp_path / name / "embeddings.npy") for name in ("all", "one"))
    assert np.array_equal(every[:, :1], first)
    assert read_manifest(tmp_path / "one")["settings"]["captions"] == 1


def test_a_split_without_captions_is_said(encoder: Path, shapes: Path, tmp_path: Path) -> None:
    arrays = shutil.copytree(shapes, tmp_path / "00")
    (arrays / "held_out_captions.json").write_text(json.dumps([["a red circle"], [""]] * 72))
    with pytest.raises(UserError, match=r"held_out_captions\.json: a caption is empty"):
        embed_captions(arrays, encoder, tmp_path / "out")
    (arrays / "captions.json").unlink()
    with pytest.raises(UserError, match=r"captions\.json is missing"):
        embed_captions(arrays, encoder, tmp_path / "out")


# What an encoder refuses


@pytest.mark.parametrize("sentence", ["", "  \n", "\t"])
def test_an_empty_caption_is_an_error(encoder: Path, sentence: str) -> None:
    with pytest.raises(UserError, match=r"a caption is empty or without \w+: .*; write a sentence"):
        load_text_encoder(encoder).embed(["a red circle", sentence])


def test_a_caption_of_unknown_parts_alone_is_an_error(encoder: Path) -> None:
    with pytest.raises(UserError, match=r"'черный квадрат': the text encoder knows none of its"):
        load_text_encoder(encoder).embed(["a red circle", "черный квадрат"])


def test_unknown_parts_of_a_caption_are_named_in_a_warning(
    encoder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = load_text_encoder(encoder)
    said = {"words": ("a Vermilion red circle", "vermilion"), "characters": ("a réd circle", "é")}
    sentence, part = said[loaded.reading.parts_are]  # type: ignore[attr-defined]
    assert loaded.unknown(sentence) == [part]
    assert loaded.unknown("a red circle") == []
    embedded = loaded.embed([sentence])
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert f"does not know the {loaded.reading.parts_are} '{part}', as in" in caplog.text  # type: ignore[attr-defined]
    left = {"vermilion": "they are passed over", "é": "a gap stands in their place"}[part]
    assert caplog.text.rstrip().endswith(left)
    if part == "vermilion":
        torch.testing.assert_close(embedded, loaded.embed(["a red circle"]))


def test_many_unknown_parts_are_counted_and_each_named_once(
    shapes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit_text_encoder([shapes], small_encoder("bow"), tmp_path)
    loaded = load_text_encoder(tmp_path)
    loaded.embed([f"red w{number} w{number}" for number in range(13)])
    (warning,) = caplog.records
    assert "'w0', 'w1'," in warning.getMessage()
    assert "'w9' and 3 more, as in 'red w0 w0'" in warning.getMessage()


def test_a_caption_that_is_far_longer_than_any_before_is_an_error(encoder: Path) -> None:
    loaded = load_text_encoder(encoder)
    part = {"words": "red ", "characters": "r"}[loaded.reading.parts_are]  # type: ignore[attr-defined]
    loaded.embed([part * (3 * loaded.longest)])
    message = f"has {3 * loaded.longest + 1} .*, and the longest training caption {loaded.longest}"
    with pytest.raises(UserError, match=message) as error:
        loaded.embed([part * (3 * loaded.longest + 1)])
    assert len(str(error.value)) < 300


def test_a_caption_that_is_cut_is_told(
    shapes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Training captions have up to 54 characters, so that 66 are cut and no error."""
    fit_text_encoder([shapes], small_encoder("char", char_length=66), tmp_path)
    loaded = load_text_encoder(tmp_path)
    long = "a small red circle " * 5
    torch.testing.assert_close(loaded.embed([long]), loaded.embed([long[:66]]))
    (warning,) = caplog.records
    assert warning.getMessage() == "captions longer than 66 characters are cut there: 1"
