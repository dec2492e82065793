"""A text encoder from arrays to files and back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from captioned_shapes import UNSEEN, small_encoder, write_arrays
from safetensors.torch import load_file, save_file

from centigan.data.decode import resize
from centigan.data.shapes import CLASSES
from centigan.errors import UserError
from centigan.manifest import read_digests, read_facts, read_manifest, sha256, write_manifest
from centigan.settings.text import TextSettings
from centigan.text import fit_text_encoder, load_image_encoder, load_text_encoder
from centigan.text.captioned import read_captioned
from centigan.text.seeing import embeddings_of

FILES = {"text.safetensors", "image.safetensors", "vocabulary.json", "retrieval.json", "facts.json"}
SAID = ["a small red circle", "this box is huge and navy"]


def test_words_find_combinations_of_attributes_that_were_never_trained_on(
    shapes: Path, tmp_path: Path
) -> None:
    """28 classes seen, 8 unseen: seconds. A pass is 20 minibatches here, so the decay is slow."""
    fit_text_encoder([shapes], TextSettings(iterations=200, decay=0.98), tmp_path)
    found = json.loads((tmp_path / "retrieval.json").read_text())
    assert found["seen"]["chance"] == pytest.approx(1 / 28)
    assert found["unseen"]["chance"] == pytest.approx(1 / 8)
    assert found["unseen_among_all"]["attributes"]["colour"]["chance"] == pytest.approx(1 / 6)
    assert found["seen"]["text_to_images"] > 0.6
    assert found["unseen"]["text_to_images"] > 0.4
    assert found["unseen_among_all"]["attributes"]["size"]["text_to_images"] > 0.9


def test_the_folder_is_pinned_by_digests_and_says_what_it_is(encoder: Path, shapes: Path) -> None:
    digests = read_digests(encoder / "SHA256SUMS")
    assert set(digests) == FILES
    assert all(sha256(encoder / name) == digest for name, digest in digests.items())
    facts = read_facts(encoder)
    assert facts["unseen"] == sorted(UNSEEN)
    assert facts["classes"] == sorted(CLASSES)
    manifest = read_manifest(encoder)
    assert manifest["inputs"] == {f"{shapes}/SHA256SUMS": sha256(shapes / "SHA256SUMS")}
    assert (manifest["trained_on"], manifest["captions"]) == (28 * 20, 28 * 20 * 3)
    assert manifest["threads"] == torch.get_num_threads()


@pytest.mark.parametrize("kind", ["bow", "char"])
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    kind: str, shapes: Path, tmp_path: Path
) -> None:
    for run, seed in (("one", 0), ("two", 0), ("other", 1)):
        torch.manual_seed(seed + len(run))  # what else draws in the process has no say
        fit_text_encoder([shapes], small_encoder(kind, seed=seed), tmp_path / run)
    for file in FILES:
        one, two, other = ((tmp_path / run / file).read_bytes() for run in ("one", "two", "other"))
        assert one == two
        assert (one == other) is (file in ("vocabulary.json", "facts.json"))


def test_a_training_that_was_killed_and_is_run_again_ends_with_the_same_bytes(
    encoder: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    settings = TextSettings.model_validate(read_manifest(encoder)["settings"])
    monkeypatch.setattr("centigan.text.stored.write_text", killed)
    with pytest.raises(KeyboardInterrupt):  # weights are written, what belongs to them is not
        fit_text_encoder([shapes], settings, tmp_path)
    with pytest.raises(UserError, match="no text encoder lies there"):
        load_text_encoder(tmp_path)
    monkeypatch.undo()
    fit_text_encoder([shapes], settings, tmp_path)
    assert read_digests(tmp_path / "SHA256SUMS") == read_digests(encoder / "SHA256SUMS")


def test_what_is_read_back_embeds_as_what_was_trained_by_a_network_and_a_caption(encoder: Path) -> None:
    loaded = load_text_encoder(encoder)
    embedded = loaded.embed(SAID)
    assert embedded.dtype == torch.float32
    assert embedded.shape == (2, 6)
    state = load_file(encoder / "text.safetensors")
    torch.testing.assert_close(dict(loaded.network.state_dict()), state)  # type: ignore[attr-defined]
    torch.testing.assert_close(loaded.embed(SAID[::-1]), embedded.flip(0))
    torch.testing.assert_close(loaded.embed(SAID * 200)[-2:], embedded)  # of several batches
    assert loaded.embed([]).shape == (0, 6)


def test_held_out_images_are_seen_at_the_training_images_size_by_their_filter(
    shapes: Path, tmp_path: Path
) -> None:
    """Arrays hold them at twice that side."""
    folder = Path(shutil.copytree(shapes, tmp_path / "00"))
    labels = np.load(folder / "held_out_labels.npy")
    finer = np.random.default_rng(0).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    np.save(folder / "held_out_images.npy", finer)
    seen = read_captioned([folder], held_out=True).images
    assert np.array_equal(seen, np.stack([resize(image, 16) for image in finer]))


def test_retrieval_is_of_held_out_images_by_the_encoders_that_are_stored(encoder: Path, shapes: Path) -> None:
    held_out = read_captioned([shapes], held_out=True)
    v = embeddings_of(held_out.images, load_image_encoder(encoder))
    t = load_text_encoder(encoder).embed([each for of_image in held_out.captions for each in of_image])
    labels = torch.from_numpy(held_out.labels)
    means = torch.stack([t[labels.repeat_interleave(3) == label].mean(0) for label in range(36)])
    unseen = torch.tensor(held_out.unseen)
    rows = torch.isin(labels, unseen)
    found = unseen[(v[rows] @ means[unseen].T).argmax(1)]
    stored = json.loads((encoder / "retrieval.json").read_text())["unseen"]
    assert stored["images_to_text"] == pytest.approx((found == labels[rows]).double().mean().item())
    assert (stored["images"], stored["captions"]) == (8 * 4, 8 * 4 * 3)


def test_nothing_is_trained_on_unseen_classes(shapes: Path, tmp_path: Path) -> None:
    """Other images and captions of them change no byte of the weights, and their words are not known."""
    other = shutil.copytree(shapes, tmp_path / "other")
    labels = np.load(other / "labels.npy")
    of_unseen = np.isin(labels, [CLASSES.index(name) for name in UNSEEN])
    images = np.load(other / "images.npy")
    images[of_unseen] = 0
    np.save(other / "images.npy", images)
    said = json.loads((other / "captions.json").read_text())
    said = [["zzz"] if hidden else of_image for hidden, of_image in zip(of_unseen, said, strict=True)]
    (other / "captions.json").write_text(json.dumps(said))
    fit_text_encoder([shapes], small_encoder("bow"), tmp_path / "one")
    fit_text_encoder([other], small_encoder("bow"), tmp_path / "two")
    for file in ("text.safetensors", "image.safetensors", "vocabulary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_splits_are_trained_on_together_under_the_names_of_their_classes(tmp_path: Path) -> None:
    """The same classes in two splits, in another order: labels are of each split's own."""
    first = write_arrays(tmp_path / "00", classes=["red_circle_small", "blue_square_large"], counts=(2, 1))
    second = write_arrays(tmp_path / "01", classes=["blue_circle_small"], counts=(2, 1))
    every = read_captioned([first, second])
    assert every.classes == ("blue_circle_small", "blue_square_large", "red_circle_small")
    assert every.labels.tolist() == [2, 2, 1, 1, 0, 0]
    assert every.images.shape == (6, 16, 16, 3)
    fit_text_encoder([first, second], small_encoder("bow", classes=40), tmp_path / "out")
    found = json.loads((tmp_path / "out/retrieval.json").read_text())
    assert {name: each["candidates"] for name, each in found.items()} == {"seen": 3}


