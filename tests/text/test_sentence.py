"""The published sentence encoder, by a stand-in: it is no default dependency, and there may be no network."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from centigan.errors import UserError
from centigan.settings.text import TextSettings
from centigan.text import fit_text_encoder, load_text_encoder

SENTENCE = {"encoder": "sentence", "iterations": 8, "classes": 8, "embedding": 6}


class Letters:
    """Embeds a sentence by how often each letter stands in it, and remembers how it was asked for."""

    asked: tuple[str, dict[str, Any]]

    def __init__(self, name: str, **options: Any) -> None:
        Letters.asked = (name, options)
        if name == "gone":
            raise OSError("We could not connect to the Hub\nmore of it")

    def encode(self, sentences: list[str], *, show_progress_bar: bool) -> NDArray[np.float32]:
        rows: Sequence[list[int]] = [[each.count(letter) for letter in "aeiou"] for each in sentences]
        return np.array(rows, np.float32)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(SentenceTransformer=Letters)
    monkeypatch.setitem(sys.modules, "sentence_transformers", stand_in)


@pytest.mark.usefixtures("letters")
def test_a_linear_layer_is_learnt_above_it_and_alone_is_stored(shapes: Path, tmp_path: Path) -> None:
    fit_text_encoder([shapes], TextSettings.model_validate(SENTENCE), tmp_path)
    loaded = load_text_encoder(tmp_path)
    weight = loaded.network.weight  # type: ignore[attr-defined]
    assert weight.shape == (6, 5)
    one, other, twice = loaded.embed(["a red circle", "eie", "aa rree iii"])
    assert (one - other).abs().max() > 0
    assert (twice - one).allclose(
        weight @ (twice.new_tensor([2.0, 2, 3, 0, 0]) - one.new_tensor([1.0, 2, 1, 0, 0]))
    )
    assert loaded.embed([]).shape == (0, 6)
    assert loaded.unknown("whatever it is") == []


@pytest.mark.usefixtures("letters")
def test_it_is_asked_for_at_a_commit_as_safetensors_and_without_code(shapes: Path, tmp_path: Path) -> None:
    fit_text_encoder([shapes], TextSettings.model_validate(SENTENCE), tmp_path)
    name, options = Letters.asked
    assert name == "sentence-transformers/all-MiniLM-L6-v2"
    assert len(options["revision"]) == 40
    assert options["model_kwargs"] == {"use_safetensors": True}
    assert options["trust_remote_code"] is False


@pytest.mark.usefixtures("letters")
def test_without_a_network_it_is_said_what_to_do(shapes: Path, tmp_path: Path) -> None:
    settings = TextSettings.model_validate({**SENTENCE, "sentence_model": "gone"})
    with pytest.raises(
        UserError, match=r"gone at .* cannot be had \(We could not connect to the Hub\)\. It is"
    ):
        fit_text_encoder([shapes], settings, tmp_path)


def test_without_the_package_it_is_said_what_to_install(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(UserError, match=r"pip install 'centigan\[sentence\]'; or choose text\.encoder: bow"):
        fit_text_encoder([shapes], TextSettings.model_validate(SENTENCE), tmp_path)
