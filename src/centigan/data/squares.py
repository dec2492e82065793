"""Which square of an image is trained on, and how far a JPEG may be decoded smaller for it."""

from typing import NamedTuple

# A JPEG is decoded at 1/8, 1/4 or 1/2 where the square is then still so many times wider than needed.
# Measured on photographs against full decoding: 44 dB PSNR at the least margin, 50 dB and more above 2.
MARGINS = {8: 2.0, 4: 2.0, 2: 1.4}


class Crop(NamedTuple):
    """A square of so many pixels of the upright image, whose centre lies `down` pixels below the image's."""

    side: int
    down: int = 0


class Square(NamedTuple):
    """Where a square begins, how wide it is, and how many times smaller a JPEG may be decoded for it."""

    top: int
    left: int
    side: int
    factor: int


def reduction(height: int, width: int, side: int) -> int:
    """How many times smaller a JPEG may be decoded: 1, 2, 4 or 8."""
    short = min(height, width)
    return next((factor for factor, margin in MARGINS.items() if short // factor >= margin * side), 1)


def centre_square(height: int, width: int, factor: int) -> tuple[int, int, int]:
    """top, left, side of the largest centred square, each rounded down to a multiple of `factor`.

    At the multiples the square's edges fall between pixels of the reduced image as well: reduced and
    full decoding show the same picture. Without it their PSNR is 36 instead of 47 dB.
    """
    short = min(height, width) // factor * factor
    return (height - short) // 2 // factor * factor, (width - short) // 2 // factor * factor, short


def square_of(height: int, width: int, side: int, crop: Crop | None = None) -> Square | None:
    """The square of an image that becomes side x side; None where the crop does not lie within the image.

    A crop is exactly the one that is asked for: a JPEG is decoded smaller only where the crop's edges fall
    between pixels of the reduced image, too.
    """
    if crop is None:
        factor = reduction(height, width, side)
        return Square(*centre_square(height, width, factor), factor)
    top, left = (height - crop.side) // 2 + crop.down, (width - crop.side) // 2
    if min(top, left, height - top - crop.side) < 0:
        return None
    fitting = (factor for factor in MARGINS if not any(edge % factor for edge in (top, left, crop.side)))
    factor = next((each for each in fitting if crop.side // each >= MARGINS[each] * side), 1)
    return Square(top, left, crop.side, factor)
