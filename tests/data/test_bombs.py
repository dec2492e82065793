"""Small files that ask for much work are refused in no time, and told why."""

import io
import struct
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from centigan.data.decode import MOST_WORK, BadImage, decode
from centigan.data.jpeg import read_header, work


@pytest.fixture(autouse=True)
def _in_no_time() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 1


def encoded(form: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize(size).save(buffer, form, **options)
    return buffer.getvalue()


def with_scans(data: bytes, more: int) -> bytes:
    """A progressive JPEG whose last scan, with its table, comes `more` times again."""
    last = data.rindex(b"\xff\xc4", 0, data.rindex(b"\xff\xda"))
    return data[:-2] + data[last:-2] * more + data[-2:]


def of_size(data: bytes, height: int, width: int) -> bytes:
    """The same JPEG, whose frame claims another size."""
    place = max(data.find(b"\xff\xc0\0\x11"), data.find(b"\xff\xc2\0\x11")) + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def tiff(tile: int) -> bytes:
    """A TIFF of 10 x 10 pixels in one tile of tile x tile."""
    content = zlib.compress(bytes(100))
    tags = {
        256: 10,
        257: 10,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        322: tile,
        323: tile,
        324: 134,
        325: len(content),
    }
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4) + content


def test_a_jpeg_of_more_scans_than_its_size_bears_is_refused() -> None:
    data = with_scans(of_size(encoded("JPEG", progressive=True), 5000, 6000), 200)
    assert len(data) < 70_000
    with pytest.raises(BadImage, match=r"is absurdly large: its scans go through 6,300,000,000 pixels"):
        decode(data, 64)


def test_many_scans_of_a_small_jpeg_and_few_of_a_large_one_are_read() -> None:
    ordinary = encoded("JPEG", (400, 300), progressive=True)
    assert (
        np.abs(decode(with_scans(ordinary, 90), 64).pixels.astype(int) - decode(ordinary, 64).pixels).max()
        < 9
    )
    assert decode(encoded("JPEG", (3000, 2000), progressive=True), 64).oddities == ()


def test_scans_are_counted_where_they_matter() -> None:
    """Bytes that look like a scan, in a comment or behind the end, are none; scans of one colour each are."""
    progressive = of_size(encoded("JPEG", progressive=True), 9000, 9000)
    comment = b"\xff\xfe" + struct.pack(">H", 1002) + b"\xff\xda" * 500
    last = progressive.rindex(b"\xff\xda")
    for data in (progressive[:last] + comment + progressive[last:], progressive + b"\xff\xda" * 500):
        header = read_header(data)
        assert header is not None
        assert work(data, header, MOST_WORK) == 10 * 9000 * 9000
    baseline = read_header(encoded("JPEG"))
    assert baseline is not None
    assert work(b"", baseline, 0) == 64 * 48
    assert work(bytes(700), baseline._replace(in_first_scan=1), MOST_WORK) == 70 * 64 * 48


def test_a_jpeg_of_fill_bytes_only_is_no_image() -> None:
    with pytest.raises(BadImage):
        decode(b"\xff\xd8" + b"\xff" * 100_000, 64)


def test_arithmetic_coding_is_refused() -> None:
    data = encoded("JPEG", progressive=True).replace(b"\xff\xc2\0\x11", b"\xff\xca\0\x11")
    with pytest.raises(BadImage, match="is a JPEG with arithmetic coding, which is not read"):
        decode(data, 64)


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_png_of_texts_and_profiles_that_unfold_is_refused(name: bytes) -> None:
    small, plain = zlib.compress(bytes(1 << 20)), encoded("PNG")
    before = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"icc\0\0"}[name]
    with pytest.raises(BadImage, match="more than 100 compressed texts and profiles"):
        decode(plain[:33] + chunk(name, before + small) * 1000 + plain[33:], 32)
    large = zlib.compress(bytes(1 << 24))
    with pytest.raises(BadImage, match=r"cannot be read: Decompressed data too large.*\(ValueError\)"):
        decode(plain[:33] + chunk(name, before + large) + plain[33:], 32)
    assert decode(plain[:33] + chunk(name, before + zlib.compress(b"x")) + plain[33:], 32).oddities == ()


def test_a_tiffs_tile_that_is_larger_than_any_image_is_refused() -> None:
    with pytest.raises(BadImage, match="is absurdly large: its tiles have 40000 x 40000 pixels"):
        decode(tiff(40_000), 32)


HUGE = {
    "PNG": encoded("PNG")[:8]
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 36_000, 36_000, 8, 2, 0, 0, 0))
    + encoded("PNG")[33:],
    "GIF": b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\2\x4c\1\0;",
    "BMP": encoded("BMP")[:18] + struct.pack("<ii", 36_000, 36_000) + encoded("BMP")[26:],
    "PPM": b"P6 36000 36000 255\n" + bytes(99),
    "WEBP": b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff\x8f\0\xff\x8f\0",
    "JPEG": of_size(encoded("JPEG"), 36_000, 36_000),
}


@pytest.mark.parametrize("form", HUGE)
def test_a_header_that_claims_a_billion_pixels_is_refused(form: str) -> None:
    with pytest.raises(BadImage, match="is absurdly large"):
        decode(HUGE[form], 32)


def test_exif_whose_values_lie_over_one_another_is_read_once() -> None:
    entries = b"".join(struct.pack("<HHII", 1000 + n, 7, 60_000, 0) for n in range(5000))
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5000) + entries
    plain = encoded("JPEG")
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    assert decode(data, 32).oddities == ("damaged EXIF ignored",)
