"""One raw image to a square of pixels. The protocol, step by step, is in docs/protocols.md.

JPEGs in RGB or greyscale take the fast way, simplejpeg; everything else, and everything that is odd in any
way, goes through Pillow, and what was odd is told.
"""

import io
import struct
import warnings
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from torch.nn import functional as F

from centigan.data import formats, jpeg
from centigan.data.exif import ORIENTATION, TURNS, UPRIGHT, is_whole, jpeg_orientation
from centigan.data.squares import Crop, Square, square_of

# Pillow's limit against decompression bombs, for every format. There a PNG of 0.3 MB takes 5 s and 1.4 GB, a
# JPEG, which is decoded at an eighth, 0.1 s.
MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485
# A progressive JPEG has 10 scans, of CMYK 18: so many of the largest image. A scan with nothing in it takes
# 1 ns a pixel, so 2 s at this limit; without it 200 scans of 30 million pixels, 70 KB, took 6 s.
MOST_WORK = 20 * MOST_PIXELS
MOST_CHUNKS = 100  # compressed texts and profiles of a PNG: Pillow inflates each to 1 MB at most, in 4 ms
PNG = b"\x89PNG\r\n\x1a\n"
DAMAGED_EXIF, GREYSCALE = "damaged EXIF ignored", "greyscale"

# Pillow only warns of bombs and of damaged EXIF, and a warning names no file: the first is an error here, the
# second is told as an oddity.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.simplefilter("error", Image.DecompressionBombWarning)
Image.init()  # now: a plugin that cannot be imported at the first odd image would look like a damaged one


Pixels = NDArray[np.uint8]  # (height, width, 3) or (side, side, 3), RGB


class BadImage(Exception):  # noqa: N818
    """A file that is no image, or no whole one; the text completes "this file ..."."""


class Decoded(NamedTuple):
    pixels: Pixels  # (side, side, 3)
    oddities: tuple[str, ...]  # what was converted or ignored: "cmyk", "greyscale", ...


def decode(
    data: bytes, side: int, *, name: str = "", dct_scaling: bool = True, crop: Crop | None = None
) -> Decoded:
    """A square of an encoded image, resized to side x side.

    Args:
        name: the file's name, whose suffix is compared with what the file really is.
        crop: which square; by default the largest centred one.

    Raises:
        BadImage: when it is empty, no image, damaged, absurdly large or without the square.
    """
    if not data:
        raise BadImage("is empty")
    oddities: set[str] = set()
    try:
        square = _fast(data, side, oddities, dct_scaling=dct_scaling, crop=crop)
        if square is None:
            square = _thorough(data, side, name, oddities, crop=crop)
    except UnidentifiedImageError:
        known = formats.unread(data)
        raise BadImage(
            f"is {known}, which is not read; convert it to PNG or JPEG" if known else "is no image"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"is absurdly large: {error}") from None
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # of whatever kind: decoders raise what they like on damaged data
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the machine's trouble, not the image's
        raise BadImage(f"cannot be read: {error} ({type(error).__name__})") from error
    return Decoded(resize(square, side), tuple(sorted(oddities)))


def decode_planar(
    data: bytes,
    side: int,
    stored: int = 32,
    *,
    by_column: bool = False,
    planes: int = 3,
    crop: Crop | None = None,
) -> Decoded:
    """The same of bytes, stored x stored of red, then green, then blue: CIFAR's 3072.

    Args:
        by_column: whether each plane is stored column by column, as STL-10's are.
        planes: 3, or 1 of a grey image, which becomes three equal channels.
    """
    if len(data) != planes * stored**2:
        raise BadImage(f"has {len(data)} bytes instead of {planes * stored**2}")
    stack = np.frombuffer(data, np.uint8).reshape(planes, stored, stored)
    whole = np.broadcast_to(stack.transpose((2, 1, 0) if by_column else (1, 2, 0)), (stored, stored, 3))
    top, left, wide, _ = _square(stored, stored, side, crop)
    return Decoded(resize(whole[top : top + wide, left : left + wide], side), ())


@torch.inference_mode()
def resize(square: Pixels, side: int) -> Pixels:
    """(H, H, 3) -> (side, side, 3) by antialiased bicubic, in bytes; equals Pillow's within rounding."""
    image = torch.from_numpy(np.ascontiguousarray(square))[None].permute(0, 3, 1, 2)  # channels last
    resized = F.interpolate(image, (side, side), mode="bicubic", antialias=True)
    return resized[0].permute(1, 2, 0).numpy()


