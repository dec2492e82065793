"""Data sets with captions, read as they are published, and all that may be wrong with them."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from refused import refusal
from scipy.io import loadmat, savemat
from small import ARRAYS

from centigan.data.arrays import build_arrays
from centigan.data.captioned_fixture import WRITERS, write_captioned
from centigan.data.captions import captions_of
from centigan.data.index import build_index
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts, read_object
from centigan.settings.data import DataSettings

CLASSES, PER_CLASS, HELD_OUT = 5, 4, 2
LISTS = ("trainvalclasses.txt", "testclasses.txt")
PUBLISHED = ("cub200", "oxford102", "coco_captions")
COCO_TRAIN, COCO_VAL = (f"annotations/captions_{part}2014.json" for part in ("train", "val"))


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each kind; never written to."""
    root = tmp_path_factory.mktemp("captioned")
    for kind in WRITERS:
        write_captioned(kind, root / kind, classes=CLASSES, per_class=PER_CLASS, held_out_per_class=HELD_OUT)
    return root


@pytest.fixture
def root(fixtures: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one kind to damage."""
    return Path(shutil.copytree(fixtures / request.param, tmp_path / request.param))


cub, oxford, coco = (pytest.mark.parametrize("root", [kind], indirect=True) for kind in PUBLISHED)
own = pytest.mark.parametrize("root", ["captioned_folders"], indirect=True)
with_files = pytest.mark.parametrize("root", ["cub200", "oxford102"], indirect=True)


def listing(root: Path, **data: object) -> Listing:
    return list_source(DataSettings.model_validate({"root": str(root), **data}))


def without_lists(root: Path) -> Path:
    for name in LISTS:
        (root / name).unlink()
    return root


def names(found: Listing, subset: str) -> list[str]:
    return found.images.loc[found.images["subset"] == subset, "name"].tolist()


def caption_files(root: Path) -> list[Path]:
    return sorted((root / "text_c10").glob("*/*.txt"))


@pytest.mark.parametrize("kind", PUBLISHED)
def test_each_is_recognised_and_every_image_has_captions(fixtures: Path, kind: str) -> None:
    assert recognise(fixtures / kind) == kind
    found = listing(fixtures / kind)
    assert len(found.images) == CLASSES * (PER_CLASS + HELD_OUT)
    assert {len(captions) for captions in found.images["captions"]} == (
        {4, 5} if kind == "coco_captions" else {9, 10}
    )  # one line of the first image of each class is blank
    assert not found.passed_over
    assert found.classes == sorted(set(found.images["class_id"]))
    by_name = listing(fixtures / kind, source=kind)
    pd.testing.assert_frame_equal(by_name.images, found.images)


@with_files
def test_captions_are_those_of_their_image_in_lower_case_whatever_the_encoding(root: Path) -> None:
    first, second = caption_files(root)[:2]
    first.write_bytes(b"Na\xefve\n\n \r\nA  BIRD\x85 \r\n")  # latin-1
    second.write_text("naïve \N{BIRD}\n", encoding="utf-8")
    captions = dict(listing(root).images.set_index("name")["captions"])
    assert captions[f"{first.stem}.jpg"] == ["naïve", "a bird"]
    assert captions[f"{second.stem}.jpg"] == ["naïve \N{BIRD}"]


@with_files
def test_lists_of_classes_say_which_are_unseen_and_each_class_has_images_held_out(root: Path) -> None:
    found = listing(root, held_out=0.34)
    assert found.unseen == (found.classes[3],)
    counts = found.images.groupby(["subset", "class_id"]).size()
    assert set(counts["train"]) == {4}
    assert set(counts["held_out"]) == {2}


@with_files
def test_without_lists_of_classes_the_published_parts_decide(root: Path) -> None:
    found = listing(without_lists(root))
    assert found.unseen == ()
    counts = found.images.groupby(["subset", "class_id"]).size()
    assert (set(counts["train"]), set(counts["held_out"])) == ({PER_CLASS}, {HELD_OUT})


@oxford
def test_no_test_image_of_the_flowers_is_trained_on(root: Path) -> None:
    parts = loadmat(root / "setid.mat")
    found = listing(without_lists(root))
    for subset, keys in (("train", ("trnid", "valid")), ("held_out", ("tstid",))):
        numbers = sorted(number for key in keys for number in parts[key].ravel().tolist())
        assert sorted(names(found, subset)) == [f"image_{number:05d}.jpg" for number in numbers]


@cub
def test_birds_lie_in_the_root_or_in_the_folder_that_is_unpacked(root: Path) -> None:
    found = listing(root)
    for entry in (root / "CUB_200_2011").iterdir():
        entry.rename(root / entry.name)
    (root / "CUB_200_2011").rmdir()
    assert recognise(root) == "cub200"
    moved = listing(root)
    assert moved.images["captions"].tolist() == found.images["captions"].tolist()
    assert moved.words["001.Astronaut"] == "Astronaut"


@with_files
def test_without_any_captions_the_images_are_read_all_the_same(root: Path) -> None:
    shutil.rmtree(root / "text_c10")
    found = listing(root)
    assert "captions" not in found.images
    assert "no text_c10/, so no captions" in found.found


@coco
def test_annotations_of_2017_are_read_too(root: Path) -> None:
    found = listing(root)
    for part in ("train", "val"):
        (root / f"annotations/captions_{part}2014.json").rename(
            root / f"annotations/captions_{part}2017.json"
        )
        (root / f"{part}2014").rename(root / f"{part}2017")
    assert listing(root).images["captions"].tolist() == found.images["captions"].tolist()


@pytest.mark.parametrize(
    ("root", "folder", "said"),
    [
        (
            "cub200",
            "CUB_200_2011/images",
            r"001\.Astronaut is missing, and should hold \d images that images",
        ),
        (
            "oxford102",
            "jpg",
            r"jpg is missing, .*: .*/elsewhere/jpg holds images of these names; move those to",
        ),
    ],
    indirect=["root"],
)
def test_where_images_lie_that_do_not_lie_where_they_should_is_told(
    folder: str, said: str, root: Path
) -> None:
    (root / "elsewhere").mkdir()
    (root / folder).rename(root / "elsewhere" / Path(folder).name)
    assert re.search(said, refusal(root))


@pytest.mark.parametrize("root", WRITERS, indirect=True)
def test_index_and_arrays_are_made_of_each(root: Path, tmp_path: Path) -> None:
    layout, classes = Layout("captioned", tmp_path / "project"), len(listing(root).classes)
    source = {"source": root.name} if root.name == "captioned_folders" else {}
    settings = {"root": str(root), "classes": classes, "split_size": classes, **source}
    build_index(layout, DataSettings.model_validate(settings))
    (split,) = [path.stem for path in (layout.protocol / "index").iterdir()]
    build_arrays(layout, split, ARRAYS, root)
    folder = layout.arrays(split)
    rows = pd.read_parquet(layout.index(split))
    for subset, prefix in (("train", ""), ("held_out", "held_out_")):
        own = rows.loc[rows["subset"] == subset, "captions"]
        assert captions_of(folder, prefix) == [list(captions) for captions in own]
    unseen = list(listing(root).unseen)
    assert read_facts(folder).get("unseen", []) == read_object(layout.source).get("unseen", []) == unseen


@pytest.mark.parametrize("root", PUBLISHED, indirect=True)
def test_images_that_are_lost_are_counted_and_those_that_no_list_names_passed_over(root: Path) -> None:
    lost = next(iter(sorted(root.rglob("*.jpg"))))
    lost.rename(lost.with_name("another.jpg"))
    found = listing(root)
    assert len(found.images) == sum(sum(of.values()) for of in found.official.values()) - 1
    (passed_over,) = found.passed_over["image that no list names"]
    assert passed_over.endswith("/another.jpg")


@with_files
def test_all_that_is_wrong_with_captions_is_said_at_once(root: Path) -> None:
    gone, empty, blank, *_ = caption_files(root)
    gone.rename(gone.with_name("nobody.txt"))
    empty.write_text("")
    blank.write_text(" \n\n")
    said = refusal(root)
    assert f"{gone} is missing: its image has no captions" in said
    assert f"{empty} holds no caption; {blank} holds no caption" in said
    assert f"{gone.with_name('nobody.txt')} has captions of an image that is not there" in said


@with_files
def test_lists_of_classes_that_contradict_the_data_are_named(root: Path) -> None:
    seen, unseen = (root / name for name in LISTS)
    lines = seen.read_text().split()
    seen.write_text("\n".join([*lines[1:], "dodo"]))
    unseen.write_text(unseen.read_text() + lines[1])
    said = refusal(root)
    assert f"{seen} names class dodo, which is none" in said
    assert f"class {lines[0]} is not in" in said
    assert f"class {lines[1]} is twice in" in said
    unseen.unlink()
    assert "testclasses.txt is missing, and the other list of classes is there" in refusal(root)


@cub
def test_faults_in_the_lists_of_birds_are_named(root: Path) -> None:
    home = without_lists(root) / "CUB_200_2011"
    labels, parts = home / "image_class_labels.txt", home / "train_test_split.txt"
    published = labels.read_text(), parts.read_text()
    labels.write_text(published[0].replace("\n2 1\n", "\n2 6\n").replace("\n3 1\n", "\n"))
    said = refusal(root)
    assert f"{labels} has no class of image 3" in said
    assert f"{labels}: image 2 has class 6, which classes.txt does not have" in said
    labels.write_text(published[0])
    parts.write_text(published[1].replace("\n2 1\n", "\n2 yes\n"))
    assert f"{parts} says neither 1 nor 0 of image 2" in refusal(root)
    parts.write_text("1\n")
    assert f"{parts}, line 1, is no id of its own and a value" in refusal(root)
    parts.unlink()
    assert f"{parts} is missing" in refusal(root)


@cub
def test_no_list_leads_out_of_the_root(root: Path) -> None:
    images = root / "CUB_200_2011/images.txt"
    images.write_text(images.read_text().replace("001.Astronaut/", "../../", 1))
    assert f"{images}: image 1 is ../../Astronaut_0000.jpg, no <class>/<image>" in refusal(root)


@oxford
def test_faults_in_the_lists_of_flowers_are_named(root: Path) -> None:
    without_lists(root)
    labels, parts = root / "imagelabels.mat", root / "setid.mat"
    published = {key: ids for key, ids in loadmat(parts).items() if key in {"trnid", "valid", "tstid"}}
    savemat(parts, published | {"valid": [[2, 4, 31]], "tstid": published["tstid"][:, 1:]})
    said = refusal(root)
    assert f"{parts}: valid has image 31, not one of 1 to 30" in said
    assert f"{parts} does not say what image_00005.jpg is for" in said
    parts.write_bytes(parts.read_bytes()[:100])
    assert f"{parts} has no trnid to read" in refusal(root)
    parts.unlink()
    assert f"{parts} is missing, so nothing says what is held out" in refusal(root)
    savemat(labels, {"labels": [[1, 103, 0]]})
    assert f"{labels}: image 2 has class 103, not one of 1 to 102" in refusal(root)


@coco
def test_faults_in_annotations_are_named(root: Path) -> None:
    files = [root / COCO_TRAIN, root / COCO_VAL]
    published = [json.loads(file.read_text()) for file in files]
    name = published[1]["images"][0]["file_name"]
    train = published[0] | {"annotations": [*published[0]["annotations"], {"image_id": 7, "caption": "a"}]}
    files[0].write_text(json.dumps(train))
    files[1].write_text(json.dumps(published[1] | {"annotations": published[1]["annotations"][5:]}))
    said = refusal(root)
    assert f"{files[0]} has captions of image 7, which it does not name" in said
    assert f"{files[1]}: {name} has no captions" in said
    files[0].write_bytes(files[0].read_bytes()[:-9])
    assert f"{files[0]} is cut short or damaged" in refusal(root)
    files[0].write_text('{"images": [{"id": 3}], "annotations": []}')
    assert f"{files[0]} is no file of COCO's captions (no 'file_name'" in refusal(root)
    files[0].write_text(json.dumps(published[0]))
    files[1].unlink()
    assert f"{files[1]} is missing" in refusal(root)


@coco
@pytest.mark.parametrize(
    ("images", "annotations", "said"),
    [
        ([[0, "again.jpg"]], [], "names image 0 twice"),
        (
            [[77, "COCO_train2014_000000000000.jpg"]],
            [],
            "names file_name COCO_train2014_000000000000.jpg twice",
        ),
        ([[[7], "a.jpg"]], [[[7], "a bird"]], "the id of an image is no whole number: [7]"),
        ([], [[[7], "a bird"]], "has captions of image [7], which it does not name"),
        ([[True, "a.jpg"]], [], "the id of an image is no whole number: True"),
        ([[77, ["a.jpg"]]], [], "the file_name of image 77 is no name: ['a.jpg']"),
        ([[77, "\ud800.jpg"]], [], "the file_name of image 77 is no name: "),
        ([], [[0, "a bird \ud83d"]], "a caption of image 0 has half a character"),
        (
            [],
            [[0, "a bird " * 1_000_000]],
            "a caption of image 0 has 7,000,000 characters, and 5,000 are read",
        ),
        ([], [[0, {"text": "a" * 9999}]], "a caption of image 0 is no text: {'text': 'aaaa"),
    ],
)
def test_odd_ids_names_and_captions_of_annotations_are_named(
    root: Path, images: list[list[object]], annotations: list[list[object]], said: str
) -> None:
    file = root / COCO_TRAIN
    published = json.loads(file.read_text())
    published["images"] += [dict(zip(("id", "file_name"), one, strict=True)) for one in images]
    published["annotations"] += [dict(zip(("image_id", "caption"), one, strict=True)) for one in annotations]
    file.write_text(json.dumps(published))
    told = refusal(root)
    assert said in told
    assert len(told.encode()) < 1000


@coco
def test_annotations_that_are_brackets_within_brackets_are_no_annotations(root: Path) -> None:
    (root / COCO_TRAIN).write_text("[" * 1_000_000)
    assert f"{root / COCO_TRAIN} is no file of COCO's captions (brackets in" in refusal(root)


@with_files
def test_a_caption_of_many_words_is_refused_with_its_line(root: Path) -> None:
    file = caption_files(root)[0]
    file.write_text("a bird\n" + "a long caption " * 1000)
    assert f"{file}, line 2: a caption has 15,000 characters, and 5,000 are read at most" in refusal(root)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_fixture_has_the_same_bytes_each_time_and_replaces_nothing(
    fixtures: Path, tmp_path: Path, kind: str
) -> None:
    counts = {"classes": CLASSES, "per_class": PER_CLASS, "held_out_per_class": HELD_OUT}
    write_captioned(kind, tmp_path / kind, **counts)
    for file in filter(Path.is_file, (fixtures / kind).rglob("*")):
        assert (tmp_path / kind / file.relative_to(fixtures / kind)).read_bytes() == file.read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_captioned(kind, tmp_path / kind, **counts)
    with pytest.raises(UserError, match="has 2 to 20 classes"):
        write_captioned(kind, tmp_path / "many", **counts | {"classes": 21})


@cub
def test_lines_without_words_do_not_count_and_what_cannot_be_printed_is_a_space(root: Path) -> None:
    file = sorted((root / "text_c10").rglob("*.txt"))[0]
    file.write_bytes(b"...\n \nA\x07red\x01bird\n!!\n")
    of_image = {Path(row.name).stem: row.captions for row in listing(root).images.itertuples(index=False)}
    assert of_image[file.stem] == ["a red bird"]


def of_folders(root: Path) -> Listing:
    return listing(root, source="captioned_folders")


def refusal_of_folders(root: Path) -> str:
    return refusal(root, source="captioned_folders")


@own
def test_a_text_beside_each_image_has_its_captions(root: Path) -> None:
    (root / "train/coffee").mkdir()
    shutil.copy(root / "train/astronaut/0001.jpg", root / "train/coffee/cup.v2.jpg")
    (root / "train/coffee/cup.v2.txt").write_text("A cup\n\nof COFFEE\n")
    shutil.copytree(root / "train/coffee", root / "val/coffee", dirs_exist_ok=True)
    (root / "train/coffee/notes.md").touch()
    found = of_folders(root)
    assert found.source == "folders train/ and val/ with captions"
    captions = dict(zip(found.images["path"], found.images["captions"], strict=True))
    assert captions[str(root / "train/coffee/cup.v2.jpg")] == ["a cup", "of coffee"]
    assert found.passed_over == {"no image": ["train/coffee/notes.md"]}  # files of captions are none of it
    assert recognise(root) == "folders"
    assert "captions" not in listing(root).images


@own
def test_class_folders_with_texts_are_read_without_train_and_val_too(root: Path) -> None:
    found = of_folders(root / "train")
    assert found.source == "class folders with captions"
    assert len(names(found, "held_out")) == CLASSES
    assert found.images["captions"].map(len).min() >= 2


@own
def test_images_texts_and_captions_that_lack_are_named_at_once(root: Path) -> None:
    gone, empty, blank, _ = sorted((root / "train/astronaut").glob("*.txt"))
    gone.unlink()
    empty.write_text("")
    blank.write_text(" \n...\n")
    alone = root / "val/astronaut/nobody.txt"
    alone.write_text("nobody\n")
    assert refusal_of_folders(root) == (
        f"{gone} is missing: its image has no captions; {empty} holds no caption; {blank} holds no caption; "
        f"{alone} has captions of an image that is not there"
    )
    for file in root.rglob("*.txt"):
        file.unlink()
    assert refusal_of_folders(root) == (
        f"{root}: no image has captions; write x.txt beside x.jpg, a sentence a line"
    )


@own
def test_captions_of_an_image_that_cannot_be_trained_on_are_no_fault(root: Path) -> None:
    image = sorted((root / "train/astronaut").glob("*.jpg"))[0]
    image.rename(image.with_suffix(".heic"))
    image.with_suffix(".heic").write_bytes(b"....ftypheic")
    found = of_folders(root)
    assert [rejected.name for rejected in found.rejected] == [str(image.with_suffix(".heic"))]
