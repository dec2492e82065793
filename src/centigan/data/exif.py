"""EXIF's orientation, read from the bytes themselves: Pillow only warns of damage, and names no file.

CIPA DC-008 (EXIF 2.3), section 4.5: a TIFF header, then directories of 12-byte entries.
"""

import struct

from PIL import Image

MARK = b"Exif\x00\x00"
APP1, START_OF_SCAN = (
    b"\xe1",
    b"\xda",
)  # JPEG markers: the segment that EXIF stands in; where the image begins
ORIENTATION = 274  # tag
UPRIGHT = 1
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def jpeg_orientation(data: bytes) -> int | None:
    """Orientation of a JPEG file: 1..8, 1 meaning upright or not said; None when the EXIF is damaged."""
    place = 2  # after the start of image
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != START_OF_SCAN:
        content, end = place + 4, place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place + 1 : place + 2] == APP1 and data.startswith(MARK, content):
            return orientation(data[content:end])
        place = end
    return UPRIGHT


def orientation(exif: bytes) -> int | None:
    """The same from the EXIF block alone, with or without its mark."""
    tiff = exif.removeprefix(MARK)
    byte_order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if byte_order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{byte_order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{byte_order}H", tiff, start)
        found = [struct.unpack_from(f"{byte_order}HHIH", tiff, start + 2 + 12 * n) for n in range(entries)]
    except struct.error:
        return None
    values = [value for tag, _, _, value in found if tag == ORIENTATION]
    value = values[0] if values else UPRIGHT
    return value if value == UPRIGHT or value in TURNS else None
