"""Decoding against Pillow: any format, any oddity, with and without reduction."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from centigan.data.decode import BadImage, decode, decode_planar, resize
from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.data.exif import orientation
from centigan.data.fixture import oddities
from centigan.data.squares import Crop, centre_square, reduction, square_of

Pixels = np.ndarray


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def photograph(name: str = "chelsea") -> Image.Image:
    with Image.open(packaged(*PHOTOGRAPHS[name])) as image:
        return image.convert("RGB")


def by_pillow(image: Image.Image, side: int) -> Pixels:
    """The protocol in Pillow alone: full decoding, the same square, bicubic."""
    top, left, short = centre_square(image.height, image.width, reduction(image.height, image.width, side))
    box = (left, top, left + short, top + short)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def psnr(first: Pixels, second: Pixels) -> float:
    error = np.mean((first.astype(float) - second) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([32, 64, 128, 256]))
def test_the_square_is_central_within_a_reduced_pixel_and_divides_by_the_reduction(
    height: int, width: int, side: int
) -> None:
    factor = reduction(height, width, side)
    top, left, short = centre_square(height, width, factor)
    assert top % factor == left % factor == short % factor == 0
    assert min(height, width) - factor < short <= min(height, width)
    assert abs((height - short) / 2 - top) < factor
    assert abs((width - short) / 2 - left) < factor
    assert factor == 1 or short // factor >= 1.39 * side


def test_nothing_is_reduced_that_would_have_to_be_enlarged_again() -> None:
    assert [reduction(375, 500, side) for side in (32, 64, 128, 256, 512)] == [4, 2, 2, 1, 1]


def test_the_square_of_a_wide_image_is_its_middle() -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 200
    assert (decode(encoded(Image.fromarray(pixels), "PNG"), 40).pixels == 200).all()


def test_shrinking_a_fine_checkerboard_gives_grey_not_aliasing() -> None:
    board = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    small = resize(np.repeat(board[..., None], 3, 2), 32)
    assert np.abs(small.astype(float) - 127.5).max() < 4


@pytest.mark.parametrize("side", [16, 100, 451])
def test_resizing_equals_pillows_within_rounding(side: int) -> None:
    square = photograph().crop((0, 0, 300, 300))
    expected = np.asarray(square.resize((side, side), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(resize(np.asarray(square.copy()).copy(), side) - expected).max() <= 1


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "china", "rocket"])
@pytest.mark.parametrize(("side", "least"), [(64, 49), (128, 39)])
def test_reduced_decoding_cannot_be_told_from_full_decoding(name: str, side: int, least: float) -> None:
    data = encoded(photograph(name).resize((500, 375)), quality=94, subsampling="4:2:0")
    full = by_pillow(Image.open(io.BytesIO(data)), side)
    assert psnr(decode(data, side, dct_scaling=False).pixels, full) > 50
    assert psnr(decode(data, side).pixels, full) > least
    assert (decode(data, side).pixels != decode(data, side, dct_scaling=False).pixels).any()


@given(st.integers(1, 700), st.integers(1, 700))
def test_every_size_of_jpeg_gives_the_square_asked_for(height: int, width: int) -> None:
    data = encoded(Image.linear_gradient("L").convert("RGB").resize((width, height)))
    assert decode(data, 32).pixels.shape == (32, 32, 3)
    full, reduced = decode(data, 32, dct_scaling=False).pixels, decode(data, 32).pixels
    assert np.abs(full.astype(int) - reduced).mean() < 4


PUBLISHED_CROPS = {  # of CelebA's 218 rows and 178 columns: rows and columns as the papers' code writes them
    Crop(148, 5): (slice(40, 188), slice(15, 163)),  # real NVP, VAE/GAN
    Crop(128, 12): (slice(57, 185), slice(25, 153)),  # progressive GAN: 64 to each side of (89, 121)
    Crop(108): (slice(55, 163), slice(35, 143)),  # DCGAN in TensorFlow
    Crop(140): (slice(39, 179), slice(19, 159)),
}


@pytest.mark.parametrize("crop", PUBLISHED_CROPS)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_crop_is_the_rows_and_columns_that_papers_name(crop: Crop, form: str) -> None:
    data = encoded(photograph().resize((178, 218)), form)
    rows, columns = PUBLISHED_CROPS[crop]
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("RGB"))[rows, columns]
    found = decode(data, crop.side, dct_scaling=False, crop=crop).pixels
    np.testing.assert_array_equal(found, expected)


@given(
    st.integers(8, 700), st.integers(8, 700), st.integers(8, 300), st.integers(-40, 40), st.integers(4, 64)
)
def test_a_crop_is_never_moved_by_reduced_decoding(
    height: int, width: int, cut: int, down: int, side: int
) -> None:
    square = square_of(height, width, side, Crop(cut, down))
    top, left = (height - cut) // 2 + down, (width - cut) // 2
    if square is None:
        assert min(top, left, height - top - cut) < 0
    else:
        assert square[:3] == (top, left, cut)
        assert not any(edge % square.factor for edge in square[:3])
        assert square.factor == 1 or cut // square.factor >= 1.39 * side


def test_a_crop_whose_edges_divide_is_decoded_smaller_and_shows_the_same() -> None:
    data = encoded(photograph().resize((400, 360)), quality=94)
    crop = Crop(256, 4)  # from row 56, column 72
    reduced, full = (decode(data, 64, dct_scaling=scaled, crop=crop).pixels for scaled in (True, False))
    assert square_of(360, 400, 64, crop) == (56, 72, 256, 2)
    assert (reduced != full).any()
    assert psnr(reduced, full) > 46


def test_a_crop_is_of_the_upright_image() -> None:
    upright = photograph().resize((60, 90))
    data = encoded(upright, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    crop = Crop(40, 20)
    np.testing.assert_array_equal(decode(lying, 20, crop=crop).pixels, decode(data, 20, crop=crop).pixels)


@pytest.mark.parametrize(("crop", "where"), [(Crop(149), ""), (Crop(140, 5), ", 5 below its centre")])
def test_an_image_without_the_crop_is_a_bad_one(crop: Crop, where: str) -> None:
    told = f"has 178 x 148 pixels, and arrays.crop cuts {crop.side} x {crop.side} of it{where}"
    for form in ("PNG", "JPEG"):
        with pytest.raises(BadImage, match=f"^{told}$"):
            decode(encoded(photograph().resize((178, 148)), form), 64, crop=crop)


def test_plain_bytes_are_cropped_too() -> None:
    stored = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    found = decode_planar(stored.tobytes(), 28, crop=Crop(28, 1)).pixels
    np.testing.assert_array_equal(found, stored.transpose(1, 2, 0)[3:31, 2:30])


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_colour_mode_becomes_what_pillow_makes_of_it(mode: str) -> None:
    image = photograph().convert(mode)
    data = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    assert psnr(decode(data, 64).pixels, by_pillow(Image.open(io.BytesIO(data)).convert("RGB"), 64)) > 50


def test_16_bit_images_keep_their_upper_byte() -> None:
    levels = (np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64)
    found = decode(encoded(Image.fromarray(levels), "PNG"), 64)
    assert np.array_equal(found.pixels[..., 0], (levels >> 8).astype(np.uint8))
    assert found.oddities == ("16 bit",)


SAID = {  # oddity of the fixture -> what is said of it
    "PNG named JPEG": ("PNG named .JPEG",),
    "CMYK": ("CMYK, inverted by Adobe",),
    "CMYK without Adobe marker": ("CMYK",),
    "YCCK": ("CMYK, inverted by Adobe",),
    "greyscale": ("greyscale",),
    "EXIF orientation 6": ("turned upright, EXIF orientation 6",),
    "EXIF orientation 1": (),
    "damaged EXIF": ("damaged EXIF ignored",),
    "bytes before the end": (),
}


@pytest.mark.parametrize("oddity", SAID)
def test_every_oddity_of_imagenet_shows_the_same_picture_and_is_told(oddity: str) -> None:
    files = oddities()
    assert files.keys() == SAID.keys()
    picture = Image.open(io.BytesIO(files["PNG named JPEG"]))
    expected = by_pillow(picture.convert("L").convert("RGB") if oddity == "greyscale" else picture, 128)
    found = decode(files[oddity], 128, name="n02105855_2933.JPEG")
    assert found.oddities == SAID[oddity]
    assert psnr(found.pixels, expected) > 32


@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_is_turned_upright_as_pillow_does(number: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = number
    data = encoded(photograph().resize((300, 200)), exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert psnr(decode(data, 100).pixels, by_pillow(upright, 100)) > 35


@given(st.binary(max_size=200))
def test_any_bytes_as_exif_are_an_orientation_or_damaged(noise: bytes) -> None:
    for block in (noise, b"II*\0\x08\0\0\0" + noise, b"MM\0*\0\0\0\x08" + noise):
        assert orientation(block) in {None, *range(1, 9)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\xff\xd8", "is no image"),
        (b"\xff\xd8" + bytes(999), "is no image"),
        (b"GIF89a", "is no image|cannot be read"),
        (encoded(Image.new("F", (9, 9)), "TIFF"), "32 bits"),
    ],
)
def test_what_is_no_image_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        decode(data, 32)


@given(cut=st.floats(0, 0.98))
def test_a_cut_jpeg_is_never_an_image(cut: float) -> None:
    data = encoded(photograph().resize((120, 90)))
    with pytest.raises(BadImage):
        decode(data[: int(len(data) * cut)], 32)


def test_a_jpeg_that_claims_billions_of_pixels_is_refused() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64))))
    place = data.index(b"\xff\xc0")  # start of frame: length, precision, height, width
    data[place + 5 : place + 9] = b"\xff\x00\xff\x00"
    with pytest.raises(BadImage, match="absurdly large"):
        decode(bytes(data), 32)


def test_cifars_planes_become_an_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    planes = image.transpose(2, 0, 1).tobytes()
    assert np.array_equal(decode_planar(planes, 32).pixels, image)
    with pytest.raises(BadImage, match="3071 bytes"):
        decode_planar(planes[1:], 32)
