"""Every figure, drawn from the hand-made experiment; what its pictures and words say."""

import re
from shutil import copyfile

import numpy as np
import pandas as pd
import pytest
from acgan_figures import ACGAN_FIGURES
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from small import write_experiment

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.captions import CAPTIONS
from centigan.reporting.figures import FIGURES, draw
from centigan.reporting.figures.accuracy import accuracy_by_resolution
from centigan.reporting.figures.axes import ALARM, percent, titled_axes
from centigan.reporting.figures.chosen import chosen_classes
from centigan.reporting.figures.diversity import ms_ssim_in_training
from centigan.reporting.figures.pictures import seen_at
from centigan.reporting.figures.rows import GAP, WIDEST, Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.figures.training import training_curves
from centigan.reporting.gallery import column_count, tile_side
from centigan.reporting.labels import LineEnd, name_line_ends, name_points
from centigan.reporting.protocol import protocol
from centigan.reporting.results import Results
from centigan.settings import Settings
from centigan.settings.figures import ChosenSettings, FigureSettings, FiguresSettings
from centigan.sheets import contact_sheet

SPLITS = ["00", "01"]


def words_of(layout: Layout, name: str) -> str:
    """What a figure says, without its pictures."""
    return re.sub(r'xlink:href="data:[^"]*"', "", layout.figure(name).read_text())


def drawn(layout: Layout, name: str, **chosen: object) -> str:
    own = getattr(FiguresSettings(), name).model_copy(update=chosen)
    draw(name, layout, own, SPLITS)
    return words_of(layout, name)


@pytest.mark.parametrize("name", ACGAN_FIGURES)
def test_a_figure_is_the_same_bytes_twice_and_carries_its_title(
    name: str, finished: Layout, settings: Settings
) -> None:
    chosen = getattr(settings.figures, name)
    draw(name, finished, chosen, SPLITS)
    files = [finished.figure(name), finished.figure(name, "png")]
    before = [file.read_bytes() for file in files]
    draw(name, finished, chosen, SPLITS)
    assert [file.read_bytes() for file in files] == before
    assert chosen.title in words_of(finished, name)
    with Image.open(files[1]) as picture:
        assert np.asarray(picture.convert("L")).std() > 5  # not an empty sheet


def test_every_figure_of_the_settings_is_drawn_in_their_order() -> None:
    assert list(FIGURES) == list(FiguresSettings.model_fields) == list(CAPTIONS)


@pytest.mark.parametrize("name", ACGAN_FIGURES)
def test_a_protocol_is_one_line_that_counts(name: str, finished: Layout, settings: Settings) -> None:
    sentence = protocol(name, Results(finished, SPLITS), settings)
    assert re.search(r"\d", sentence)
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_the_figures_tell_the_shares_of_the_tables(finished: Layout) -> None:
    assert "50.0% of 4 classes" in drawn(finished, "accuracy_by_class")
    assert "75.0% of 4 classes" in drawn(finished, "ms_ssim_by_class")


def test_figure_6_divides_at_the_most_uniform_real_class_in_sentences(finished: Layout) -> None:
    words = drawn(finished, "accuracy_and_ms_ssim")
    assert "Right of the red line, less diverse than any real class: 1 of 4 classes." in words
    assert "Of these, 100% have an accuracy of at most 1%." in words
    assert "Of the 3 left of it, 100% have more than 1%." in words


def test_curves_have_colours_of_their_own_and_those_of_the_verdict_red_names(finished: Layout) -> None:
    axes = ms_ssim_in_training(Results(finished, SPLITS), FigureSettings(title="T")).axes[0]
    assert len({line.get_color() for line in axes.lines}) == 4 + 1  # the classes, the line of real ones
    names = {text.get_text(): text.get_color() == ALARM for text in axes.texts}
    assert [name for name, red in names.items() if red] == ["d"]
    assert names.keys() >= set("abcd")


def test_a_single_snapshot_is_a_point_of_each_class_at_its_iteration(finished: Layout) -> None:
    path = finished.table("ms_ssim_in_training")
    table = pd.read_csv(path)
    last = table["iteration"].max()
    table[table["iteration"] == last].to_csv(path, index=False)
    axes = ms_ssim_in_training(Results(finished, SPLITS), FigureSettings(title="T")).axes[0]
    assert [line.get_marker() for line in axes.lines] == ["o"] * 4 + ["None"]  # the line of real classes
    assert axes.get_xticks().tolist() == [last]


