"""Which formats of images are read, and the names of those that are not.

Pillow opens 43 formats, EPS by running Ghostscript on what the file says. A raw image is only data: what is
read is what ImageNet and data sets like it hold, and what needs no program but a decoder in C.
"""

import re

# "JPEG" reads cameras' MPO, too: its first picture. AVIF stays out: Pillow has it since 11.3 only, so equal
# data would give other arrays, and its header does not bind the size of what is decoded.
READ = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
# Pillow decodes these kinds of BMP and PPM in Python, byte by byte: a file of 1 MB took it up to 22 s.
SLOW = {"bmp_rle": "run-length coded BMP", "ppm": "PPM of unusual depth", "ppm_plain": "PPM written as text"}

START = 32  # bytes, enough to tell one of these
READ_STARTS = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]"
    # a text may begin with BM or P5, too: the length of a BMP's second header, a PPM's width and height
    rb"|BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|P[456]\s+(?:#|\d+\s+\d+\s)",
    re.DOTALL,
)
STARTS = {  # the first bytes of a file -> its format
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"%PDF": "PDF",
    b"8BPS": "Photoshop's PSD",
    b"gimp xcf": "Gimp's XCF",
    b"\0\0\0\x0cjP  \r\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cJXL \r\n": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"<svg": "SVG",
    b"<?xml": "SVG or other XML",
    b"DDS ": "DDS",
    b"FTEX": "FTEX",
    b"BLP1": "BLP",
    b"BLP2": "BLP",
    b"qoif": "QOI",
    b"icns": "ICNS",
    b"\0\0\1\0": "ICO",
    b"\0\0\2\0": "CUR",
    b"SIMPLE": "FITS",
    b"\x89HDF": "HDF5",
    b"GRIB": "GRIB",
    b"BUFR": "BUFR",
    b"\x0a\5\1\x08": "PCX",
    b"\x01\xda": "SGI",
    b"\x59\xa6\x6a\x95": "Sun raster",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"/* XPM */": "XPM",
}
BRANDS = {  # of files in boxes, whose second word is "ftyp"
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
}


def is_read(data: bytes) -> bool:
    """Whether a file is of a format that is read, by its first START bytes."""
    return READ_STARTS.match(data) is not None


def unread(data: bytes) -> str | None:
    """The name of a format that is not read, by a file's first bytes; None where they tell nothing."""
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "a film or picture in MP4's boxes")
    return next((name for start, name in STARTS.items() if data.startswith(start)), None)
