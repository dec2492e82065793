"""A JPEG's header, found as libjpeg finds it, and how much work its scans are.

ITU T.81, annex B: a marker is 0xFF and a byte, after any number of 0xFF to fill; most have a length and a
content. The loop is in every image's way: it takes 10 us of 1200.
"""

import re
import struct
from typing import NamedTuple

START = b"\xff\xd8"
MARKER = re.compile(rb"\xff[^\x00\xff]")
MARKER_AND_LENGTH = struct.Struct(">BBH").unpack_from
SIZE_AND_COLOURS = struct.Struct(">xHHB").unpack_from
PROGRESSIVE, ARITHMETIC = 0xC2, {0xC9, 0xCA, 0xCB}
FRAMES = {0xC0, 0xC1, PROGRESSIVE, 0xC3, *ARITHMETIC}
APP1, START_OF_SCAN, END = 0xE1, 0xDA, 0xD9
NO_MARKER = {0x00, 0xFF}  # after 0xFF
SHORTEST_SCAN = 10  # bytes, with nothing in it
ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without length and content


class Header(NamedTuple):
    """What stands before the first scan."""

    frame: int  # its marker
    height: int
    width: int
    colours: int
    in_first_scan: int  # colours
    app1: list[tuple[int, int]]  # first byte and end of each content; there EXIF and XMP stand
    scan: int  # where the first scan's marker is


def read_header(data: bytes) -> Header | None:
    """The header of the JPEG that `data` begins with; None where it has no frame or no scan."""
    place, app1 = len(START), []
    frame: tuple[int, int, int, int] | None = None
    try:
        while True:
            begin, marker, length = MARKER_AND_LENGTH(data, place)
            if begin != 0xFF or marker in NO_MARKER or marker in ALONE:
                place = _next_marker(data, place + (marker in ALONE))
                continue
            if marker == APP1:
                app1.append((place + 4, place + 2 + length))
            elif marker in FRAMES:
                height, width, colours = SIZE_AND_COLOURS(data, place + 4)
                frame = marker, height, width, colours
            elif marker == START_OF_SCAN:
                return Header(*frame, data[place + 4], app1, place) if frame else None
            elif marker == END:
                return None
            place += 2 + length
    except (struct.error, IndexError):  # the data end
        return None


def work(data: bytes, header: Header, enough: int) -> int:
    """How many pixels decoding goes through: all, once or, where scans build on one another, once a scan.

    Up to `enough` it is an upper bound: what looks like a scan's marker is quickly counted, and may be none.
    """
    pixels = header.height * header.width
    if header.frame != PROGRESSIVE and header.in_first_scan == header.colours:
        return pixels
    bound = pixels * (len(data) // SHORTEST_SCAN)
    if bound > enough:
        bound = pixels * data.count(bytes([0xFF, START_OF_SCAN]), header.scan)
    return bound if bound <= enough else pixels * _scans(data, header.scan)


def _scans(data: bytes, place: int) -> int:
    """The number of scans from the first one's marker to the image's end."""
    scans = 0
    while (found := MARKER.search(data, place)) and data[found.end() - 1] != END:
        marker, place = data[found.end() - 1], found.end()
        scans += marker == START_OF_SCAN
        if marker not in ALONE:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
    return scans


def _next_marker(data: bytes, place: int) -> int:
    found = MARKER.search(data, place)
    return found.start() if found else len(data)