@pytest.mark.parametrize(("right", "below"), [(0.5, True), (0.03, False)])
def test_a_number_near_the_axis_stands_above_its_point(right: float, below: bool, finished: Layout) -> None:
    path = finished.table("accuracy_by_resolution")
    table = pd.read_csv(path)
    table.loc[table["source"] == "generated", "accuracy"] = right
    table.to_csv(path, index=False)
    own = FiguresSettings().accuracy_by_resolution
    texts = accuracy_by_resolution(Results(finished, SPLITS), own).axes[0].texts
    [offset] = [text.xyann[1] for text in texts if text.get_text() == f"{right:.1%}"]
    assert (offset < 0) == below


def test_names_at_line_ends_never_overlap_and_stay_below_the_top() -> None:
    _, axes = titled_axes("T")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name_line_ends(axes, [LineEnd(1, 0.97 + n / 1000, f"class {n}", "red", "red") for n in range(10)])
    heights = [text.xyann[1] for text in axes.texts]
    assert np.diff(heights).min() > 0.04
    assert max(heights) <= 1


@pytest.mark.parametrize(
    ("classes", "why"), [(None, "all 4 classes"), (("c", "a"), "2 of 4 classes, named in")]
)
def test_a_figure_says_which_classes_it_shows_and_why(
    finished: Layout, classes: tuple[str, ...] | None, why: str
) -> None:
    for name in ("examples", "interpolation", "neighbours_l1"):
        assert why in drawn(finished, name, classes=classes)
    assert "1 of 4 classes, " in drawn(finished, "resolution_strip", classes=classes and classes[:1])


def test_the_strip_tells_the_accuracy_of_its_class_at_every_resolution(finished: Layout) -> None:
    words = drawn(finished, "resolution_strip", classes=("b",))
    assert re.findall(r">(\d+% right)<", words) == ["90% right"] * 2 + ["100% right"] * 3 + [
        *("20% right", "20% right"),
        *("60% right", "60% right", "60% right"),
    ]
    assert all(f">{side} px<" in words for side in (4, 8, 16, 32, 64))


def test_the_least_diverse_class_stands_above_the_most_diverse(finished: Layout) -> None:
    words = drawn(finished, "ms_ssim_examples")
    numbers = re.findall(r">(0\.\d\d)<", words)
    assert numbers == [
        "0.50",
        "0.30",
        "0.30",
        "0.10",
        "0.20",
        "0.40",
        "0.10",
        "0.20",
    ]  # d a c b: samples, real


def test_per_cents_are_written_as_they_are() -> None:
    figure, axes = titled_axes("T")
    percent(axes, "y", "share")
    axes.set_ylim(0, 0.06)
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{n}%" for n in range(7)]
    axes.set_ylim(0, 0.006)
    figure.draw_without_rendering()
    assert "0.1%" in [label.get_text() for label in axes.get_yticklabels()]


def test_a_name_keeps_off_points_and_lines_or_is_left_out() -> None:
    _, axes = titled_axes("T")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name_points(axes, [0.5, 0.9], [0.5, 0.9], ["free", "by the line"], lines=[0.9])
    assert [text.get_text() for text in axes.texts] == ["free", "by the line"]
    assert axes.texts[1].get_verticalalignment() != "center"
    _, crowded = titled_axes("T")
    crowded.set(xlim=(0, 1), ylim=(0, 1))
    name_points(crowded, [0.5] * 20, [0.5] * 20, ["a rather long name"] * 20)
    assert 0 < len(crowded.texts) < 20


def test_a_name_is_nearest_to_its_own_point_or_tied_to_it() -> None:
    figure, axes = titled_axes("Crowded")
    points = np.random.default_rng(3).normal(0.5, 0.03, (12, 2))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name_points(axes, *points.T, [str(number) for number in range(12)])
    figure.draw_without_rendering()
    places = axes.transData.transform(points)
    loose = [text for text in axes.texts if text.arrow_patch is None]
    assert 3 < len(loose) < len(axes.texts)
    for text in loose:
        box = text.get_window_extent()
        middle = np.array([box.x0 + box.width / 2, box.y0 + box.height / 2])
        assert np.hypot(*(places - middle).T).argmin() == int(text.get_text())


