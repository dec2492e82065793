import shutil
from pathlib import Path

import numpy as np
import pytest

from centigan.errors import UserError
from centigan.judges import load_judge, train_judge
from centigan.judges.choose import held_out_examples, with_blur, with_noise
from centigan.manifest import read_facts, read_manifest, write_manifest
from centigan.settings.evaluation import JudgeSettings

DIGITS = [str(digit) for digit in range(10)]


def test_the_chosen_judge_names_95_percent_of_held_out_digits(chosen: Path, digits: list[Path]) -> None:
    judge = load_judge(chosen)
    held_out = held_out_examples(digits, DIGITS)
    assert judge.classes == tuple(DIGITS)
    assert (judge.probabilities(held_out.images).argmax(1) == held_out.labels).mean() >= 0.95


def test_the_manifest_shows_why_the_judge_was_chosen(chosen: Path) -> None:
    manifest = read_manifest(chosen)
    candidates = manifest["candidates"]
    assert manifest["requested"] == "auto"
    assert set(candidates) == {"small-cnn", "head-on-features"}
    for shares in candidates.values():
        mean = (shares["clean"] + shares["noise"] + shares["blur"]) / 3
        assert shares["mean"] == pytest.approx(mean)
    assert read_facts(chosen)["name"] == max(candidates, key=lambda name: candidates[name]["mean"])
    assert manifest["held_out"]["images"] == 240


def test_the_manifest_repeats_what_the_loaded_judge_does(chosen: Path, digits: list[Path]) -> None:
    held_out = held_out_examples(digits, DIGITS)
    named = load_judge(chosen).probabilities(held_out.images).argmax(1)
    manifest = read_manifest(chosen)
    share = float((named == held_out.labels).mean())
    assert manifest["candidates"][read_facts(chosen)["name"]]["clean"] == pytest.approx(share)


@pytest.mark.parametrize("name", ["small-cnn", "head-on-features"])
def test_a_judge_is_trained_to_the_same_bytes_again(name: str, digits: list[Path], tmp_path: Path) -> None:
    few = [_few_small_images(folder, tmp_path / folder.name) for folder in digits]
    for run in ("one", "two"):
        train_judge(few, JudgeSettings.model_validate({"name": name, "steps": 20}), tmp_path / run)
    for file in ("weights.safetensors", "facts.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_held_out_images_are_measured_at_the_training_size_under_global_labels(digits: list[Path]) -> None:
    held_out = held_out_examples(digits, DIGITS)
    assert held_out.images.shape == (240, 16, 16, 3)
    np.testing.assert_array_equal(held_out.labels, np.repeat(np.arange(10), 24))


def test_noise_has_the_documented_strength_and_blur_keeps_the_mean() -> None:
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    noisy = with_noise(grey, np.random.default_rng(0)).astype(float)
    assert noisy.std() == pytest.approx(25, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    np.testing.assert_array_equal(with_blur(grey), grey)


def test_blurring_a_point_spreads_it_as_a_gaussian_of_one_pixel_at_32() -> None:
    point = np.zeros((1, 32, 32, 3), np.uint8)
    point[0, 16, 16] = 255
    spread = with_blur(point)[0, :, :, 0].astype(float)
    row = spread.sum(0)
    positions = np.arange(32) - 16
    assert (row * positions).sum() / row.sum() == pytest.approx(0, abs=0.02)
    assert (row * positions**2).sum() / row.sum() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "inception-v3", "inception-2015"])
def test_a_judge_of_imagenet_refuses_ten_classes(name: str, digits: list[Path], tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=f"{name} knows ImageNet's .* has '0' and 9 more; choose judge.name: auto"
    ):
        train_judge(digits, JudgeSettings.model_validate({"name": name}), tmp_path / "judge")


def test_a_judge_that_names_held_out_images_by_chance_is_told(
    digits: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [_few_small_images(folder, tmp_path / folder.name) for folder in digits]
    monkeypatch.setattr("centigan.judges.choose.measure", lambda *_: {"clean": 0.15, "mean": 0.1})
    train_judge(few, JudgeSettings(name="small-cnn", steps=1), tmp_path / "judge")
    assert "The judge names 15 % of held-out real images rightly, and chance is 10 %" in caplog.text


def test_weights_of_another_judge_are_refused(chosen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(chosen, folder)
    other = {"small-cnn": "head-on-features", "head-on-features": "small-cnn"}
    facts = read_facts(folder)
    write_manifest(folder, {}, facts=facts | {"name": other[facts["name"]]}, of=["weights.safetensors"])
    with pytest.raises(UserError, match=r"its facts\.json names"):
        load_judge(folder)


def test_damaged_weights_are_refused_by_name(chosen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(chosen, folder)
    content = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"weights\.safetensors is damaged"):
        load_judge(folder)


def test_a_missing_judge_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no judge lies there"):
        load_judge(tmp_path)


def _few_small_images(folder: Path, target: Path) -> Path:
    """A copy of an arrays folder with four images of a class at 8 px, one of them held out."""
    target.mkdir()
    for prefix, step in (("", 32), ("held_out_", 24)):
        np.save(target / f"{prefix}images.npy", np.load(folder / f"{prefix}images.npy")[::step, ::2, ::2])
        np.save(target / f"{prefix}labels.npy", np.load(folder / f"{prefix}labels.npy")[::step])
    write_manifest(target, {}, facts=read_facts(folder) | {"resolution": 8}, of=["images.npy"])
    return target
