"""Points in the place of images: the sets that ship, a file of one's own, and what is wrong with one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.points import COUNTS, DRAWING, put_in_place
from centigan.data.sources import recognise
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.data import DataSettings
from centigan.settings.stages import ArraysStage

STAGE = ArraysStage.model_validate({"arrays": {}})
LINES = "subset,class_id,x1,x2\ntrain,b,1.5,-2\ntrain,a,0.25,1e-3\nheld_out,a,3,4\nheld_out,b,0,0\n"


def built(folder: Path, source: str, classes: int, **data: object) -> Layout:
    layout = Layout("points", folder)
    root = folder / "raw"
    settings = {"source": source, "root": str(root), "classes": classes, "split_size": classes} | data
    build_index(layout, DataSettings.model_validate(settings))
    build_arrays(layout, "00", STAGE, root)
    return layout


def own(folder: Path, text: str) -> Path:
    (folder / "raw").mkdir()
    (folder / "raw/points.csv").write_text(text)
    return folder


@pytest.mark.parametrize("source", DRAWING)
def test_a_set_that_ships_is_the_same_each_time_and_its_subsets_differ(source: str, tmp_path: Path) -> None:
    for name in ("one", "other"):
        put_in_place(source, tmp_path / name)
    one, other = ((tmp_path / name / "points.csv").read_bytes() for name in ("one", "other"))
    assert one == other
    table = pd.read_csv(tmp_path / "one/points.csv", dtype={"class_id": str})
    assert table["subset"].value_counts().to_dict() == COUNTS
    assert not table.duplicated([name for name in table if name.startswith("x")]).sum() > len(table) // 100


def test_a_ring_has_eight_modes_at_radius_2_and_a_grid_25_that_are_evenly_apart() -> None:
    for source, modes, std in (("ring", 8, 0.02), ("grid", 25, 0.05 / 2.828)):
        points, labels = DRAWING[source](5000, np.random.default_rng(0))
        centres = np.array([points[labels == label].mean(0) for label in range(modes)])
        spread = np.concatenate([points[labels == label] - c for label, c in enumerate(centres)])
        assert len(set(labels)) == modes
        assert spread.std() == pytest.approx(std, rel=0.05)
        apart = np.sort(np.linalg.norm(centres[:, None] - centres, axis=2) + 9 * np.eye(modes), axis=1)[:, 0]
        assert apart == pytest.approx(apart.mean(), rel=0.01)
        if source == "ring":
            assert np.linalg.norm(centres, axis=1) == pytest.approx(2, rel=0.01)


def test_arrays_hold_the_points_of_the_file_and_their_classes(tmp_path: Path) -> None:
    layout = built(own(tmp_path, LINES), "points", 2)
    folder = layout.arrays("00")
    points, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    assert points.dtype == np.float32
    assert points.tolist() == [[0.25, pytest.approx(1e-3)], [1.5, -2.0]]
    assert labels.tolist() == [0, 1]
    assert np.load(folder / "held_out_images.npy").tolist() == [[3.0, 4.0], [0.0, 0.0]]
    assert read_facts(folder) == {"classes": ["a", "b"], "dimensions": 2}
    assert recognise(tmp_path / "raw") == "points"


def test_points_of_a_line_have_one_coordinate(tmp_path: Path) -> None:
    text = "".join(line.rpartition(",")[0] + "\n" for line in LINES.splitlines())
    assert np.load(built(own(tmp_path, text), "points", 2).arrays("00") / "images.npy").shape == (2, 1)


@pytest.mark.parametrize("cell", ["nan", "inf", "1e300", "1,2", "", "one"])
def test_a_line_that_is_no_point_is_named_and_may_be_left_out(cell: str, tmp_path: Path) -> None:
    folder = own(tmp_path, LINES + f"train,a,{cell},0\n")
    with pytest.raises(UserError, match=r"line_00000006 in .*points.csv .*mend it, or set data.on_bad_image"):
        built(folder, "points", 2, on_bad_image="error")
    layout = built(folder, "points", 2, on_bad_image="reject")
    assert len(np.load(layout.arrays("00") / "images.npy")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y\n1,2\n", "begins with the columns x, y; subset, class_id, x1"),
        ("subset,class_id,x1,x2,x3\n", "and, of a plane, x2 are expected"),
        ("subset,class_id,x1\ntest,a,1\n", "line 2 begins with 'test', not with train or held_out"),
        ("", "begins with the columns of no name"),
    ],
)
def test_a_file_of_another_form_is_told(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        built(own(tmp_path, text), "points", 1)


def test_a_file_that_is_missing_is_told_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"points.csv is missing; its columns are subset, class_id, x1"):
        built(tmp_path, "points", 1)


def test_a_mark_before_the_first_name_and_empty_lines_are_no_points(tmp_path: Path) -> None:
    layout = built(
        own(tmp_path, "\ufeff" + LINES.replace("\n", "\r\n").replace("held_out,a", "\nheld_out,a") + "\n \n"),
        "points",
        2,
    )
    assert np.load(layout.arrays("00") / "images.npy").tolist() == [[0.25, pytest.approx(1e-3)], [1.5, -2.0]]
    assert np.load(layout.arrays("00") / "held_out_images.npy").tolist() == [[3.0, 4.0], [0.0, 0.0]]


def test_a_class_without_a_good_point_is_told_with_a_bad_line(tmp_path: Path) -> None:
    folder = own(tmp_path, LINES.replace("0.25", "nan"))
    said = r"class a: every one of its train points is bad; .* line_00000003 in .*points.csv has not 2 finite"
    with pytest.raises(UserError, match=said):
        built(folder, "points", 2)


def test_a_class_without_held_out_points_is_told(tmp_path: Path) -> None:
    folder = own(tmp_path, LINES.partition("held_out,b")[0])
    with pytest.raises(UserError, match="class b holds no held_out points; add some or remove the class"):
        built(folder, "points", 2)
