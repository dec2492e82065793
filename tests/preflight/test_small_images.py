"""What is said of images of few pixels before anything runs."""

from typing import Any

import pytest

from centigan.preflight.points import of_family
from centigan.settings import Settings


def problems(model: dict[str, Any], *, source: str = "digits", **arrays: Any) -> list[str]:
    values = {
        "experiment": "mine/tiny",
        "data": {"source": source, "root": "data/raw/mine", "classes": 10},
        "arrays": {"resolution": 8} | arrays,
        "model": model,
    }
    settings = Settings.model_validate(values)
    return [finding.text for finding in of_family(settings) if not finding.good]


def test_families_of_small_images_are_named() -> None:
    (told,) = problems({"family": "gan"})
    assert told == (
        "arrays.resolution: GAN has no networks for 8 px; those of cq, pixelcnn, real_nvp, vae_iaf learn them"
    )


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"family": "cq", "flow": {"scales": 4}}, "model.flow.scales: CQ halves the side 4 times"),
        ({"family": "real_nvp", "scales": 5}, "model.scales: Real NVP halves the side 4 times"),
        ({"family": "pixelcnn", "sides": 6}, "model.sides: PixelCNN++ halves the side 5 times"),
        ({"family": "vae_iaf", "scales": 6}, "model.scales: VAE-IAF halves the side 6 times"),
    ],
)
def test_a_side_that_is_halved_too_often_is_told_with_its_setting(model: dict[str, Any], told: str) -> None:
    (said,) = problems(model)
    assert said.startswith(told)
    assert "8 px can be halved 3 times" in said
    assert not problems({**model, **({"flow": {"scales": 3}} if "flow" in model else {})} | fewer(model))


def fewer(model: dict[str, Any]) -> dict[str, Any]:
    return {name: 3 for name in ("scales", "sides") if name in model}


def test_levels_and_side_belong_to_the_digits_as_they_are_stored() -> None:
    cq = {"family": "cq"}
    assert not problems(cq)
    assert "17 levels have the digits as they are stored" in problems(cq, resolution=32, levels=17)[0]
    assert "8 px are those of the digits as stored, not of photos" in problems(cq, source="photos")[0]


def test_a_model_without_either_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="are both 0: nothing is learnt"):
        problems({"family": "cq", "coverage_weight": 0, "quality_weight": 0})