def test_a_few_splits_are_lines_and_many_a_band(finished: Layout) -> None:
    of_two = training_curves(Results(finished, SPLITS), FigureSettings(title="T")).axes[0]
    assert len(of_two.lines) == 2 * (2 + 1)
    assert not of_two.collections
    for number in range(2, 12):
        folder = finished.train(f"{number:02d}")
        folder.mkdir()
        copyfile(finished.train("00") / "history.jsonl", folder / "history.jsonl")
    names = [f"{number:02d}" for number in range(12)]
    of_twelve = training_curves(Results(finished, names), FigureSettings(title="T")).axes[0]
    assert (len(of_twelve.lines), len(of_twelve.collections)) == (2, 2)


def test_every_pair_is_counted(finished: Layout) -> None:
    words = drawn(finished, "ms_ssim_pairs")
    assert "training, 8 pairs, median 0.25" in words
    assert "generated, 8 pairs, median 0.25" in words


def test_the_nearest_samples_come_first_and_another_class_is_named(finished: Layout) -> None:
    words = drawn(finished, "neighbours_l1", classes=("a", "c"))
    assert re.findall(r">(\d+\.\d)<", words) == [
        *("2.0", "2.0", "31.0", "25.0", "32.0", "25.0"),  # a: its first sample is a copy
        *("30.0", "25.0", "31.0", "25.0", "32.0", "25.0"),
    ]
    assert words.count("of b") == 2
    assert words.count("of d") == 3
    assert "0.60" in drawn(finished, "neighbours_ms_ssim")


def test_the_curves_of_distances_count_samples_and_copies(finished: Layout) -> None:
    words = drawn(finished, "memorisation")
    assert "generated, 12 images" in words
    assert "real, held out, 4 images" in words
    assert "copies: 1" in words


def test_a_walk_has_its_evenness_beside_it(finished: Layout) -> None:
    assert drawn(finished, "interpolation").count(">1.50<") == 4


def test_a_grid_is_of_the_split_of_its_first_class_and_of_one_split_alone(finished: Layout) -> None:
    assert "split 00" in drawn(finished, "class_grid")
    assert "split 01" in drawn(finished, "class_grid", classes=("d", "c"))
    with pytest.raises(UserError, match=r"figures.class_grid.classes: 'a' and 'd' are of different splits"):
        drawn(finished, "class_grid", classes=("a", "b", "d"))


def test_random_samples_are_samples_each_once(finished: Layout) -> None:
    drawn(finished, "random_samples")  # 12 samples, of which ten fill a row
    with Image.open(finished.figure("random_samples", "png")) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    samples = np.concatenate([np.load(finished.samples(split) / "images.npy") for split in SPLITS])
    tile = fitting_tile(32, 10)
    tops = {tuple(image[0, :3].ravel()) for image in samples}
    corners = np.lib.stride_tricks.sliding_window_view(pixels, (1, 3 * tile // 32, 3))[
        ..., 0, :: tile // 32, :
    ]
    found = {tuple(c.ravel()) for c in corners.reshape(-1, 3, 3)} & tops
    assert len(found) == 12


def test_chosen_classes_are_named_or_spread_evenly_and_unknown_ones_refused(finished: Layout) -> None:
    results = Results(finished, SPLITS)
    chosen = chosen_classes(results, ChosenSettings(title=""), "examples", most=2)
    assert chosen["class_id"].tolist() == ["a", "d"]
    named = chosen_classes(results, ChosenSettings(title="", classes=("c", "a")), "examples", most=1)
    assert named["class_id"].tolist() == ["c", "a"]
    with pytest.raises(UserError, match=r"figures.examples.classes: there is no class 'eel'; .*classes.csv"):
        drawn(finished, "examples", classes=("a", "eel"))


def test_an_unknown_figure_lists_the_known(finished: Layout, settings: Settings) -> None:
    with pytest.raises(UserError, match=r"no figure 'pie'; there are: examples, resolution_strip"):
        draw("pie", finished, settings.figures.gallery, SPLITS)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("accuracy_by_class", "summary.json"),
        ("examples", "samples/00/images.npy"),
        ("resolution_strip", "arrays/00/held_out_images.npy"),
        ("memorisation", "metrics/neighbours/01.parquet"),
        ("class_grid", "latent/00/images.safetensors"),
    ],
)
def test_a_figure_without_its_file_names_it(name: str, lost: str, finished: Layout) -> None:
    ((finished.protocol if lost.startswith("arrays") else finished.results) / lost).unlink()
    with pytest.raises(UserError, match=rf"{lost} is missing: `centigan "):
        drawn(finished, name)


