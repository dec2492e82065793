"""Other splits than the protocol's, of the same images: what they are called, and what is in them."""

import json
from pathlib import Path

import numpy as np
import pytest
from small import ARRAYS, CLASSES
from stored_features import SPLITS, draw, features_of, store

from centigan import params
from centigan.classes import read_classes
from centigan.data.arrays import build_arrays
from centigan.data.captions import captions_of, write_captions
from centigan.errors import UserError
from centigan.grouping import by_similarity, gather_arrays, write_group
from centigan.layout import Layout, owned
from centigan.manifest import read_facts
from centigan.needed import missing
from centigan.settings.data import DataSettings
from centigan.settings.grouping import GroupingSettings
from centigan.settings.stages import GroupStage

WORDS = {
    "first_4": {"classes": 4},
    "by_1": {"size": 1},
    "first_4-by_2": {"classes": 4, "size": 2},
    "shuffled": {"order": "shuffled"},
    "by_2-shuffled_7": {"size": 2, "order": "shuffled", "seed": 7},
    "similar": {"order": "similar"},
}
STUDY = """
of: digits/acgan
axes:
  - {grouping.classes: [4, 6], grouping.size: [4, 6]}
  - train.seed: [0, 1]
columns: [fid/generated]
"""


@pytest.mark.parametrize("word", WORDS)
def test_a_word_and_its_splits_tell_each_other(word: str) -> None:
    grouping = GroupingSettings.model_validate(WORDS[word])
    assert grouping.word == word
    assert GroupingSettings.of_word(word) == grouping


@pytest.mark.parametrize(
    "word",
    [
        "",
        "first_0",
        "first_04",
        "by_x",
        "by_0",
        "shuffled_99999999999",
        "shuffled_0",
        "similar_1",
        "by_2-first_4",
    ],
)
def test_no_other_word_names_splits(word: str) -> None:
    found = GroupingSettings.of_word(word)
    assert found is None or not found.word


def test_what_the_protocol_says_anyway_has_no_name() -> None:
    data = DataSettings(classes=10, split_size=5)
    assert GroupingSettings(size=5).without_the_protocols_own(data).word == ""
    assert GroupingSettings(classes=10, size=5).without_the_protocols_own(data).word == ""
    assert GroupingSettings(classes=4, size=4).without_the_protocols_own(data).word == "first_4"  # 4 at most
    with pytest.raises(ValueError, match="there are 10"):
        GroupingSettings(classes=11).without_the_protocols_own(data)
    with pytest.raises(ValueError, match="4 at most"):
        GroupingSettings(classes=4, size=5).without_the_protocols_own(data)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("experiment: digits/acgan\ndata: {classes: 10, split_size: 5}\n")
    (tmp_path / "experiments/digits").mkdir(parents=True)
    (tmp_path / "experiments/digits/acgan.yaml").write_text("train: {iterations: 200}\n")
    (tmp_path / "experiments/digits/protocol.yaml").write_text("")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/counts.yaml").write_text(STUDY)
    return tmp_path


def test_points_of_equal_splits_share_a_home_below_their_study(project: Path) -> None:
    one, other = (params.load(f"digits/counts/4-{seed}", project).layout_at(project) for seed in (0, 1))
    home = project / "results/digits/counts/groups/first_4"
    assert one.home == other.home == Layout("digits/counts/groups/first_4", project)
    assert one.arrays("00") == home / "arrays/00"
    assert one.real_features("00") == home / "real/features/00"
    assert one.classes == home / "classes.csv"
    assert one.judge == project / "results/digits/judge"
    assert params.load("digits/acgan", project).layout_at(project).home == Layout("digits", project)


def test_the_home_has_settings_of_its_own_name(project: Path) -> None:
    settings = params.load("digits/counts/groups/first_4-by_2", project)
    assert (settings.data.classes, settings.data.split_size) == (4, 2)
    assert settings.layout.home == settings.layout
    assert owned(settings.layout.arrays("01") / "images.npy")[0] == settings.experiment
    assert "centigan arrays -e digits/counts/groups/first_4-by_2 -s 01" in str(
        missing(settings.layout.arrays("01") / "manifest.json")
    )
    assert "centigan group -e digits/counts" in str(missing(settings.layout.classes))
    for word in ("fourth", "first_0", "by_5", "first_4-by_4"):  # none, no number, the protocol's, first_4
        with pytest.raises(UserError, match="names no splits"):
            params.load(f"digits/counts/groups/{word}", project)
    with pytest.raises(UserError, match="study 'none' has no file"):
        params.load("digits/none/groups/first_4", project)


@pytest.mark.parametrize("file", ["experiments/digits/acgan.yaml", "experiments/digits/protocol.yaml"])
def test_only_a_study_regroups(project: Path, file: str) -> None:
    (project / file).write_text("grouping: {size: 1}\n")
    with pytest.raises(UserError, match=r"`grouping` is an axis of a study alone"):
        params.load("digits/acgan", project)


def test_more_classes_than_there_are_is_one_line_for_the_whole_study(project: Path) -> None:
    (project / "studies/counts.yaml").write_text(STUDY.replace("[4, 6]", "[4, 12]"))
    with pytest.raises(UserError, match=r"grouping.classes is 12, and there are 10"):
        params.load("digits/counts/12-0", project)


