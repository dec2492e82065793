"""Studies of made-up numbers: means and deviations by hand, choices, claims, and the page."""

import json
import re
from itertools import combinations, product
from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from centigan.cli import app
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.figures import STYLE
from centigan.reporting.studies import write_study
from centigan.reporting.studies.against import curves, maps
from centigan.reporting.studies.captions import of_captions, rows_of_captions
from centigan.reporting.studies.columns import column
from centigan.reporting.studies.figures import dots
from centigan.reporting.studies.page import differing
from centigan.reporting.studies.results import STORED, StudyResults, chosen, stored_numbers
from centigan.reporting.studies.table import best_rows, cells, mean_table
from centigan.reporting.studies.verdicts import MET, NOT_MEASURED, NOT_MET, verdicts
from centigan.settings.claims import Cell
from centigan.settings.points import points, read_study
from centigan.study_points import load_points

DATA = "data: {source: digits, classes: 4, split_size: 2}\narrays: {resolution: 32}\n"
STUDY = """
title: Two families
of: digits
axes:
  - experiment: [acgan, cgan]
  - train.seed: [0, 1, 2]
columns: [fid/generated, recall/generated, accuracy/generated/32, accuracy_ms_ssim/r]
over: [train.seed]
select: {lowest: fid/generated, report: recall/generated}
claims:
  - {says: labels help, source: "A 2017, section 5", check: "fid/generated[acgan] < fid/generated[cgan]"}
  - says: by far
    source: B 2018
    check: "2 * fid/generated[acgan] < fid/generated[cgan] and fid/generated[acgan] < 9"
  - says: they go together
    source: C 2019
    check: "accuracy_ms_ssim/r[acgan] < accuracy_ms_ssim/r[cgan]"
  - {says: the chosen one, source: D 2020, check: "recall/generated[chosen] > 0.55"}
"""
# FID of seeds 0, 1, 2: means 8 and 15, deviations by n - 1 of 1 and 3
FID = {"acgan": (7, 8, 9), "cgan": (12, 15, 18)}
CLASSES = [(0, "a", "first, of all", "00"), (1, "b", "b", "00"), (2, "c", "c", "01"), (3, "d", "d", "01")]


@pytest.fixture
def study(tmp_path: Path) -> StudyResults:
    return measured(tmp_path, STUDY)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """A study whose files are written, which no test may change; one of its points has a report."""
    results = measured(tmp_path_factory.mktemp("written"), STUDY)
    report = Layout("digits/families/cgan-1", results.root).report
    report.parent.mkdir()
    report.write_text("the point's own")
    write_study(results)
    return results


def measured(root: Path, text: str, numbers: dict[str, dict[str, float]] | None = None) -> StudyResults:
    """A study of this file whose every point has results; by default those of FID."""
    (root / "experiments" / "digits").mkdir(parents=True)
    (root / "studies").mkdir()
    texts = {
        "params.yaml": f"experiment: digits/acgan\n{DATA}",
        "experiments/digits/protocol.yaml": "",
        "experiments/digits/acgan.yaml": "model: {width: 0.5}\n",
        "experiments/digits/cgan.yaml": "model: {family: cgan, weight_decay: 0.125}\n",
        "studies/families.yaml": text,
    }
    for name, content in texts.items():
        (root / name).write_text(content)
    found = points("families", root)
    for point in found:
        layout = Layout(point.name, root)
        layout.results.mkdir(parents=True)
        frame = pd.DataFrame(CLASSES, columns=["label", "class_id", "words", "split"])
        frame.assign(train=3, held_out=1).to_csv(layout.classes, index=False)
        for split, names in (("00", ["a", "b"]), ("01", ["c", "d"])):
            write_split(layout, split, names)
        if numbers:
            own = numbers[point.own]
        else:
            family, seed = point.own.split("-")
            own = {
                "fid/generated": FID[family][int(seed)],
                "recall/generated": 0.6,
                "accuracy/generated/32": 0.5,
            }
            if point.own != "cgan-2":
                own["accuracy_ms_ssim/r"] = 3.5
            if family == "acgan":
                del own["accuracy_ms_ssim/r"]
        layout.summary.write_text(json.dumps(own))
    return StudyResults("families", read_study("families", root), found, load_points("families", root), root)