def _fast(
    data: bytes, side: int, oddities: set[str], *, dct_scaling: bool, crop: Crop | None
) -> Pixels | None:
    """The square of a JPEG; None for whatever needs a more thorough look."""
    if not data.startswith(jpeg.START):
        return None
    header = jpeg.read_header(data)
    if header is None:
        return None
    _require_bounded_jpeg(data, header)
    turn = jpeg_orientation(data, header)
    if turn is None:
        with _open(data) as image:
            turn = _orientation(image, oddities)
    if turn in TURNS:
        return None
    height, width = header.height, header.width
    if header.colours not in {1, 3} or height * width > MOST_PIXELS:
        return None
    square = _square(height, width, side, crop)
    scale = square.factor if dct_scaling else 1
    try:
        image = simplejpeg.decode_jpeg(data, min_height=-(-height // scale), min_width=-(-width // scale))
    except ValueError:
        return None
    if header.colours == 1:
        oddities.add(GREYSCALE)
    top, left, wide = (edge // scale for edge in square[:3])
    return image[top : top + wide, left : left + wide]


def _square(height: int, width: int, side: int, crop: Crop | None) -> Square:
    square = square_of(height, width, side, crop)
    if square is None:
        assert crop, "a largest square there always is"
        below = f", {crop.down} below its centre" if crop.down else ""
        raise BadImage(
            f"has {width} x {height} pixels, and arrays.crop cuts {crop.side} x {crop.side} of it{below}"
        )
    return square


def _require_bounded_jpeg(data: bytes, header: jpeg.Header) -> None:
    """Refuse a JPEG whose decoding would take long out of proportion."""
    if header.frame in jpeg.ARITHMETIC:  # 7 times slower than Huffman's, and no browser shows it
        raise BadImage("is a JPEG with arithmetic coding, which is not read; convert it to PNG or JPEG")
    if (work := jpeg.work(data, header, MOST_WORK)) > MOST_WORK:
        raise BadImage(f"is absurdly large: its scans go through {work:,} pixels, {MOST_WORK:,} at most")


def _thorough(data: bytes, side: int, name: str, oddities: set[str], *, crop: Crop | None) -> Pixels:
    """The square of any image that Pillow can read."""
    with _open(data) as image:
        suffix = PurePath(name).suffix
        if Image.registered_extensions().get(suffix.lower(), image.format) != image.format:
            oddities.add(f"{image.format} named {suffix}")
        by_itself = image.format == "TIFF"  # Pillow turns a TIFF as it loads it, and forgets that it did
        if not by_itself:
            image.load()  # a PNG's EXIF may come last
        turn = _orientation(image, oddities)
        rgb = _to_rgb(image, oddities)
        if turn != UPRIGHT and not by_itself:
            rgb = rgb.transpose(TURNS[turn])
        top, left, wide, _ = _square(rgb.height, rgb.width, side, crop)
        return np.array(rgb.crop((left, top, left + wide, top + wide)))


def _open(data: bytes) -> ImageFile.ImageFile:
    """An image of a format that is read, its pixels not decoded yet."""
    if data.startswith(PNG) and _unfolding_chunks(data) > MOST_CHUNKS:
        raise BadImage(f"has more than {MOST_CHUNKS} compressed texts and profiles")
    image = Image.open(io.BytesIO(data), formats=formats.READ)
    decoders = {tile.codec_name for tile in image.tile}
    if slow := decoders & formats.SLOW.keys():
        raise BadImage(f"is {formats.SLOW[slow.pop()]}, which is not read; convert it to PNG or JPEG")
    if isinstance(image, TiffImageFile):
        width, height = (image.tag_v2.get(tag, 0) for tag in (TILEWIDTH, TILELENGTH))
        if width * height > MOST_PIXELS:  # libtiff makes room for a whole tile, however small the image
            raise BadImage(f"is absurdly large: its tiles have {width} x {height} pixels")
    return image


def _unfolding_chunks(png: bytes) -> int:
    """The number of a PNG's chunks that Pillow inflates besides its pixels."""
    found, place = 0, len(PNG)
    while place + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        found += name in {b"iCCP", b"zTXt", b"iTXt"}
        place += 12 + length
    return found


def _orientation(image: Image.Image, oddities: set[str]) -> int:
    """EXIF's orientation as Pillow's ImageOps.exif_transpose takes it, damaged EXIF being none."""
    try:
        turn = image.getexif().get(ORIENTATION, UPRIGHT)
    except Exception:  # Pillow lets through whatever its parser meets; the pixels may be whole
        oddities.add(DAMAGED_EXIF)
        return UPRIGHT
    if turn in TURNS:
        oddities.add(f"turned upright, EXIF orientation {int(turn)}")
        return int(turn)
    exif = image.info.get("exif")
    if turn != UPRIGHT or (isinstance(exif, bytes) and not is_whole(exif)):
        oddities.add(DAMAGED_EXIF)
    return UPRIGHT


def _to_rgb(image: Image.Image, oddities: set[str]) -> Image.Image:
    """An image as Pillow opened it, in any mode -> RGB."""
    mode = image.mode
    if mode in {"1", "L", "LA"}:
        oddities.add(GREYSCALE)
    if mode == "P":
        oddities.add("palette")
    if mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        oddities.add("transparency dropped")
    if mode == "CMYK":
        inverted = "adobe" in image.info  # Adobe's programs store a JPEG's CMYK inverted
        oddities.add("CMYK, inverted by Adobe" if inverted else "CMYK")
        if image.format == "JPEG" and not inverted:  # Pillow takes every CMYK JPEG for Adobe's
            image = ImageChops.invert(image)
    if mode.startswith("I;16"):
        oddities.add("16 bit")
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif mode in {"I", "F"}:
        raise BadImage(f"has pixels of 32 bits (mode {mode}); its range is not known")
    return image.convert("RGB")
