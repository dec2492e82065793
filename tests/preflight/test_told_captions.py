"""What is said of a family that is told captions before anything runs."""

import re

import pytest

from centigan.preflight.points import of_family
from centigan.settings import Settings


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "captioned_shapes", "classes": 36}, None),
        ({"source": "digits", "classes": 10}, "digits stands for none; those of captioned_shapes, cub200, "),
        ({"source": "coco_captions", "classes": 1}, "learns to tell classes, and there is one class"),
    ],
)
def test_captions_are_asked_for_of_classes_that_differ(data: dict[str, object], said: str | None) -> None:
    values = {"experiment": "mine/words", "data": {"root": "data/raw/mine"} | data}
    values |= {"arrays": {"resolution": 32}}
    told = Settings.model_validate(values | {"model": {"family": "gan_cls"}})
    found = [finding.text for finding in of_family(told) if not finding.good]
    assert len(found) == (said is not None)
    assert said is None or re.search(said, found[0])
    alike = Settings.model_validate(values | {"model": {"family": "dcgan"}})
    assert all(finding.good for finding in of_family(alike))
