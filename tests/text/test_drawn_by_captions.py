"""Images of sentences that a person writes, drawn by the text encoder of the training and by no other."""

from pathlib import Path

import numpy as np
import pytest
import torch
from captioned_shapes import small_encoder
from PIL import Image
from small import ARRAYS, TRAIN

import centigan
from centigan.captioned_sheet import draw_captions
from centigan.data.arrays import build_arrays
from centigan.data.captioned_fixture import write_captioned
from centigan.data.index import build_index
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings.data import DataSettings
from centigan.settings.families.gan_cls import GanClsConfig
from centigan.settings.families.style_encoder import StyleEncoderConfig
from centigan.text import embed_captions, fit_text_encoder
from centigan.training.loop import train_split

ASKED = ["a small picture of astronaut", "this is astronaut, and it looks dark"]


def learn_to_read(layout: Layout, seed: int) -> None:
    settings = small_encoder("bow").model_copy(update={"seed": seed})
    fit_text_encoder([layout.arrays("00")], settings, layout.text)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An experiment on small photographs with captions, whose one split is trained for a few iterations."""
    layout, raw = Layout("birds/gan_cls", tmp_path), tmp_path / "raw"
    write_captioned("cub200", raw, classes=4, per_class=4, held_out_per_class=2)
    data = DataSettings(source="cub200", root=str(raw), classes=4, split_size=4, held_out=0.34)
    build_index(layout, data)
    build_arrays(layout, "00", ARRAYS, raw)
    learn_to_read(layout, 0)
    embed_captions(layout.arrays("00"), layout.text, layout.captions("00"))
    model = GanClsConfig(width=0.05, text_units=8, latent=4)
    stage = TRAIN.model_copy(update={"model": model})
    train_split(layout, "00", stage, device=torch.device("cpu"))
    return layout


def test_sentences_are_drawn_by_the_encoder_of_the_training_alone(layout: Layout) -> None:
    generator = centigan.load(layout.experiment, root=layout.root)
    drawn = generator.sample_captions(ASKED, seed=1)
    assert (drawn.shape, drawn.dtype) == ((2, 32, 32, 3), np.uint8)
    assert np.array_equal(drawn[1:], generator.sample_captions(ASKED, seed=1)[1:])
    refused = {
        "": "is empty or without words",
        "qqq": "knows none of its words",
        "a " * 999: "has 999 words, and the longest training caption",
        None: "a sentence is expected, not None",
    }
    for sentence, message in refused.items():
        with pytest.raises(UserError, match=f"^captions?.*{message}|^a caption {message}"):
            generator.sample_captions([sentence])
    with pytest.raises(
        UserError, match=r"^number 1 of 3: a caption is empty.*\nnumber 3 of 3: .* none of its"
    ):
        generator.sample_captions(["", ASKED[0], "qqq"])
    known = layout.text / "vocabulary.json"
    whole = known.read_text()
    known.write_text(whole[::-1])
    with pytest.raises(UserError, match=r"vocabulary\.json is not what SHA256SUMS beside it says"):
        centigan.load(layout.experiment, root=layout.root)
    known.write_text(whole)
    learn_to_read(layout, 1)
    with pytest.raises(UserError, match=r"birds/text was learnt again since split 00 of birds/gan_cls"):
        centigan.load(layout.experiment, root=layout.root)
    embed_captions(layout.arrays("00"), layout.text, layout.captions("00"))
    with pytest.raises(UserError, match=r"was learnt again .* train it again: `snakemake --config"):
        centigan.load(layout.experiment, root=layout.root)
    learn_to_read(layout, 0)
    embed_captions(layout.arrays("00"), layout.text, layout.captions("00"))
    assert np.array_equal(
        drawn, centigan.load(layout.experiment, root=layout.root).sample_captions(ASKED, seed=1)
    )


def test_a_picture_has_a_row_a_sentence_and_lies_in_nobodys_place(layout: Layout) -> None:
    out = layout.root / "sheet.png"
    asked = {"count": 3, "seed": 0, "device": "cpu"}
    draw_captions(layout, "00", ASKED, out=out, **asked)
    with Image.open(out) as picture:
        width, height = picture.size
    assert width > height > 2 * 96
    assert width > 3 * 96 + 9 * len("a small picture of astronaut")  # the sentence stands beside its row
    before = sorted(layout.results.rglob("*"))
    for place, message in {
        layout.results: "is a folder; name a PNG in it, such as",
        layout.results / "train/00/manifest.json": "is no name of a PNG",
    }.items():
        with pytest.raises(UserError, match=message):
            draw_captions(layout, "00", ASKED, out=place, **asked)
    assert sorted(layout.results.rglob("*")) == before


def test_captions_are_drawn_in_the_style_of_an_image_of_ones_own(layout: Layout) -> None:
    style, mine = Layout("birds/style", layout.root), layout.root / "mine.jpg"
    other = GanClsConfig(width=0.05, text_units=8, latent=4)
    encoder = {"starts_from": layout.experiment, "width": 0.05, "decoder": other.model_dump(mode="json")}
    stage = TRAIN.model_copy(update={"model": StyleEncoderConfig(**encoder)})
    train_split(style, "00", stage, device=torch.device("cpu"))
    Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 50).save(mine)
    generator = centigan.load(style.experiment, root=layout.root)
    with torch.no_grad():
        for weight in generator._family.networks["style"].parameters():
            weight.mul_(4)  # all that is drawn after so few steps is grey
    image = centigan.read_image(mine, 32)
    drawn = generator.sample_captions(ASKED, style=image)
    assert not np.array_equal(drawn, generator.sample_captions(ASKED, style=255 - image))
    assert np.array_equal(drawn, generator.sample_captions(ASKED, style=image, seed=7))  # nothing is random
    out = layout.root / "styles.png"
    draw_captions(style, "00", ASKED, out=out, device="cpu", styles=[mine, mine])
    with Image.open(out) as picture:
        assert picture.size[1] > 3 * 96  # the styles above a row a caption

    with pytest.raises(
        UserError, match=r"uint8 \(32, 32, 3\) is expected, not uint8 \(64, 64, 3\); `centigan"
    ):
        generator.sample_captions(ASKED, style=centigan.read_image(mine, 64))
    for experiment, place, message in (
        (style, layout.root / "absent.png", "absent.png: no image can be read there .*; name a file"),
        (style, layout.root, "no image can be read there"),
        (style, layout.classes, "classes.csv is no image"),
        (layout, mine, "its model finds no style of an image; ask an experiment of a style encoder"),
    ):
        with pytest.raises(UserError, match=message):
            draw_captions(experiment, "00", ASKED, out=out, device="cpu", styles=[place])
