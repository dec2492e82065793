"""What is said of images of few pixels before anything runs."""

from typing import Any

import pytest

from centigan.preflight.points import of_family
from centigan.settings import Settings


def problems(
    model: dict[str, Any],
    *,
    source: str = "digits",
    splits: dict[str, Any] | None = None,
    importance: int = 1,
    **arrays: Any,
) -> list[str]:
    values = {
        "experiment": "mine/tiny",
        "data": {"source": source, "root": "data/raw/mine", "classes": 10},
        "arrays": {"resolution": 8} | arrays,
        "model": model,
        "splits": splits or {},
        "bits_per_dim": {"importance": importance},
    }
    settings = Settings.model_validate(values)
    return [finding.text for finding in of_family(settings) if not finding.good]


def test_families_of_small_images_are_named() -> None:
    (told,) = problems({"family": "gan"})
    assert told == (
        "arrays.resolution: GAN has no networks for 8 px; those of cq, frozen_decoder, pixelcnn, "
        "progressive, real_nvp, vae_iaf learn them"
    )


@pytest.mark.parametrize(
    ("model", "told", "times"),
    [
        (
            {"family": "cq", "flow": {"scales": 4}},
            "model.flow.scales: CQ needs a side",
            4,
        ),
        (
            {"family": "real_nvp", "scales": 5},
            "model.scales: Real NVP needs a side",
            5,
        ),
        (
            {"family": "pixelcnn", "sides": 6},
            "model.sides: PixelCNN++ needs a side",
            5,
        ),
        ({"family": "vae_iaf", "scales": 6}, "model.scales: VAE-IAF needs a side", 6),
    ],
)
def test_a_side_that_is_halved_too_often_is_told_with_its_setting(
    model: dict[str, Any], told: str, times: int
) -> None:
    (said,) = problems(model)
    assert said.startswith(told)
    assert f"halved {times} times, and 8 px can be so 3 times" in said
    assert not problems({**model, **({"flow": {"scales": 3}} if "flow" in model else {})} | fewer(model))


def fewer(model: dict[str, Any]) -> dict[str, Any]:
    return {name: 3 for name in ("scales", "sides") if name in model}


def test_levels_and_side_belong_to_the_digits_as_they_are_stored() -> None:
    cq = {"family": "cq"}
    assert not problems(cq)
    assert "17 levels have the digits as they are stored" in problems(cq, resolution=32, levels=17)[0]
    assert "8 px are those of the digits as stored, not of photos" in problems(cq, source="photos")[0]


def test_a_split_of_its_own_settings_is_looked_at_too() -> None:
    own = {"0": {"model": {"flow": {"scales": 4}}}}
    (said,) = problems({"family": "cq", "flow": {"scales": 1}}, splits=own)
    assert said.startswith("model.flow.scales: CQ needs a side")


@pytest.mark.parametrize("family", ["real_nvp", "pixelcnn"])
def test_importance_samples_are_asked_only_of_who_has_them(family: str) -> None:
    (said,) = problems({"family": family}, importance=5)
    assert said.startswith("bits_per_dim.importance:")
    assert not problems({"family": "cq"}, importance=5)


def test_a_model_without_either_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="are both 0: nothing is learnt"):
        problems({"family": "cq", "coverage_weight": 0, "quality_weight": 0})
