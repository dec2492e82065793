"""Orientation is what Pillow's exif_transpose makes of it, however it is written, whole or damaged."""

import io
import random
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from centigan.data.decode import DAMAGED_EXIF, Decoded, decode
from centigan.data.exif import orientation
from centigan.data.jpeg import read_header

SIDE = 16
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def picture() -> Image.Image:
    """Four colours in the corners, wider than high: no turn or flip looks like another."""
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :12], pixels[:8, 12:], pixels[8:, :12] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
    return Image.fromarray(pixels)


def saved(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, form, **options)
    return buffer.getvalue()


def block(entries: list[tuple[int, int, int, bytes]], order: str = ">") -> bytes:
    """An EXIF block: tag, type, count and the four bytes of value or place of each entry."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    directory = b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    head = mark + struct.pack(f"{order}IH", 8, len(entries))
    return b"Exif\0\0" + head + directory + bytes(4)


def turned(value: int, order: str = ">", kind: str = "H") -> bytes:
    code = {"H": 3, "I": 4, "B": 1}[kind]
    return block([(274, code, 1, struct.pack(f"{order}{kind}", value).ljust(4, b"\0"))], order)


def app1(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def jpeg(*inserted: bytes) -> bytes:
    plain = saved("JPEG", quality=95, subsampling=0)
    return plain[:2] + b"".join(inserted) + plain[2:]


def png(exif: bytes = b"", raw_profile: bytes = b"") -> bytes:
    plain, chunks = saved("PNG"), b""
    text = b"Raw profile type exif\0\nexif\n      10\n" + raw_profile.hex().encode() + b"\n"
    for name, content in ((b"eXIf", exif), (b"tEXt", text if raw_profile else b"")):
        if content:
            code = struct.pack(">I", zlib.crc32(name + content))
            chunks += struct.pack(">I", len(content)) + name + content + code
    return plain[:33] + chunks + plain[33:]


def xmp(value: int) -> bytes:
    return XMP + b'<x tiff:Orientation="%d"/>' % value


def by_pillow(data: bytes) -> np.ndarray | None:
    """The centre square as exif_transpose turns it; None where that fails."""
    with Image.open(io.BytesIO(data)) as image:
        try:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        except Exception:
            return None
    left, top = (upright.width - SIDE) // 2, (upright.height - SIDE) // 2
    return np.asarray(upright.crop((left, top, left + SIDE, top + SIDE)))


def require_as_pillow(data: bytes) -> Decoded:
    """Decoded, and turned as Pillow does; where Pillow fails, something must have been said of it."""
    found, expected = decode(data, SIDE), by_pillow(data)
    if expected is None:
        assert found.oddities
    else:
        assert np.abs(found.pixels.astype(int) - expected).mean() < 12
    return found


PLACES = {
    "plain": lambda value: jpeg(app1(turned(value))),
    "little endian": lambda value: jpeg(app1(turned(value, "<"))),
    "as LONG": lambda value: jpeg(app1(turned(value, kind="I"))),
    "as LONG, little endian": lambda value: jpeg(app1(turned(value, "<", "I"))),
    "as BYTE": lambda value: jpeg(app1(turned(value, kind="B"))),
    "behind fill bytes": lambda value: jpeg(b"\xff\xff\xff" + app1(turned(value))),
    "behind XMP": lambda value: jpeg(app1(XMP + b"<x/>"), app1(turned(value))),
    "in XMP alone": lambda value: jpeg(app1(xmp(value))),
    "in XMP behind EXIF without it": lambda value: jpeg(app1(block([])), app1(xmp(value))),
    "in EXIF against XMP": lambda value: jpeg(app1(xmp(3)), app1(turned(value))),
    "first of two": lambda value: jpeg(app1(turned(value)), app1(turned(3))),
    "twice in one": lambda value: jpeg(
        app1(block([(274, 3, 1, bytes([0, value, 0, 0])), (274, 3, 1, b"\0\3\0\0")]))
    ),
    "before a lost entry": lambda value: jpeg(app1(turned(value)[:14] + b"\0\5" + turned(value)[16:])),
    "PNG": lambda value: png(exif=turned(value)[6:]),
    "PNG's raw profile": lambda value: png(raw_profile=turned(value)),
    "WebP": lambda value: saved("WEBP", lossless=True, exif=turned(value)),
    "TIFF": lambda value: saved("TIFF", tiffinfo={274: value}),
    "compressed TIFF": lambda value: saved("TIFF", tiffinfo={274: value}, compression="tiff_lzw"),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_image_is_turned_as_pillow_turns_it_wherever_the_orientation_stands(place: str) -> None:
    told = {value: require_as_pillow(PLACES[place](value)).oddities for value in range(1, 9)}
    if place not in {"as BYTE", "twice in one"}:  # what Pillow makes of those is its own affair
        assert told[6] == ("turned upright, EXIF orientation 6",)
        assert told[1] == ((DAMAGED_EXIF,) if place == "before a lost entry" else ())


@pytest.mark.parametrize("lost", range(1, 27))
def test_exif_that_is_cut_is_turned_or_ignored_as_pillow_does(lost: int) -> None:
    found = require_as_pillow(jpeg(app1(turned(6)[:-lost])))
    assert found.oddities in {("turned upright, EXIF orientation 6",), (DAMAGED_EXIF,)}


def test_an_orientation_of_no_meaning_is_told() -> None:
    assert require_as_pillow(jpeg(app1(turned(0)))).oddities == (DAMAGED_EXIF,)
    assert require_as_pillow(jpeg(app1(turned(9)))).oddities == (DAMAGED_EXIF,)


def mutant(rng: random.Random) -> bytes:
    """A JPEG or PNG with one or two EXIF blocks of several entries, some of their bytes changed."""
    order = rng.choice("<>")
    kinds = [rng.choice([1, 2, 3, 4, 5, 7, 13, 99]) for _ in range(rng.randint(0, 4))]
    entries = [(rng.choice([270, 274, 282]), kind, rng.randint(0, 3), rng.randbytes(4)) for kind in kinds]
    value = struct.pack(f"{order}HH", rng.randint(0, 9), 0)
    entries.insert(rng.randint(0, len(entries)), (274, 3, 1, value))
    exif = bytearray(block(entries, order) + rng.randbytes(rng.choice([0, 40])))
    for _ in range(rng.randint(0, 3)):
        exif[rng.randrange(6, len(exif))] = rng.choice([0, 1, 3, 6, 8, 255])
    content = bytes(exif[: rng.choice([len(exif), rng.randrange(6, len(exif))])])
    match rng.randrange(4):
        case 0:
            return png(exif=content[6:] or b"M")
        case 1:
            return png(raw_profile=content)
        case 2:
            return jpeg(b"\xff" * rng.randint(0, 2) + app1(content), app1(rng.choice([xmp(6), turned(8)])))
        case _:
            return jpeg(app1(content))


def test_hundreds_of_damaged_blocks_are_turned_as_pillow_turns_them() -> None:
    rng = random.Random(0)
    found = [require_as_pillow(mutant(rng)) for _ in range(600)]
    said = {re.sub(r"\d", "", oddity) for image in found for oddity in image.oddities}
    assert said == {DAMAGED_EXIF, "turned upright, EXIF orientation "}


def test_a_cameras_plain_exif_is_read_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif.update({271: "a camera", 272: "a model of it", 274: 1, 282: 72.0, 283: 72.0, 306: "2008:01:01"})
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow was asked"))
    upright = saved("JPEG", exif=exif.tobytes())
    assert decode(upright, SIDE).oddities == ()
    with_xmp = upright[:2] + app1(xmp(1)) + upright[2:]
    assert decode(with_xmp, SIDE).oddities == ()


def test_a_header_is_found_behind_fill_bytes_and_markers_without_length() -> None:
    header = read_header(jpeg(b"\xff\xff", b"\xff\x01", app1(b"x"), b"\xff" * 9))
    assert header is not None
    assert (header.height, header.width, header.colours, header.in_first_scan) == (16, 24, 3, 3)
    assert len(header.app1) == 1


@pytest.mark.parametrize("noise", [b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", bytes(40)])
def test_a_block_that_is_not_whole_tells_no_orientation(noise: bytes) -> None:
    assert orientation(noise) is None