def write_split(layout: Layout, split: str, names: list[str]) -> None:
    rng = np.random.default_rng(int(split))
    layout.samples(split).mkdir(parents=True)
    np.save(layout.samples(split) / "images.npy", rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8))
    np.save(layout.samples(split) / "labels.npy", np.array([0, 0, 0, 1, 1, 1], np.int16))
    (layout.samples(split) / "facts.json").write_text(json.dumps({"classes": names}))
    layout.train(split).mkdir(parents=True)
    networks = {"generator": (3, 4), "discriminator": (5,), "snapshots": (100,)}
    for name, shape in networks.items():
        tensors = {"weight": np.zeros(shape, np.float32), "bias": np.zeros(2, np.float32)}
        save_file(tensors, layout.train(split) / f"{name}.safetensors", metadata={"of": "a test"})


def test_a_row_is_the_mean_of_its_points_with_the_deviation_of_a_sample(study: StudyResults) -> None:
    assert study.rows == ["acgan", "cgan"]
    assert study.means["fid/generated"].tolist() == [8, 15]
    assert study.deviations["fid/generated"].tolist() == [1, 3]


def test_a_number_that_some_points_lack_is_counted(study: StudyResults) -> None:
    cell = Cell("accuracy_ms_ssim/r", "cgan")
    assert (study.mean(cell), study.count(cell)) == (3.5, 2)
    assert cells(study, "cgan")[3].why == "2 of 3"
    assert cells(study, "acgan")[3].text == "–"
    assert cells(study, "acgan")[3].why == "acgan has no accuracy_ms_ssim/r"


def test_why_a_number_is_absent_is_what_the_point_itself_tells(study: StudyResults) -> None:
    layout = Layout(study.points[0].name, study.root)
    layout.table("absent").parent.mkdir()
    rows = [("summary", "accuracy_ms_ssim/r", 1, "all classes are alike")]
    table = pd.DataFrame(rows, columns=["table", "number", "cells", "why"])
    table.to_csv(layout.table("absent"), index=False)
    assert study.why_absent(Cell("accuracy_ms_ssim/r", "acgan")) == "acgan: all classes are alike"


def test_stored_numbers_are_those_of_the_networks_of_one_model(study: StudyResults) -> None:
    assert stored_numbers(study.of(study.points[0])) == 3 * 4 + 2 + 5 + 2
    assert study.mean(Cell(STORED, "acgan")) == 21


def test_claims_are_met_or_not_or_not_measured(study: StudyResults) -> None:
    found = verdicts(study)
    assert [one.verdict for one in found] == [MET, NOT_MET, NOT_MEASURED, MET]
    (left, sign, right), second = found[1].comparisons  # 16 < 15 does not hold, 8 < 9 does
    assert (left.value, sign, right.value) == (16, "<", 15)
    assert (second[0].value, second[2].value) == (8, 9)
    assert found[2].why == "acgan has no accuracy_ms_ssim/r"
    assert np.isnan(found[2].comparisons[0][0].value)
    assert found[2].comparisons[0][2].value == 3.5


def test_the_best_row_is_lowest_or_highest_and_none_where_all_are_equal(study: StudyResults) -> None:
    assert best_rows(study, column("fid/generated")) == ["acgan"]
    assert best_rows(study, column("recall/generated")) == []  # all 0.6
    assert column("fid/held_out").better == ""  # of real images nothing is better


GRID = """
of: digits/acgan
axes:
  - model.width: [0.25, 0.5]
  - model.activation_noise: [0, 1, 2]
columns: [inception_score/fresh]
select: {highest: inception_score/samples, report: inception_score/fresh}
"""
SCORES = {"0.25": (2, 5, 4), "0.5": (6, 1, 6)}  # to choose by; those to report are their negatives
GRID_NUMBERS = {
    f"{width}-{noise}": {"inception_score/samples": score, "inception_score/fresh": -score}
    for width, scores in SCORES.items()
    for noise, score in enumerate(scores)
}