def test_features_may_stand_for_images(shapes: Path, tmp_path: Path) -> None:
    for file, labels in (("training", "labels"), ("held_out", "held_out_labels")):
        of_class = np.eye(36, dtype=np.float32)[np.load(shapes / f"{labels}.npy")]
        np.save(tmp_path / f"{file}.npy", of_class)
    write_manifest(tmp_path, {}, facts={}, of=["training.npy"])
    settings = small_encoder("bow", images="features", iterations=300, embedding=16, classes=32, lr=5e-3)
    fit_text_encoder([shapes], settings, tmp_path / "out", [tmp_path])
    found = json.loads((tmp_path / "out/retrieval.json").read_text())
    assert found["seen"]["images_to_text"] > 0.9
    assert load_image_encoder(tmp_path / "out")(torch.zeros(1, 36)).shape == (1, 16)
    with pytest.raises(UserError, match=r"text\.images is small-cnn, and 1 folders of features"):
        fit_text_encoder([shapes], small_encoder("bow"), tmp_path / "no", [tmp_path])


def of_one_class(folder: Path) -> Path:
    """The same images and captions without their classes."""
    for prefix in ("", "held_out_"):
        labels = np.load(folder / f"{prefix}labels.npy")
        np.save(folder / f"{prefix}labels.npy", np.zeros_like(labels))
    facts = {"classes": ["image"], "resolution": 16}
    write_manifest(folder, {}, facts=facts, of=["images.npy", "labels.npy", "captions.json"])
    return folder


def test_without_classes_each_image_is_one_of_its_own(shapes: Path, tmp_path: Path) -> None:
    """What is sought is the very image: of a combination there are four, so that 1/4 is about the best."""
    arrays = of_one_class(Path(shutil.copytree(shapes, tmp_path / "00")))
    fit_text_encoder([arrays], TextSettings(iterations=200, decay=0.98), tmp_path / "out")
    found = json.loads((tmp_path / "out/retrieval.json").read_text())
    assert set(found) == {"held_out"}
    assert (found["held_out"]["candidates"], found["held_out"]["captions"]) == (36 * 4, 36 * 4 * 3)
    assert found["held_out"]["chance"] == pytest.approx(1 / 144)
    assert found["held_out"]["text_to_images"] > 10 / 144
    assert read_facts(tmp_path / "out")["classes"] == ["image"]


