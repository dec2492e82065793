"""Damaged content gives an entry that names the file, or one clear error; nothing else, and soon."""

import io
import random
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS

from centigan.data import formats
from centigan.data.arrays import build_arrays
from centigan.data.decode import BadImage, decode
from centigan.data.index import build_index
from centigan.data.sources.kaggle import SOLUTION, WORDS, _labels, _words
from centigan.data.sources.tars import members
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings.data import DataSettings


def encoded(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((60, 40), 80).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


DAMAGED = [RuntimeError("no item"), NotImplementedError("pixel format 0"), KeyError("IHDR"), AssertionError()]


@pytest.mark.parametrize("error", DAMAGED, ids=lambda error: type(error).__name__)
def test_whatever_a_decoder_raises_is_that_files_entry(
    error: Exception, layout: Layout, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Image.open

    def spoilt(file: io.BytesIO, **options: object) -> Image.Image:
        image = real(file, **options)
        if image.size[1] == 42:  # 2.png of every class
            raise error
        return image

    monkeypatch.setattr(Image, "open", spoilt)
    build_arrays(layout, "00", ARRAYS, raw)
    rejected = read_manifest(layout.arrays("00"))["rejected"]["train"]
    assert [Path(entry["name"]).name for entry in rejected] == ["2.png", "2.png"]
    assert {entry["reason"] for entry in rejected} == {f"cannot be read: {error} ({type(error).__name__})"}


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_what_is_not_damage_is_not_called_so(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(type(error)):
        decode(encoded("PNG"), 32)


@pytest.mark.parametrize("form", formats.READ)
def test_a_spoilt_file_is_an_image_or_bad_and_nothing_else_and_soon(form: str) -> None:
    whole, rng = encoded(form), random.Random(form)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 2, 5])):
            data[rng.randrange(rng.choice([60, len(data)]))] = rng.choice(
                [0, 1, 127, 255, rng.randrange(256)]
            )
        begun = time.process_time()
        with suppress(BadImage):
            pixels = decode(bytes(data[: rng.choice([len(data), rng.randrange(len(data))])]), 32).pixels
            assert pixels.shape == (32, 32, 3)
        assert time.process_time() - begun < 1


def test_a_damaged_tar_is_one_error_however_it_is_damaged(tmp_path: Path) -> None:
    path, rng = tmp_path / "a.tar", random.Random(0)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(3):
            entry = tarfile.TarInfo(f"{'long' * 40}é{number}.JPEG")
            entry.size = 700
            tar.addfile(entry, io.BytesIO(bytes(700)))
    whole = path.read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3])):
            data[rng.randrange(len(data))] = rng.choice([0, 32, 48, 57, 65, 128, 255])
        path.write_bytes(data)
        with suppress(UserError):
            assert all(member.offset + member.size <= len(data) for member in members(path))


def test_kaggles_words_in_another_encoding_are_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / WORDS
    path.write_bytes("n07920052 espresso, café\n".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{WORDS} is not in UTF-8 \(.* at byte 23\); save it so, or remove"):
        _words(path)
    path.write_text("n07920052 espresso, café\n", encoding="utf-8-sig")
    assert _words(path) == {"n07920052": "espresso, café"}


def test_kaggles_labels_in_another_encoding_are_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / SOLUTION).write_bytes("ImageId,PredictionString\nè,n07920052 1 2 3 4\n".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{SOLUTION} cannot be read as .*'utf-8' codec can't decode byte"):
        _labels(tmp_path / SOLUTION)


def test_an_order_in_another_encoding_is_an_error_and_windows_mark_is_none(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    order = tmp_path / "order.txt"
    settings = data_settings.model_copy(update={"order": str(order)})
    order.write_bytes("cat\ncafé\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"order\.txt is neither .* \('utf-8' codec can't decode byte 0xe9"):
        build_index(Layout("x", tmp_path), settings)
    order.write_text("fox\ncat\neel\ndog\n", encoding="utf-8-sig")
    layout = Layout("x", tmp_path)
    build_index(layout, settings)
    assert pd.read_csv(layout.classes)["class_id"].tolist() == ["fox", "cat", "eel", "dog"]
