"""Which formats are read, and that nothing of another format is ever run or parsed."""

import io
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageFile

from centigan.data import formats
from centigan.data.decode import BadImage, decode

PICTURE = Image.linear_gradient("L").convert("RGB").resize((40, 30))


def encoded(form: str, image: Image.Image = PICTURE, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", [*formats.READ, "MPO"])
def test_what_data_sets_like_imagenet_hold_is_read(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    found = decode(encoded(form, **options), 30).pixels
    middle = np.asarray(PICTURE)[:, 5:35]
    assert np.abs(found.astype(int) - middle).mean() < (6 if form == "GIF" else 2)


UNREAD = ["EPS", "DDS", "ICO", "ICNS", "JPEG2000", "PCX", "QOI", "SGI", "AVIF", "PDF"]


@pytest.mark.parametrize("form", UNREAD)
def test_another_format_is_named_and_not_opened(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {form}")
    data = encoded(form, PICTURE.resize((32, 32)))
    if form in Image.OPEN:
        monkeypatch.setitem(Image.OPEN, form, (lambda *_: pytest.fail("it was parsed"), lambda *_: True))
    with pytest.raises(BadImage, match=r"is .*, which is not read; convert it to PNG or JPEG"):
        decode(data, 32, name="a.jpg")


def test_ghostscript_is_not_run_on_what_a_file_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was run"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    for start in (eps, b"\xc5\xd0\xd3\xc6" + bytes(26) + eps):
        with pytest.raises(BadImage, match=r"^is EPS, which is not read; convert it to PNG or JPEG$"):
            decode(start, 32, name="n02105855_2933.JPEG")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"8BPS\0\1" + bytes(99), "Photoshop's PSD"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
        (b"\0\0\0\x1cftypavif" + bytes(99), "AVIF"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "a film or picture in MP4's boxes"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (encoded("BMP", PICTURE.convert("P"))[:30] + b"\1\0\0\0" + bytes(99), "run-length coded BMP"),
        (b"P3 2 1 255\n1 2 3 4 5 6\n", "PPM written as text"),
        (b"P6 2 1 100\n123456", "PPM of unusual depth"),
    ],
)
def test_a_format_that_is_not_read_is_told_by_name(data: bytes, name: str) -> None:
    with pytest.raises(BadImage, match=f"^is {name}, which is not read; convert it to PNG or JPEG$"):
        decode(data, 32)


def test_what_is_of_no_known_format_is_no_image() -> None:
    with pytest.raises(BadImage, match=r"^is no image$"):
        decode(b"a cat on a mat\n", 32, name="caption.jpg")


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG", "MPO"])
def test_of_several_pictures_in_a_file_only_the_first_is_decoded(form: str) -> None:
    first, others = Image.new("RGB", (32, 32), "red"), [Image.new("RGB", (32, 32), "blue")] * 40
    data = encoded(form, first, save_all=True, append_images=others)
    found = decode(data[: len(data) - 20], 32) if form in {"GIF", "MPO"} else decode(data, 32)
    assert (np.abs(found.pixels.astype(int) - (255, 0, 0)) < 12).all()


@pytest.mark.parametrize("form", formats.READ)
def test_a_file_that_is_cut_in_half_is_never_an_image(form: str) -> None:
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    data = encoded(form, Image.effect_noise((90, 60), 80).convert("RGB"))
    with pytest.raises(BadImage):
        decode(data[: len(data) // 2], 32)
