import shutil
from pathlib import Path

import numpy as np
import pytest

from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.judges import load_judge, train_judge
from centigan.layout import Layout
from centigan.manifest import DIGESTS, read_digests, read_facts, read_manifest, sha256, write_manifest
from centigan.metrics.features import (
    OF_REAL,
    OF_SAMPLES,
    SOURCES,
    features_of_real,
    features_of_split,
    read_all_features,
    read_features,
)
from centigan.settings.evaluation import FeatureSettings, JudgeSettings

SETTINGS = FeatureSettings(network="judge")
SPLITS = {"00": ["cat", "dog"], "01": ["eel", "fox"]}
SIDE = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two splits of noise with a judge and their features."""
    layout = Layout("noise", tmp_path_factory.mktemp("project"))
    for number, (split, classes) in enumerate(SPLITS.items()):
        write_images(layout, split, classes, np.random.default_rng(number))
    train_judge([layout.arrays(split) for split in SPLITS], JudgeSettings(name="small-cnn"), layout.judge)
    for split in SPLITS:
        features_of_split(layout, split, SETTINGS)
        features_of_real(layout, split, SETTINGS)
    return layout


@pytest.fixture
def experiment(made: Layout, tmp_path: Path) -> Layout:
    """A copy that a test may damage."""
    shutil.copytree(made.root, tmp_path / "project")
    return Layout("noise", tmp_path / "project")


def write_images(layout: Layout, split: str, classes: list[str], rng: np.random.Generator) -> None:
    """Arrays and samples with 4 training, 2 held-out, 3 generated and 1 fresh image of each class."""
    counts = {"training": 4, "held_out": 2, "generated": 3, "fresh": 1}
    for source, prefix in SOURCES.items():
        folder = layout.arrays(split) if source in OF_REAL else layout.samples(split)
        folder.mkdir(parents=True, exist_ok=True)
        side = 2 * SIDE if source == "held_out" else SIDE
        shape = (len(classes) * counts[source], side, side, 3)
        np.save(folder / f"{prefix}images.npy", rng.integers(0, 256, shape, dtype=np.uint8))
        np.save(folder / f"{prefix}labels.npy", np.repeat(np.arange(2), counts[source]).astype(np.int16))
        files = [file.name for file in folder.glob("*.npy")]
        write_manifest(folder, {}, facts={"classes": classes, "resolution": SIDE}, of=files)


def test_features_stand_in_the_order_of_their_images(made: Layout) -> None:
    network = load_judge(made.judge).network
    for folder, file, features in (
        (made.arrays("00"), "images.npy", made.real_features("00") / "training.npy"),
        (made.samples("00"), "images.npy", made.features("00") / "generated.npy"),
        (made.samples("00"), "fresh_images.npy", made.features("00") / "fresh.npy"),
    ):
        found = np.load(features)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, network.features(np.load(folder / file)))


def test_held_out_images_are_first_shrunk_to_the_size_of_training_images(made: Layout) -> None:
    images = at_training_size(np.load(made.arrays("01") / "held_out_images.npy"), SIDE)
    found = np.load(made.real_features("01") / "held_out.npy")
    np.testing.assert_array_equal(found, load_judge(made.judge).network.features(images))


def test_the_manifest_names_the_network_and_every_input(made: Layout) -> None:
    manifest = read_manifest(made.features("00"))
    facts = read_facts(made.features("00"))
    assert facts["network"] == "small-cnn"
    assert facts["resizing"] == "bilinear"
    assert facts["precision"] == "float32"
    assert manifest["images"] == {"generated": 6, "fresh": 2}
    assert read_manifest(made.real_features("00"))["images"] == {"training": 8, "held_out": 4}
    folders = (made.samples("00"), made.judge)
    assert manifest["inputs"] == {
        (folder / DIGESTS).as_posix(): sha256(folder / DIGESTS) for folder in folders
    }
    digests = read_digests(made.features("00") / DIGESTS)
    files = [*(f"{source}.npy" for source in OF_SAMPLES), "facts.json"]
    assert digests == {file: sha256(made.features("00") / file) for file in files}


def test_the_same_images_give_the_same_bytes(experiment: Layout) -> None:
    digests = (experiment.features("00") / DIGESTS).read_bytes()
    features_of_split(experiment, "00", SETTINGS)
    assert (experiment.features("00") / DIGESTS).read_bytes() == digests


def test_several_splits_are_read_one_after_the_other_with_their_classes(made: Layout) -> None:
    found = read_features(made, list(SPLITS), "generated")
    parts = [np.load(made.features(split) / "generated.npy") for split in SPLITS]
    np.testing.assert_array_equal(found.features[:], np.concatenate(parts))
    assert found.class_ids.tolist() == [name for name in ("cat", "dog", "eel", "fox") for _ in range(3)]
    assert found.settings == SETTINGS


def test_a_network_that_knows_other_classes_serves_any_experiment(experiment: Layout) -> None:
    settings = FeatureSettings(network="efficientnet-lite0")
    features_of_split(experiment, "00", settings)
    found = read_features(experiment, ["00"], "fresh")
    assert found.features.shape == (2, 1280)
    assert experiment.judge / DIGESTS not in map(Path, read_manifest(experiment.features("00"))["inputs"])


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("network", {"network": "efficientnet-lite0"}),
        ("resizing", {"network": "judge", "resizing": "bicubic"}),
        ("precision", {"network": "judge", "precision": "bfloat16"}),
    ],
)
def test_features_of_another_kind_are_never_mixed(
    key: str, settings: dict[str, str], experiment: Layout
) -> None:
    features_of_split(experiment, "01", FeatureSettings.model_validate(settings))
    with pytest.raises(UserError, match=rf"features/00 has features with {key} .*features/01 with "):
        read_features(experiment, list(SPLITS), "generated")
    features_of_split(experiment, "00", FeatureSettings.model_validate(settings))
    with pytest.raises(UserError, match=rf"features/00 has features with {key} .*real/features/00 with "):
        read_all_features(experiment, list(SPLITS), ["generated", "training"])


def test_features_of_other_weights_are_never_mixed(experiment: Layout) -> None:
    arrays = [experiment.arrays(split) for split in SPLITS]
    train_judge(arrays, JudgeSettings(name="small-cnn", seed=1), experiment.judge)
    features_of_split(experiment, "01", SETTINGS)
    with pytest.raises(UserError, match=r"with weights_sha256 .* make them again"):
        read_features(experiment, list(SPLITS), "generated")


def test_features_that_are_not_finite_are_refused_by_file_and_number(experiment: Layout) -> None:
    path = experiment.real_features("01") / "training.npy"
    features = np.load(path)
    features[3, 5] = np.nan
    np.save(path, features)
    with pytest.raises(UserError, match=r"01/training\.npy: the features of 1 images, number 3 first"):
        read_features(experiment, list(SPLITS), "training")


def test_missing_features_are_one_clear_error(experiment: Layout) -> None:
    (experiment.features("00") / "fresh.npy").unlink()
    with pytest.raises(UserError, match=r"fresh\.npy is missing"):
        read_features(experiment, ["00"], "fresh")
    (experiment.real_features("00") / "facts.json").unlink()
    with pytest.raises(UserError, match=r"features/00/facts\.json is missing; run the pipeline"):
        read_features(experiment, ["00"], "training")


def test_images_of_no_class_have_none_and_are_never_of_the_last(experiment: Layout) -> None:
    labels = np.load(experiment.samples("00") / "labels.npy")
    np.save(experiment.samples("00") / "labels.npy", np.full_like(labels, -1))
    assert read_features(experiment, ["00"], "generated").class_ids.tolist() == [None] * 6


def test_features_of_other_images_are_refused(experiment: Layout) -> None:
    write_images(experiment, "00", ["cat", "dog"], np.random.default_rng(7))
    np.save(experiment.samples("00") / "labels.npy", np.zeros(5, np.int16))
    with pytest.raises(UserError, match=r"has features of 6 images, .* has 5; make them again"):
        read_features(experiment, ["00"], "generated")


def test_samples_of_another_size_are_refused(experiment: Layout) -> None:
    np.save(experiment.samples("00") / "images.npy", np.zeros((6, 4, 4, 3), np.uint8))
    with pytest.raises(UserError, match=r"samples/00/images\.npy has images of shape \(4, 4, 3\), not 8 x 8"):
        features_of_split(experiment, "00", SETTINGS)


def test_missing_samples_are_one_clear_error(experiment: Layout) -> None:
    (experiment.samples("00") / "fresh_images.npy").unlink()
    with pytest.raises(UserError, match=r"fresh_images\.npy is missing"):
        features_of_split(experiment, "00", SETTINGS)
