"""What is said of captions before anything runs."""

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from copied import ROOT

from centigan import preflight
from centigan.data.captioned_fixture import write_captioned
from centigan.data.index import build_index
from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.params import experiments_of, load
from centigan.preflight.captions import of_captions, of_unseen
from centigan.preflight.counts import Counts, OfClass, of_index
from centigan.preflight.findings import Finding
from centigan.preflight.sentence import in_hub_s_cache, of_sentence_encoder
from centigan.preflight.trainings import of_trainings
from centigan.settings import Settings
from centigan.settings.text import TextSettings
from centigan.weights import NoDownload

CLASSES = 5
TEXT = "text_c10"


def told(family: str = "gan_cls", **sections: dict[str, object]) -> Settings:
    """Settings of an experiment `mine/words`."""
    values: dict[str, object] = {"experiment": "mine/words", "arrays": {"resolution": 32}}
    return Settings.model_validate(values | {"model": {"family": family}} | sections)


def wrong(found: list[Finding]) -> list[str]:
    return [finding.text for finding in found if not finding.good]


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each kind; never written to."""
    root = tmp_path_factory.mktemp("captioned")
    for kind in ("cub200", "oxford102"):
        write_captioned(kind, root / kind, classes=CLASSES, per_class=6, held_out_per_class=2)
    return root


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "captioned_shapes", "classes": 36}, None),
        ({"source": "digits", "classes": 10}, "digits stands for none; those of captioned_shapes, cub200, "),
        ({"source": "coco_captions", "classes": 1}, None),
        ({"source": "auto", "classes": 10}, "chosen by data.source: name one of captioned_shapes, cub200, "),
    ],
)
def test_captions_are_asked_of_the_source(data: dict[str, object], said: str | None) -> None:
    data = {"root": "data/raw/mine"} | data
    found = wrong([*of_captions(told(data=data), None)])
    assert len(found) == (said is not None)
    assert said is None or re.search(said, found[0])
    assert not [*of_captions(told("dcgan", data=data), None)]


def test_a_source_that_is_recognised_is_named_as_it_is_to_be_written(fixtures: Path) -> None:
    root = str(fixtures / "cub200")
    (said,) = wrong([*of_captions(told(data={"source": "auto", "root": root, "classes": CLASSES}), None)])
    assert said.endswith(f"{root} is recognised as that of cub200; write data.source: cub200")
    own = f"{root}/CUB_200_2011/images"  # class folders
    (said,) = wrong([*of_captions(told(data={"source": "auto", "root": own, "classes": CLASSES}), None)])
    assert said.endswith("x.txt lies beside each image x.jpg, write data.source: captioned_folders")


@pytest.mark.parametrize("kind", ["cub200", "oxford102"])
@pytest.mark.parametrize("fault", ["none are there", "a file in their place"])
def test_captions_that_are_not_there_are_missed_before_the_index_and_after(
    kind: str, fault: str, fixtures: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(fixtures / kind, tmp_path / kind))
    shutil.rmtree(root / TEXT)
    data = {"source": kind, "root": str(root), "classes": CLASSES, "split_size": CLASSES}
    settings, layout = told(data=data), Layout("mine/words", tmp_path / "project")
    if fault == "none are there":
        said = f"is told captions, and {root} has none: unpack {TEXT}/"
        build_index(layout, settings.data)
        with pytest.raises(UserError, match=re.escape(said)):
            preflight.after_index(layout, settings)
        assert of_index(layout).captions == 0
        found, counts, _ = preflight.look_at_raw(settings.data)
        found += of_captions(settings, counts)
    else:
        (root / TEXT).write_text("an archive that was not unpacked")
        said = f"{root / TEXT} is a file, and a folder of captions is expected"
        found, *_ = preflight.look_at_raw(settings.data)
    assert said in "\n".join(wrong(found))


def test_the_index_and_the_raw_data_tell_the_same_of_captions_and_unseen_classes(
    fixtures: Path, tmp_path: Path
) -> None:
    root = str(fixtures / "cub200")
    settings = told(data={"source": "cub200", "root": root, "classes": CLASSES, "split_size": CLASSES})
    layout = Layout("mine/words", tmp_path)
    build_index(layout, settings.data)
    _, raw, _ = preflight.look_at_raw(settings.data)
    assert raw == of_index(layout)
    assert [one.unseen for one in raw.classes] == [False, False, False, True, False]
    assert raw.captions


def counts(*classes: tuple[str, int, bool]) -> Counts:
    return Counts(tuple(OfClass(f"c{at}", split, n, 3, u) for at, (split, n, u) in enumerate(classes)), "x")


def test_a_split_of_unseen_classes_alone_is_refused_for_whatever_family() -> None:
    (said,) = wrong([*of_unseen(counts(("00", 9, False), ("00", 9, True), ("01", 9, True), ("02", 9, True)))])
    assert said.startswith("split 01 has unseen classes alone, as have 1 more splits, so that its model")
    assert not [*of_unseen(counts(("00", 9, False), ("00", 9, True), ("", 9, True)))]


def test_images_of_unseen_classes_fill_no_batch_and_need_no_labels() -> None:
    data = {"source": "cub200", "root": "r", "classes": 3, "split_size": 3}
    there = counts(("00", 30, False), ("00", 20, False), ("00", 4, True))
    settings = told(data=data, train={"batch_size": 51}, supervision={"labelled_per_class": 5})
    (said,) = wrong([*of_trainings(settings, there)])
    assert said.startswith("train.batch_size is 51, and split 00 has 50 training images; 50 at most")


def test_an_encoder_needs_two_classes_that_it_may_learn() -> None:
    data = {"source": "cub200", "root": "r", "classes": 3, "split_size": 3}
    there = counts(("00", 30, False), ("00", 20, True), ("00", 4, True))
    (said,) = wrong([*of_captions(told(data=data), there)])
    assert "1 of 3 may be trained on; all others are unseen" in said


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The published encoder, an empty cache of the Hub, no network and no package."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(preflight.sentence, "require_answer", no_answer)
    monkeypatch.setattr(preflight.sentence, "find_spec", lambda name: None)
    data = {"source": "captioned_shapes", "root": "r", "classes": 36, "split_size": 36}
    return told(data=data, text={"encoder": "sentence"}, judge={"name": "small-cnn"})


def no_answer(url: str) -> None:
    assert url.startswith("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/c9745ed1")
    raise NoDownload("no route")


def test_package_and_weights_of_a_sentence_encoder_are_missed_at_once(
    offline: Settings, tmp_path: Path
) -> None:
    package, weights = wrong([*of_sentence_encoder(offline, wanted=True, fetch=False)])
    assert "pip install 'centigan[sentence]'" in package
    assert f"weights that are not at {tmp_path / 'hub'}/models--sentence-transformers--all-MiniLM" in weights
    assert "cannot be downloaded (no route): run once where there is a network" in weights
    assert not [*of_sentence_encoder(offline, wanted=False, fetch=False)]
    bow = offline.model_copy(update={"text": TextSettings(encoder="bow")})
    assert not [*of_sentence_encoder(bow, wanted=True, fetch=False)]
    in_hub_s_cache(offline.text).mkdir(parents=True)
    assert len(wrong([*of_sentence_encoder(offline, wanted=True, fetch=False)])) == 1


def test_a_run_that_learns_or_embeds_captions_asks_for_the_sentence_encoder(
    offline: Settings, tmp_path: Path
) -> None:
    (tmp_path / "experiments/mine").mkdir(parents=True)
    for file in ("params.yaml", "experiments/mine/words.yaml"):
        (tmp_path / file).touch()
    data = "data: {source: captioned_shapes, root: r, classes: 36, split_size: 36}\n"
    protocol = tmp_path / "experiments/mine/protocol.yaml"
    protocol.write_text(f"{data}text: {{encoder: sentence}}\njudge: {{name: small-cnn}}\n")
    layout = Layout("mine/words", tmp_path)
    with pytest.raises(UserError, match="for 2 reasons"):
        preflight.before_first_job(layout, offline, rules={"text"}, dry=True)
    preflight.before_first_job(layout, offline, rules={"raw"}, dry=True)
    found = wrong(preflight.everything(layout, offline))
    assert len([text for text in found if text.startswith("text.")]) == 2


def test_a_run_downloads_the_sentence_encoder_by_loading_it(
    offline: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    stand_in = SimpleNamespace(SentenceTransformer=lambda name, **options: asked.append(name))
    monkeypatch.setitem(sys.modules, "sentence_transformers", stand_in)
    monkeypatch.setattr(preflight.sentence, "find_spec", lambda name: stand_in)
    assert not wrong([*of_sentence_encoder(offline, wanted=True, fetch=True)])
    assert asked == [offline.text.sentence_model]


PUBLISHED = {  # protocol -> classes, of these unseen, training and held-out images: of most, of the smallest
    "cub200": (200, 50, (53, 6), (37, 4)),
    "oxford102": (102, 20, (72, 8), (36, 4)),
    "coco_captions": (1, 0, (82_783, 40_504), (82_783, 40_504)),
}


@pytest.mark.parametrize(
    "name", [name for name in experiments_of(ROOT) if name.partition("/")[0] in PUBLISHED]
)
def test_experiments_on_published_captions_can_run_by_the_published_numbers_of_images(name: str) -> None:
    classes, unseen, most, smallest = PUBLISHED[name.partition("/")[0]]
    settings = load(name, ROOT)
    there = [OfClass(f"c{at:03d}", "00", *most, at < unseen) for at in range(classes)]
    there[-1] = OfClass("last", "00", *smallest)
    (split,) = split_names(settings.data.classes, settings.data.split_size)
    own = Counts(tuple(one._replace(split=split) for one in there), "as published", captions=100)
    assert wrong([*preflight.of_all(Layout(name, ROOT), settings, own)]) == []
