"""What is said of raw data before a run, and nothing that only follows from an error."""

import re
import shutil
from pathlib import Path

from centigan.data.shrunk_fixture import write_tiny_imagenet
from centigan.data.stl10_fixture import write_stl10
from centigan.layout import Layout
from centigan.params import parse
from centigan.preflight import everything, look_at_raw
from centigan.preflight.choices import of_choices
from centigan.preflight.trainings import of_trainings
from centigan.settings import Settings
from centigan.settings.data import DataSettings

COUNTS = {"classes": 10, "per_class": 12, "held_out_per_class": 2}


def own(data: dict[str, object], **more: object) -> Settings:
    return parse(Settings, {"experiment": "own", "data": data, **more}, "here")


def problems(settings: Settings) -> list[str]:
    found = everything(Layout("digits", Path()), settings)
    return [one.text for one in found if not one.good and not one.text.startswith("params.yaml")]


def test_another_set_than_the_published_one_is_told_and_can_run(tmp_path: Path) -> None:
    write_stl10(tmp_path / "stl10", **COUNTS)
    write_tiny_imagenet(tmp_path / "tiny", **COUNTS)
    data = DataSettings(source="stl10", root=str(tmp_path / "stl10"), classes=10, split_size=10)
    found, counts, fit = look_at_raw(data)
    assert (len(found), found[0].good, fit, counts and counts.train) == (1, True, True, 120)
    assert found[0].text.endswith(
        "120 images to train on, 20 held out; not the published set: class airplane has 12 of 500 train "
        "images; and 19 more"
    )
    (told,), *_ = look_at_raw(data.model_copy(update={"source": "tiny_imagenet", "root": f"{tmp_path}/tiny"}))
    assert told.text.endswith("not the published set: 140 of 110,000 images are there")
    found, *_ = look_at_raw(data.model_copy(update={"on_bad_image": "error"}))
    assert "set data.on_bad_image: reject to go on" in found[1].text


def test_a_source_that_is_not_here_yet_has_classes_of_its_own() -> None:
    settings = own({"source": "stl10", "classes": 10, "split_size": 10}, judge={"name": "efficientnet-lite0"})
    (said,) = [one.text for one in of_choices(settings, None, Path()) if not one.good]
    assert "stl10 has classes of its own; choose judge.name: auto" in said


def test_a_set_that_must_be_downloaded_needs_a_network_and_one_that_ships_does_not(project: Path) -> None:
    for source, needs in (("stl10", True), ("digits", False)):
        data = {"source": source, "root": str(project / "none"), "classes": 10, "split_size": 10}
        told = [one.text for one in everything(Layout("digits", project), own(data)) if one.good]
        assert any(needs == ("needs a network" in one) for one in told if one.startswith("data: ")), told


def test_data_that_do_not_fit_are_one_problem_and_nothing_that_follows_from_it(project: Path) -> None:
    (project / "order.txt").write_text("digit0\ndigit1\ndigit9\n")
    enough = {
        "judge": {"name": "auto"},
        "distribution": {"kid_subset_size": 100, "neighbours": 3},
        "features": {"network": "judge"},
        "train": {"batch_size": 100},
    }
    order = {"root": "data/raw/own", "classes": 3, "split_size": 3, "order": str(project / "order.txt")}
    one_class = {"root": "data/raw/own", "classes": 1, "split_size": 1, "attribute": None}
    for data, said in (
        (order, r"data\.order: .* names class digit9, which the data lacks"),
        (one_class, r"data/raw/own has 6 classes, but `data\.classes` says 1"),
    ):
        found = [
            text for text in problems(own(data, **enough)) if not text.startswith("features.network: in")
        ]
        assert len([text for text in found if re.match(said, text)]) == 1
        for word in ("batch_size", "kid_subset_size", "features.network"):
            assert not [text for text in found if text.startswith(word) or f".{word}" in text], found


def test_a_split_of_all_classes_cannot_be_raised(project: Path) -> None:
    shutil.rmtree(project / "data/raw/own/digit0")
    data = {"root": "data/raw/own", "classes": 5, "split_size": 5}
    settings = own(data, train={"batch_size": 1000})
    _, counts, _ = look_at_raw(settings.data)
    assert counts
    said, _ = [one.text for one in of_trainings(settings, counts)]
    assert said.endswith("at most, or add some")