def test_one_image_is_none_to_tell_apart(shapes: Path, tmp_path: Path) -> None:
    arrays = of_one_class(write_arrays(tmp_path / "00", classes=["red_circle_small"], counts=(1, 1)))
    with pytest.raises(UserError, match="learns to tell images, and fewer than two are seen"):
        fit_text_encoder([arrays], small_encoder("bow"), tmp_path / "out")


def test_how_far_a_training_is_and_what_it_took_is_logged(
    shapes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fit_text_encoder([shapes], small_encoder("bow"), tmp_path)
    assert "text encoder: 8 iterations in 0 s" in caplog.text


def reshaped(folder: Path) -> None:
    state = load_file(folder / "text.safetensors")
    save_file({**state, "out.weight": state["out.weight"][:, :-1].contiguous()}, folder / "text.safetensors")


def named_otherwise(folder: Path) -> None:
    save_file({"x": torch.zeros(1)}, folder / "text.safetensors")


def longer_vocabulary(folder: Path) -> None:
    known = json.loads((folder / "vocabulary.json").read_text())
    (folder / "vocabulary.json").write_text(json.dumps([*known, "Zz"]))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (reshaped, r"text\.safetensors: out\.weight: not of the names and shapes"),
        (named_otherwise, r"text\.safetensors: .*out\.bias.*x: not of the names and shapes"),
        (longer_vocabulary, r"text\.safetensors: .*: not of the names and shapes"),
        (lambda folder: (folder / "text.safetensors").write_bytes(b"no"), r"text\.safetensors is damaged"),
        (lambda folder: (folder / "text.safetensors").unlink(), r"text\.safetensors is damaged"),
        (lambda folder: (folder / "vocabulary.json").write_text("{}"), r"vocabulary\.json is damaged"),
        (lambda folder: (folder / "vocabulary.json").write_text("["), r"vocabulary\.json is damaged"),
        (
            lambda folder: (folder / "facts.json").write_text("{}"),
            r"its encoder, images, longest\); delete",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{}"), r"manifest\.json is damaged \(no text"),
        (lambda folder: (folder / "facts.json").unlink(), r"facts\.json: no text encoder lies there"),
    ],
)
def test_files_that_do_not_belong_together_are_said(
    harm: Callable[[Path], object], message: str, encoder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder, tmp_path / "encoder")
    harm(folder)
    with pytest.raises(UserError, match=message):
        load_text_encoder(folder)


def test_no_file_is_a_pickle(encoder: Path) -> None:
    assert {path.name for path in encoder.iterdir()} == {*FILES, "SHA256SUMS", "manifest.json"}
    assert TextSettings.model_validate(read_manifest(encoder)["settings"]).embedding == 6


# Bad input


def test_fewer_than_two_classes_that_are_seen_are_none_to_tell_apart(tmp_path: Path) -> None:
    classes = ["red_circle_small", "blue_square_large"]
    arrays = write_arrays(tmp_path / "00", classes=classes, unseen=classes[:1], counts=(2, 1))
    with pytest.raises(UserError, match="fewer than two are seen"):
        fit_text_encoder([arrays], small_encoder("bow"), tmp_path / "out")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda said: None, r"/captions\.json is missing: these images have no captions"),
        (lambda said: "[", r"/captions\.json is damaged"),
        (lambda said: json.dumps(said[:-1]), r"/captions\.json is damaged \(it is no list of 4 images\)"),
        (lambda said: json.dumps([[], *said[1:]]), r"/captions\.json: image 0 has no caption"),
        (lambda said: json.dumps([*said[:-1], [3]]), r"/captions\.json: image 3 has no caption"),
        (lambda said: json.dumps([[" "], *said[1:]]), r"caption is empty or without words: ' '"),
        (lambda said: json.dumps([["...!"], *said[1:]]), r"caption is empty or without words: '\.\.\.!'"),
    ],
)
def test_captions_that_say_nothing_are_said(
    harm: Callable[[list[list[str]]], str | None], message: str, tmp_path: Path
) -> None:
    classes = ["red_circle_small", "blue_square_large"]
    arrays = write_arrays(tmp_path / "00", classes=classes, unseen=[], counts=(2, 1))
    said = json.loads((arrays / "captions.json").read_text())
    (arrays / "captions.json").unlink()
    if (text := harm(said)) is not None:
        (arrays / "captions.json").write_text(text)
    with pytest.raises(UserError, match=message):
        fit_text_encoder([arrays], small_encoder("bow"), tmp_path / "out")