def test_one_row_is_chosen_by_one_number_and_the_first_of_equal_ones(tmp_path: Path) -> None:
    results = measured(tmp_path, GRID, GRID_NUMBERS)
    assert chosen(results) == {"": "0.5-0"}
    write_study(results)
    assert "Inception score: <b>−6.00</b>" in results.layout.report.read_text()


def test_rows_may_be_chosen_within_an_axis(tmp_path: Path) -> None:
    text = GRID.replace("report:", "within: [model.width], report:").replace("highest", "lowest")
    assert chosen(measured(tmp_path, text, GRID_NUMBERS)) == {"0.25": "0.25-0", "0.5": "0.5-1"}


def test_nothing_is_chosen_by_a_number_that_no_row_of_a_group_has(tmp_path: Path) -> None:
    numbers = {own: dict(values) for own, values in GRID_NUMBERS.items()}
    for noise in range(3):
        del numbers[f"0.25-{noise}"]["inception_score/samples"]
    text = GRID.replace("report:", "within: [model.width], report:")
    assert chosen(measured(tmp_path, text, numbers)) == {"0.5": "0.5-0"}


def test_the_files_of_a_study(written: StudyResults) -> None:
    table = pd.read_csv(written.layout.table())
    assert table["row"].tolist() == ["acgan", "cgan"]
    assert table["fid/generated"].tolist() == [8, 15]
    assert table["fid/generated/std"].tolist() == [1, 3]
    assert table["accuracy_ms_ssim/r/n"].tolist() == [0, 2]
    seeds = pd.read_csv(written.layout.points)
    assert tuple(seeds.columns[3:7]) == written.study.columns  # MLflow's comparison begins with the first
    assert seeds["train.seed"].tolist() == [0, 1, 2, 0, 1, 2]
    assert seeds["fid/generated"].tolist() == [*FID["acgan"], *FID["cgan"]]
    assert pd.read_csv(written.layout.claims)["verdict"].tolist() == [
        MET,
        NOT_MET,
        NOT_MET,
        NOT_MEASURED,
        MET,
    ]
    tex = written.layout.table("tex").read_text()
    assert r"acgan & 8.00 $\pm$ 1.00 & 0.600 $\pm$ 0.000 & 50.0" in tex
    drawing = written.layout.figure("figure").read_text()
    for told in ("FID", "Recall", "Accuracy at 32 px", "acgan", "not measured"):
        assert told in drawing


def test_the_page_tells_numbers_claims_points_and_settings(written: StudyResults) -> None:
    page = written.layout.report.read_text().replace("\N{NO-BREAK SPACE}", " ")
    for told in (
        "<h1>Two families</h1>",
        "<b>8.00 ± 1.00</b>",
        '<td class="soft" title="2 of 3">3.5 ± 0</td>',
        '<span class="yes">met</span>',
        '<span class="alarm">not met</span>',
        '<span class="soft">not measured</span>',
        "2 * fid/generated[acgan] = 16 &lt; fid/generated[cgan] = 15; fid/generated[acgan] = 8 &lt; 9",
        "accuracy_ms_ssim/r[acgan] = not measured &lt; accuracy_ms_ssim/r[cgan] = 3.5",
        '<a href="../cgan-1/report/index.html">cgan-1</a>, cgan-2',
        "Chosen: <b>acgan</b>, with the lowest value of “FID” (8.00 ± 1.00). Recall: <b>0.600 ± 0.000</b>",
        "model.weight_decay",
    ):
        assert told in page, told
    addresses = {a for a in re.findall(r'(?:src|href|srcset)="([^"#]+)', page) if not a.startswith("https:")}
    assert addresses
    for address in addresses:
        assert (written.layout.report.parent / address).is_file(), address


def test_the_same_results_give_the_same_bytes(written: StudyResults) -> None:
    def contents() -> dict[Path, bytes]:
        folder = written.layout.results
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = contents()
    write_study(written)
    assert contents() == before


def test_settings_that_rows_share_are_not_listed(study: StudyResults) -> None:
    found = dict(differing(study))
    assert found["model.family"] == ["acgan", "cgan"]
    assert found["model.weight_decay"] == ["", "0.125"]
    assert "train.seed" not in found
    assert "train.iterations" not in found