def test_classes_that_are_alike_stand_side_by_side() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3) * 10, 2, axis=0)[[0, 2, 4, 1, 3, 5]]  # pairs 0 3, 1 4, 2 5
    order = by_similarity(centres + rng.normal(0, 0.1, centres.shape))
    assert {frozenset(pair) for pair in order.reshape(3, 2).tolist()} == {
        frozenset({0, 3}),
        frozenset({1, 4}),
        frozenset({2, 5}),
    }
    assert by_similarity(np.zeros((1, 2))).tolist() == [0]


def stage(**grouping: object) -> GroupStage:
    own = GroupingSettings.model_validate(grouping)
    return GroupStage.model_validate(
        {"grouping": own, "data": own.applied(DataSettings(classes=4, split_size=2))}
    )


def group(layout: Layout, **grouping: object) -> Layout:
    """The home of such splits, its classes written and all its arrays gathered."""
    own = stage(**grouping)
    home = Layout(f"{layout.shared.experiment}/study/groups/{own.grouping.word}", layout.root)
    write_group(home, own)
    for split in dict.fromkeys(each.split for each in read_classes(home)):
        gather_arrays(home, split, own.grouping)
    return home


def of_class(layout: Layout, split: str, class_id: str, prefix: str) -> np.ndarray:
    folder = layout.arrays(split)
    label = [each.id for each in read_classes(layout) if each.split == split].index(class_id)
    return np.load(folder / f"{prefix}images.npy")[np.load(folder / f"{prefix}labels.npy") == label]


@pytest.mark.parametrize("prefix", ["", "held_out_"])
@pytest.mark.parametrize(
    "grouping", [{"size": 1}, {"classes": 3, "size": 3}, {"order": "shuffled", "size": 3}]
)
def test_every_class_has_the_protocols_images_in_their_order(
    layout: Layout, data_settings: DataSettings, grouping: dict[str, object], prefix: str
) -> None:
    build_arrays(layout, "01", ARRAYS, Path(data_settings.root))
    home = group(layout, **grouping)
    before = {each.id: each.split for each in read_classes(layout)}
    for each in read_classes(home):
        np.testing.assert_array_equal(
            of_class(home, each.split, each.id, prefix), of_class(layout, before[each.id], each.id, prefix)
        )


def test_captions_go_with_their_images_and_unseen_classes_stay_unseen(
    layout: Layout, data_settings: DataSettings
) -> None:
    build_arrays(layout, "01", ARRAYS, Path(data_settings.root))
    for split, unseen in (("00", "dog"), ("01", "eel")):
        folder = layout.arrays(split)
        facts = read_facts(folder) | {"unseen": [unseen]}
        (folder / "facts.json").write_text(json.dumps(facts))
        for prefix in ("", "held_out_"):
            labels = np.load(folder / f"{prefix}labels.npy")
            said = ([f"{row} of {facts['classes'][label]}"] for row, label in enumerate(labels))
            write_captions(folder, prefix, said)
    home = group(layout, classes=3, size=3)
    (split,) = {each.split for each in read_classes(home)}
    folder = home.arrays(split)
    assert read_facts(folder)["unseen"] == ["dog", "eel"]
    held_out = [("cat", 0), ("cat", 1), ("dog", 2), ("dog", 3), ("eel", 0), ("eel", 1)]
    assert captions_of(folder, "held_out_") == [[f"{row} of {class_id}"] for class_id, row in held_out]
    assert "captions.json" in (folder / "SHA256SUMS").read_text()
    alone = [group(layout, size=1).arrays(f"0{number}") for number in range(4)]
    assert [read_facts(one).get("unseen") for one in alone] == [None, ["dog"], ["eel"], None]


def test_the_order_by_chance_follows_from_the_seed_and_holds_every_class(
    layout: Layout, data_settings: DataSettings
) -> None:
    build_arrays(layout, "01", ARRAYS, Path(data_settings.root))
    orders = [
        [each.id for each in read_classes(group(layout, order="shuffled", seed=s))] for s in (1, 1, 2, 3)
    ]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    assert all(sorted(order) == sorted(CLASSES) for order in orders)


def test_likeness_is_told_by_the_features_of_training_images(tmp_path: Path) -> None:
    layout = store(tmp_path)
    rows = [(name, split) for split, names in SPLITS.items() for name in names]
    lines = [f"{at},{name},{name},{split},30,10" for at, (name, split) in enumerate(rows)]
    layout.classes.write_text("\n".join(["label,class_id,words,split,train,held_out", *lines]) + "\n")
    for split, one, other in (("00", "ape", "bee"), ("01", "bee", "ape")):  # doe looks like ape, cow like bee
        np.save(
            features_of(layout, split, "training"),
            np.concatenate([draw(one, "training", 30), draw(other, "training", 30)]),
        )
    home = Layout("drawn/study/groups/similar", tmp_path)
    write_group(home, stage(order="similar"))
    found = [{each.id for each in read_classes(home) if each.split == split} for split in SPLITS]
    assert {"ape", "doe"} in found
    assert {"bee", "cow"} in found