def test_a_name_with_dollars_or_markup_is_written_as_it_stands(finished: Layout) -> None:
    for path in (finished.classes, finished.table("by_class")):
        path.write_text(re.sub(r"(?m)(^|,)a,", r"\1$x_<b>$,", path.read_text()))
    text = finished.classes.read_text().replace('"a, letter"', '"$x_<b>$, letter"')
    finished.classes.write_text(text)
    for folder in (finished.samples("00"), finished.arrays("00"), finished.latent("00")):
        facts = folder / "facts.json"
        facts.write_text(facts.read_text().replace('"a"', '"$x_<b>$"'))
    for name in ("accuracy_by_class", "ms_ssim_examples", "class_grid", "gallery"):
        assert "$x_&lt;b&gt;$" in drawn(finished, name)


def test_every_picture_lies_on_whole_pixels() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 3, 8, 8, 3), dtype=np.uint8)
    rows = [Row("one", images[0], notes=["n"] * 3), Row("a longer name", images[1], after="0.5", apart=True)]
    figure = rows_of_pictures(rows, title="T", tile=16, heads=["a", "b", "c"], breaks=[2], subtitle="s")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn_pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    tiles = images.repeat(2, axis=2).repeat(2, axis=3)
    found = 0
    for tile in tiles.reshape(-1, 16, 16, 3):
        rows_at, columns_at = np.nonzero((drawn_pixels == tile[0, 0]).all(-1))
        found += any(
            np.array_equal(drawn_pixels[y : y + 16, x : x + 16], tile)
            for y, x in zip(rows_at, columns_at, strict=True)
        )
    assert found == 6


def test_a_tile_is_a_whole_multiple_or_a_whole_part() -> None:
    assert fitting_tile(32, 8) == 128
    assert fitting_tile(32, 10, largest=96) == 96
    assert fitting_tile(128, 16) == 64
    assert fitting_tile(128, 10) == 128
    assert (fitting_tile(128, 16) + GAP) * 16 <= WIDEST


def test_a_long_name_is_broken_into_three_lines_at_most() -> None:
    assert broken("Chesapeake Bay retriever", 11) == "Chesapeake\nBay\nretriever"
    assert broken("magenta_triangle_small", 14) == "magenta_\ntriangle_\nsmall"
    assert broken("gan_int_cls", 11) == "gan_int_cls"
    assert broken("codes/nearest_pixels", 18) == "codes/nearest_\npixels"
    assert broken("one two three four five six", 6).count("\n") == 2
    assert max(map(len, broken("n" * 40, 10).split("\n"))) <= 10


def test_an_image_seen_at_its_own_resolution_is_itself_and_a_checkerboard_shrunk_is_grey() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(seen_at(image, 16, 16), image)
    checks = np.repeat((np.indices((32, 32)).sum(0) % 2 * 255)[..., None], 3, axis=2).astype(np.uint8)
    assert np.abs(seen_at(checks, 8, 64)[16:-16, 16:-16].astype(int) - 128).max() <= 2


def test_a_contact_sheet_shows_whole_pixels() -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    sheet = contact_sheet([images], across=2, tile=8)
    assert np.array_equal(sheet[:8:2, :8:2], images[0])
    assert np.array_equal(sheet[1:8:2, 1:8:2], images[0])
    assert (sheet[:, 8:10] == 255).all()


def test_a_thousand_classes_still_fit_one_sheet() -> None:
    tile = tile_side(1000, 10, 128)
    assert 1000 * 10 * (tile + 2) ** 2 <= 16_000_000
    assert column_count(1000, row_width=10 * (tile + 2), row_height=tile + 2) > 5


def test_the_curve_of_another_experiment_joins_once_it_is_run(finished: Layout) -> None:
    (finished.root / "params.yaml").write_text("experiment: made/hand\n")
    for name in ("made/hand", "other/half"):
        write_experiment(finished.root, name, "model: {}\n", "data: {classes: 4}\n")
    beside = ("other/half",)
    assert "other/half: not run here" in drawn(finished, "accuracy_by_resolution", beside=beside)

    other = Layout("other/half", finished.root)
    other.results.mkdir(parents=True)
    other.summary.write_text('{"accuracy/generated/8": 0.25, "accuracy/generated/8/std": 0.1}')
    assert "generated, other/half" in drawn(finished, "accuracy_by_resolution", beside=beside)

    (finished.root / "experiments/other/protocol.yaml").write_text("data: {classes: 4}\njudge: {seed: 1}\n")
    with pytest.raises(UserError, match="other/half differs from made/hand in `data` or `judge`"):
        drawn(finished, "accuracy_by_resolution", beside=beside)