def test_samples_of_a_family_without_classes_are_the_first_ones(
    study: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(study.settings["digits/families/cgan-0"].model)
    monkeypatch.setattr(kind, "abilities", frozenset({"latent"}))
    write_study(study)
    drawing = study.layout.figure("samples").read_text()
    assert "no class asked for" in drawing
    assert drawing.count(">first<") == 2  # a sample of each class twice, above the row that has classes


def test_models_of_captions_show_the_same_captions_beside_their_images(study: StudyResults) -> None:
    """The first sample of a class was asked for by a caption of its first held-out image."""
    models = {row: study.of(study.points_of(row)[0]) for row in study.rows}
    shades = {"held-out": 40, "acgan": 80, "cgan": 120}
    for split, names in (("00", ["a", "b"]), ("01", ["c", "d"])):
        labels = np.array([0, 0, 0, 1, 1, 1], np.int16)
        for row, model in models.items():
            folder, arrays = model.layout.samples(split), model.layout.arrays(split)
            arrays.mkdir(parents=True, exist_ok=True)
            captions = [f"{k} of {names[label]}" for k, label in enumerate(labels)]
            (folder / "captions.json").write_text(json.dumps(captions))
            np.save(folder / "images.npy", shaded(shades[row] + labels, 32))
            np.save(arrays / "held_out_images.npy", shaded(shades["held-out"] + labels, 64))
            np.save(arrays / "held_out_labels.npy", labels)
            (arrays / "facts.json").write_text(json.dumps({"classes": names, "unseen": ["a", "d"]}))
    rows = [row for split in ("00", "01") for row in rows_of_captions(list(models.values()), split)]
    assert [(row.name, row.after, row.apart) for row in rows] == [
        ("3 of b", "", False),
        ("0 of a", "never learnt", True),
        ("0 of c", "", False),
        ("3 of d", "never learnt", True),
    ]
    position = {"b": 1, "a": 0, "c": 0, "d": 1}
    assert [[int(picture[0, 0, 0]) for picture in row.pictures] for row in rows] == [
        [shade + position[row.name[-1]] for shade in shades.values()] for row in rows
    ]
    assert of_captions(models, title="Captions").axes


def shaded(levels: np.ndarray, side: int) -> np.ndarray:
    """Images (N, side, side, 3) of one level each."""
    return np.ones((len(levels), side, side, 3), np.uint8) * levels[:, None, None, None].astype(np.uint8)


def test_points_that_are_not_measured_are_named_before_anything_is_written(study: StudyResults) -> None:
    Layout("digits/families/cgan-1", study.root).summary.unlink()
    with pytest.raises(UserError, match=r"1 of 6 points are not measured: cgan-1; .*families/cgan-1"):
        write_study(study)
    assert not study.layout.report.exists()


def test_a_column_that_no_point_has_is_an_error(tmp_path: Path) -> None:
    results = measured(
        tmp_path, STUDY.replace("columns: [fid/generated,", "columns: [class_output/classifier,")
    )
    with pytest.raises(
        UserError, match=r"families.yaml: no point has a number of this name: class_output/cl"
    ):
        write_study(results)


def test_the_command_writes_the_study(
    study: StudyResults, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.root)
    app(["study", "families"], standalone_mode=False)
    assert "6 points in 2 rows" in capsys.readouterr().out
    assert study.layout.report.is_file()


def test_a_mean_table_of_one_row_is_called_all(tmp_path: Path) -> None:
    text = "of: digits/acgan\naxes: [{train.seed: [0, 1]}]\nover: [train.seed]\ncolumns: [fid/generated]\n"
    results = measured(tmp_path, text, {"0": {"fid/generated": 1.0}, "1": {"fid/generated": 3.0}})
    [row] = mean_table(results).to_dict("records")
    assert (row["row"], row["fid/generated"], row["fid/generated/std"]) == ("all", 2.0, pytest.approx(2**0.5))


SEARCH = """
of: digits/acgan
axes:
  - model.generator_lr: [1.0e-4, 2.0e-4]
  - model.discriminator_lr: [1.0e-4, 3.0e-4]
  - model.activation_noise: [0.0, 0.1]
columns: [inception_score/samples, ms_ssim/generated/mean]
against: [model.generator_lr, model.discriminator_lr, model.activation_noise]
select: {highest: inception_score/samples, report: inception_score/samples}
"""
CURVE = """
of: digits/acgan
axes:
  - supervision.labelled_per_class: [5, 20, 100]
  - train.seed: [0, 1]
columns: [ms_ssim/generated/mean, fid/generated]
over: [train.seed]
against: [supervision.labelled_per_class]
marks: {ms_ssim/generated/mean: ms_ssim/training/max}
"""


def test_a_search_over_three_settings_is_maps_side_by_side_with_the_chosen_one_framed(tmp_path: Path) -> None:
    numbers = {
        f"{g}-{d}-{n}": {"inception_score/samples": 1 + i, "ms_ssim/generated/mean": 0.3}
        for i, (g, d, n) in enumerate(product(("0.0001", "0.0002"), ("0.0001", "0.0003"), ("0.0", "0.1")))
    }
    results = measured(tmp_path, SEARCH, numbers)
    figure = maps(results)
    assert len(figure.axes) == 4  # two columns, two noises
    first = figure.axes[0]
    assert [[float(x) for x in row] for row in first.images[0].get_array()] == [[1, 5], [3, 7]]
    framed = [text for axes in figure.axes for text in axes.texts if text.get_bbox_patch() is not None]
    assert [text.get_text() for text in framed] == [
        "8.00",
        "0.300",
    ]  # of each column, the row with the highest
    write_study(results)
    assert results.layout.figure("figure").stat().st_size > 1000


def test_a_curve_has_a_dot_a_point_a_line_of_means_and_the_mark_of_another_number(tmp_path: Path) -> None:
    numbers = {
        f"{count}-{seed}": {
            "fid/generated": 1.0,
            "ms_ssim/generated/mean": count / 100 + seed,
            "ms_ssim/training/max": 0.25 + seed / 100,
        }
        for count, seed in product((5, 20, 100), (0, 1))
    }
    results = measured(tmp_path, CURVE, numbers)
    panel, other = curves(results).axes
    (means,) = (line for line in panel.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3)
    assert means.get_xdata().tolist() == [5, 20, 100]
    assert means.get_ydata().tolist() == pytest.approx([0.55, 0.7, 1.5])
    assert [
        line.get_ydata()[0] for line in panel.lines if len(line.get_xdata()) == 2 and line.get_xdata()[1] == 1
    ] == [0.26]
    assert not [text for text in other.texts if "real" in text.get_text()]


def test_headings_of_many_columns_overprint_nothing(tmp_path: Path) -> None:
    columns = (
        "ms_ssim/share_below_max_training",  # called "Classes as diverse as real ones"
        "accuracy_ms_ssim/share_low_diversity_inaccurate",  # by its own name
        "latent/linear/largest_over_mean",
        "fid/generated",
    )
    text = STUDY.replace("[fid/generated, recall/generated, accuracy/generated/32, accuracy_ms_ssim/r]", "{}")
    text = text.partition("select:")[0].format(f"[{', '.join(columns)}]")
    numbers = {
        f"{family}-{seed}": dict.fromkeys(columns, seed + 0.5)
        for family, seed in product(("acgan", "cgan"), range(3))
    }
    results = measured(tmp_path, text, numbers)
    with matplotlib.style.context(STYLE):
        figure = dots(results)
        figure.draw_without_rendering()
        titles = [title for axes in figure.axes for title in (axes._left_title, axes._right_title)]
    boxes = [title.get_window_extent() for title in titles if title.get_text()]
    assert len(boxes) == 7
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "against: [model.generator_lr,",
            "against: [model.generator_l,",
            "against: model.generator_l.*did you mean",
        ),
        (
            "model.discriminator_lr, model.activation_noise]",
            "model.discriminator_lr]",
            "a map shows every axis",
        ),
        ("select:", "marks: {fid/generated: fid/held_out}\nselect:", "marks: fid/generated is no column"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_told_before_any_job(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SEARCH
    with pytest.raises(UserError, match=said):
        measured(tmp_path, SEARCH.replace(old, new), {})
