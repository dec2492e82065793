"""What a family's paper shows: sheets of images with their words."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from small import ARRAYS, TRAIN

from centigan.data.arrays import build_arrays
from centigan.data.held_out import at_training_size
from centigan.data.index import build_index
from centigan.demonstration import demonstrate_split
from centigan.errors import UserError
from centigan.families import cgan
from centigan.families.cgan import CGAN
from centigan.layout import Layout
from centigan.manifest import read_digests, read_facts, read_manifest
from centigan.reporting.results import Results
from centigan.settings.data import DataSettings
from centigan.settings.stages import ArraysStage, DemonstrateStage, TrainStage
from centigan.training.loop import train_split
from centigan.types import Given, Sheet

CPU = torch.device("cpu")
MODEL = {"family": "cgan", "width": 0.05, "latent": 4}
CGAN_STAGE = TrainStage.model_validate({"model": MODEL, "train": TRAIN.train.model_dump()})


def shows(family: CGAN, real: torch.Tensor, classes: list[str], rng: torch.Generator) -> list[Sheet]:
    """Real images as a row; a row a class, a column a z."""
    z = family.latent(3, rng)
    rows = [family.generate(z, Given(torch.full((3,), label))) for label in range(len(classes))]
    return [
        Sheet("real", "Real images", "As they were handed over.", real[None]),
        Sheet("classes", "Classes", "One z.", torch.stack(rows), classes, ["z 1", "z 2", "z 3"]),
    ]


def let_cgan_show(demonstrate: Callable[..., list[Sheet]], monkeypatch: pytest.MonkeyPatch) -> None:
    """By a subclass: Python remembers of a class for good that it fulfils a protocol."""
    monkeypatch.setattr(cgan, "CGAN", type("CGAN", (CGAN,), {"demonstrate": demonstrate}))


def stage(**settings: int) -> DemonstrateStage:
    return DemonstrateStage.model_validate({"model": MODEL, "demonstrations": settings})


@pytest.fixture
def trained(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Layout:
    train_split(layout, "00", CGAN_STAGE, device=CPU)
    let_cgan_show(shows, monkeypatch)
    return layout


def drawn(layout: Layout, **settings: int) -> dict[str, np.ndarray]:
    demonstrate_split(layout, "00", stage(**settings), device=CPU)
    return load_file(layout.demonstrations("00") / "images.safetensors")


def test_each_sheet_is_written_with_its_words_in_the_familys_order(trained: Layout) -> None:
    tensors = drawn(trained)
    assert {name: (array.shape, array.dtype) for name, array in tensors.items()} == {
        "real": ((1, 4, 32, 32, 3), np.uint8),
        "classes": ((2, 3, 32, 32, 3), np.uint8),
    }
    folder = trained.demonstrations("00")
    words = json.loads((folder / "sheets.json").read_text())
    assert [(about["name"], about["title"]) for about in words] == [
        ("real", "Real images"),
        ("classes", "Classes"),
    ]
    assert words[0] == {
        "name": "real",
        "title": "Real images",
        "caption": "As they were handed over.",
        "rows": [],
        "columns": [],
    }
    assert (words[1]["rows"], words[1]["columns"]) == (["cat", "dog"], ["z 1", "z 2", "z 3"])
    assert read_digests(folder / "SHA256SUMS").keys() == {"images.safetensors", "sheets.json", "facts.json"}
    assert read_facts(folder) == {"classes": ["cat", "dog"], "held_out": 4}
    manifest = read_manifest(folder)
    assert manifest["settings"]["demonstrations"] == {"images": 64, "seed": 0}
    assert {Path(file).name for file in manifest["inputs"]} == {
        "generator.safetensors",
        "discriminator.safetensors",
        "held_out_images.npy",
    }


def test_classes_are_shown_of_images_whose_class_is_known(
    trained: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trained.arrays("00") / "held_out_labels.npy"
    labels = np.load(path)
    labels[0] = -1
    np.save(path, labels)
    handed: list[torch.Tensor] = []

    def of_classes(family: CGAN, real: torch.Tensor, labels: torch.Tensor, classes: list[str]) -> list[Sheet]:
        handed.extend((real, labels))
        return [Sheet("known", "Known", "Images of known class.", real[None])]

    shown = {"demonstrate": shows, "demonstrate_classes": of_classes}
    monkeypatch.setattr(cgan, "CGAN", type("CGAN", (CGAN,), shown))
    tensors = drawn(trained)
    words = json.loads((trained.demonstrations("00") / "sheets.json").read_text())
    assert [about["name"] for about in words] == ["real", "classes", "known"]
    assert handed[1].tolist() == labels[1:].tolist()
    assert np.array_equal(tensors["known"][0], tensors["real"][0, 1:])


def test_the_figure_reads_back_what_was_written(trained: Layout) -> None:
    tensors = drawn(trained)
    sheets = Results(trained, ["00"]).sheets("00")
    assert [sheet.name for sheet in sheets] == ["real", "classes"]
    assert all(np.array_equal(sheet.images, tensors[sheet.name]) for sheet in sheets)


def test_real_images_are_held_out_ones_evenly_from_their_list(trained: Layout) -> None:
    held_out = at_training_size(np.load(trained.arrays("00") / "held_out_images.npy"), 32)
    assert np.array_equal(drawn(trained)["real"][0], held_out)
    assert np.array_equal(drawn(trained, images=2)["real"][0], held_out[[0, 3]])


def test_the_sheets_follow_the_seed(trained: Layout) -> None:
    first, again, other = drawn(trained), drawn(trained), drawn(trained, seed=1)
    assert np.array_equal(first["classes"], again["classes"])
    assert not np.array_equal(first["classes"], other["classes"])


def test_random_numbers_are_those_of_the_cpu(trained: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def devices(family: CGAN, real: torch.Tensor, classes: list[str], rng: torch.Generator) -> list[Sheet]:
        assert rng.device == CPU
        return shows(family, real, classes, rng)

    let_cgan_show(devices, monkeypatch)
    drawn(trained)


def test_a_sheet_of_one_channel_is_written_as_grey(
    layout: Layout, data_settings: DataSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(data_settings.root)
    for file in root.glob("*/*/*.png"):
        Image.open(file).convert("L").convert("RGB").save(file)
    build_index(layout, data_settings)
    grey = ArraysStage.model_validate({"arrays": {**ARRAYS.arrays.model_dump(), "channels": 1}})
    build_arrays(layout, "00", grey, root)
    train_split(layout, "00", CGAN_STAGE, device=CPU)
    let_cgan_show(shows, monkeypatch)
    for images in drawn(layout).values():
        assert images.shape[-1] == 3
        assert (images == images[..., :1]).all()


def test_an_image_of_nan_is_one_error_that_names_the_sheet_and_nothing_is_written(
    trained: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nan(family: CGAN, real: torch.Tensor, classes: list[str], rng: torch.Generator) -> list[Sheet]:
        good, other = shows(family, real, classes, rng)
        return [good, other._replace(images=other.images.log())]

    let_cgan_show(nan, monkeypatch)
    with pytest.raises(UserError, match=r"^split 00: sheet 'classes' gives images of NaN or infinity"):
        drawn(trained)
    assert not trained.demonstrations("00").exists()


def test_a_family_that_draws_no_demonstration_is_named(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    own = stage().model_copy(update={"model": TRAIN.model})
    with pytest.raises(UserError, match="split 00: AC-GAN draws no demonstration"):
        demonstrate_split(layout, "00", own, device=CPU)


def test_without_held_out_images_the_file_is_named(trained: Layout) -> None:
    file = trained.arrays("00") / "held_out_images.npy"
    np.save(file, np.load(file)[:0])
    with pytest.raises(UserError, match=r"held_out_images\.npy has 0 image\(s\), and 1 are needed"):
        drawn(trained)
