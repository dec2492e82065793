import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from acgan_figures import ACGAN_FIGURES
from captioned_shapes import small_encoder, write_arrays
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import color_sequences
from matplotlib.colors import to_hex
from PIL import Image

from centigan import __version__
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_digests, sha256
from centigan.reporting.comparison import write_comparison
from centigan.reporting.figures import draw
from centigan.reporting.figures.axes import BESIDE
from centigan.reporting.published import PAPER
from centigan.reporting.raw_data import raw_data
from centigan.reporting.results import Results
from centigan.reporting.site import write_report
from centigan.reporting.site.classes import address_of
from centigan.reporting.site.curve import accuracy_curve
from centigan.reporting.site.dark import DARK, following_the_screen
from centigan.reporting.site.overview import changed_settings
from centigan.reporting.site.pages import size
from centigan.reporting.site.pictures import in_rows, picture
from centigan.reporting.site.today import has_published_features, todays_metrics
from centigan.reporting.tables import write_tables
from centigan.settings import Settings
from centigan.settings.families.contract import PointNetworks
from centigan.settings.families.gan import GanConfig
from centigan.settings.figures import FiguresSettings
from centigan.text import fit_text_encoder

SPLITS = ["00", "01"]
HOSTILE = '"><script src=x>alert(1)</script> #?%41 & Ü'  # a folder may have this name
RNG = np.random.default_rng(0)


class Page(HTMLParser):
    """Addresses, ids and words of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags = Counter[str]()
        self.words = ""
        self.next: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        found = dict(attributes)
        self.addresses += [found[key] or "" for key in ("src", "href") if key in found]
        self.ids += [found["id"] or ""] if "id" in found else []
        if found.get("rel") == "next":
            self.next = found["href"]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def drawn(finished: Layout) -> Layout:
    """Stand-ins for the figures, which have tests of their own."""
    finished.figure("gallery").parent.mkdir()
    for name in FiguresSettings.model_fields:
        finished.figure(name).write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
        Image.new("RGB", (40, 30), "white").save(finished.figure(name, "png"))
    return finished


@pytest.fixture
def site(drawn: Layout, settings: Settings) -> Path:
    write_report(drawn, settings, "abc123")
    return drawn.report.parent


@pytest.fixture(scope="module")
def kept() -> dict[str, Path]:
    return {}


@pytest.fixture
def one_site(kept: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    """A site for the tests that change nothing: it is made once."""
    if "site" not in kept:
        kept["site"] = request.getfixturevalue("site")
    return kept["site"]


def pages_of(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def contents(site: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def check_links(site: Path) -> None:
    pages = pages_of(site)
    for path, page in pages.items():
        for address in page.addresses:
            if address == PAPER.link:
                continue
            parts = urlsplit(address)
            assert not parts.scheme, f"{path} loads {address}"
            assert not parts.netloc, f"{path} loads {address}"
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path} links to {address}"
            assert target.is_relative_to(site)
            if parts.fragment:
                assert parts.fragment in pages[target].ids, f"{path} links to {address}"


def test_every_link_image_and_anchor_leads_to_a_file_of_the_site(one_site: Path) -> None:
    assert len(pages_of(one_site)) == 2 + 4 + len(ACGAN_FIGURES)
    check_links(one_site)


def test_no_page_names_an_id_twice(one_site: Path) -> None:
    for path, page in pages_of(one_site).items():
        assert not [name for name, count in Counter(page.ids).items() if count > 1], path


def test_nothing_is_loaded_from_elsewhere(one_site: Path) -> None:
    for name in ("site.css", "site.js"):
        assert not re.search(r"@import|url\(|https?:|import\(|fetch\(", (one_site / name).read_text())


def test_every_class_is_reached_from_the_list_and_by_steps(one_site: Path) -> None:
    listed = [a for a in Page(one_site / "classes.html").addresses if a.startswith("classes/")]
    assert listed == [f"classes/{name}.html" for name in "abcd"]
    walked = [one_site / listed[0]]
    while step := Page(walked[-1]).next:
        walked.append(walked[-1].parent / step)
    assert [path.stem for path in walked] == ["a", "b", "c", "d"]


def test_the_overview_names_judge_commit_counts_and_the_paper(one_site: Path) -> None:
    words = Page(one_site / "index.html").words.replace("\N{NO-BREAK SPACE}", " ")
    for told in (
        "judged by small-cnn",
        "abc123",
        "55.0 %",
        "10.1 ± 2.0 %",
        "other data: 4 classes",
        "Fig 11",
    ):
        assert told in words


def test_the_overview_counts_what_was_passed_over(one_site: Path) -> None:
    words = Page(one_site / "index.html").words
    assert "Passed over, being no image of a class: 2 no image, 1 hidden; source.json lists all." in words


def test_every_page_names_the_paper_and_the_tool_with_its_version(one_site: Path) -> None:
    for path, page in pages_of(one_site).items():
        foot = page.words[page.words.index("Reproduces") :]
        assert "Augustus Odena, Christopher Olah and Jonathon Shlens" in foot, path
        assert "Conditional Image Synthesis with Auxiliary Classifier GANs, 2017, arXiv:1610.09585" in foot
        assert f"Made by centigan {__version__}" in foot
        assert "https://arxiv.org/abs/1610.09585" in page.addresses


def test_the_overview_counts_results_alone_as_comparable(one_site: Path) -> None:
    words = Page(one_site / "index.html").words
    assert "None of the 28 results may be" in words
    assert words.count("a fact of the set-up") == 6


def test_scores_on_other_features_than_published_ones_say_so(
    one_site: Path, drawn: Layout, settings: Settings
) -> None:
    said = "do not stand beside published ones"
    assert said not in Page(one_site / "index.html").words  # made on Inception's of 2015
    features = settings.features.model_copy(update={"network": "judge"})
    write_report(drawn, settings.model_copy(update={"features": features}), None)
    assert said in Page(drawn.report).words
    resized = settings.features.model_copy(update={"resizing": "bicubic"})
    assert not has_published_features(resized, "small-cnn")


def test_a_judge_that_names_real_images_by_chance_is_told(
    one_site: Path, drawn: Layout, settings: Settings
) -> None:
    said = "accuracies by this judge mean nothing here"
    assert said not in Page(one_site / "index.html").words
    summary = json.loads(drawn.summary.read_text())
    key = f"accuracy/held_out/{summary['model/resolution']:.0f}"
    assert summary[key] > 0.5
    drawn.summary.write_text(json.dumps(summary | {key: 0.3}))
    write_report(drawn, settings, None)
    assert f"30 % of held-out real images rightly, and chance is 25 %: {said}" in Page(drawn.report).words


def test_the_precision_that_trained_the_networks_is_told(one_site: Path) -> None:
    assert "bfloat16" in Page(one_site / "index.html").words


def test_a_class_less_diverse_than_real_ones_is_told_on_its_page(one_site: Path) -> None:
    told = {name: "less diverse than any" in Page(one_site / f"classes/{name}.html").words for name in "abcd"}
    assert told == {"a": False, "b": False, "c": False, "d": True}


def test_every_colour_of_a_figure_has_one_for_dark_screens(finished: Layout, settings: Settings) -> None:
    vivid = {to_hex(colour) for colour in (*color_sequences["petroff10"], *BESIDE)}  # to be seen on either
    for name in ("accuracy_by_resolution", "ms_ssim_by_class", "ms_ssim_in_training", "training_curves"):
        draw(name, finished, getattr(settings.figures, name), SPLITS)
        light = finished.figure(name).read_bytes()
        colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", light.decode()))
        assert colours - vivid <= DARK.keys(), name
        assert following_the_screen(light).startswith(light.removesuffix(b"</svg>\n"))


def test_the_overview_states_the_size_of_the_site(one_site: Path) -> None:
    beside = sum(len(content) for path, content in contents(one_site).items() if path.name != "index.html")
    assert f"{size(beside)} in all" in Page(one_site / "index.html").words


def test_a_class_is_told_with_all_that_was_measured_of_it(one_site: Path) -> None:
    page = Page(one_site / "classes/a.html")
    words = page.words.replace("\N{NO-BREAK SPACE}", " ")
    for told in ("90.0 %", "0.30", "10.0", "2.00", "a, letter", "1.25 times"):
        assert told in words, told
    kinds = {address.split(".")[-2] for address in page.addresses if address.endswith(".webp")}
    assert kinds == {"training", "samples", "walks", "square", "l1", "ms_ssim"}


def test_a_sample_nearer_than_the_threshold_is_marked_as_a_copy(one_site: Path) -> None:
    assert 'class="alarm">2.00' in (one_site / "classes/a.html").read_text()
    assert "alarm" not in (one_site / "classes/b.html").read_text()


def test_the_samples_shown_with_neighbours_are_the_closest(drawn: Layout, settings: Settings) -> None:
    path = drawn.metric("neighbours", "00")
    frame = pd.read_parquet(path)
    last = (frame["class_id"] == "a") & (frame["source"] == "generated") & (frame["image"] == 2)
    frame.loc[last & (frame["metric"] == "l1"), "distance"] = 1.5
    frame.to_parquet(path)
    write_report(drawn, settings, None)
    html = (drawn.report.parent / "classes/a.html").read_text()
    assert html.index("1.50") < html.index("2.00") < html.index("25.00")


def test_the_same_results_give_the_same_bytes_and_what_an_earlier_site_left_goes(
    site: Path, drawn: Layout, settings: Settings
) -> None:
    before = contents(site)
    (site / "classes/gone.html").write_text("of a class that is no more")
    (site / "old").mkdir()
    (site / "old/page.html").write_text("of a layout that is no more")
    write_report(drawn, settings, "abc123")
    assert contents(site) == before
    assert not (site / "old").exists()


def test_the_digests_are_those_of_every_file_but_the_first_page(one_site: Path) -> None:
    told = read_digests(one_site / "SHA256SUMS")
    found = {path.relative_to(one_site).as_posix(): sha256(path) for path in contents(one_site)}
    assert told == {name: found[name] for name in found.keys() - {"SHA256SUMS", "index.html"}}


def test_a_site_cut_short_has_no_first_page(site: Path, drawn: Layout, settings: Settings) -> None:
    (drawn.samples("01") / "images.npy").unlink()
    with pytest.raises(UserError, match=r"samples/01/images.npy is missing"):
        write_report(drawn, settings, "abc123")
    assert not (site / "index.html").exists()
    assert (site / "classes/a.html").exists()


def test_a_site_that_cannot_be_written_leaves_the_earlier_one(drawn: Layout, settings: Settings) -> None:
    drawn.report.parent.mkdir()
    drawn.report.write_text("the earlier one")
    for lost in ("figures/gallery.png", "metrics/neighbours/01.parquet", "tables/by_class.csv"):
        (drawn.results / lost).rename(drawn.results / "away")
        with pytest.raises(UserError, match=rf"{lost} is missing"):
            write_report(drawn, settings, "abc123")
        (drawn.results / "away").rename(drawn.results / lost)
    assert drawn.report.read_text() == "the earlier one"


def test_a_class_name_is_escaped_and_its_files_have_plain_names(drawn: Layout, settings: Settings) -> None:
    rename(drawn, "a", HOSTILE)
    rename(drawn, "c", "NA")
    write_tables(drawn, SPLITS, resolution=32, neighbours=settings.neighbours)
    write_comparison(drawn, SPLITS, network=settings.features.network)
    write_report(drawn, settings, None)
    site = drawn.report.parent
    check_links(site)
    for path, page in pages_of(site).items():
        assert page.tags["script"] == 1, path  # its own
        assert re.fullmatch(r"[a-z0-9_.-]+", path.name)
    assert HOSTILE in Page(site / "classes.html").words
    assert HOSTILE in Page(site / f"classes/{address_of(HOSTILE)}.html").words


def rename(layout: Layout, old: str, new: str) -> None:
    """Give a class another name in every file."""
    for path in layout.protocol.rglob("metrics/*/*.parquet"):
        frame = pd.read_parquet(path)
        columns = [name for name in ("class_id", "neighbour_class") if name in frame]
        frame[columns] = frame[columns].replace(old, new)
        frame.to_parquet(path)
    for path in layout.protocol.rglob("facts.json"):
        content = json.loads(path.read_text())
        if "classes" in content:
            content["classes"] = [new if name == old else name for name in content["classes"]]
            path.write_text(json.dumps(content))
    frame = pd.read_csv(layout.classes, dtype=str, keep_default_na=False).replace(old, new)
    frame["words"] = frame["words"].replace(f"{old}, letter", new)
    frame.to_csv(layout.classes, index=False)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=6, unique=True))
def test_classes_never_share_an_address(names: list[str]) -> None:
    addresses = [address_of(name) for name in names]
    assert len({address.lower() for address in addresses}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,70}", address) for address in addresses)


def test_a_wordnet_id_is_its_own_address() -> None:
    assert address_of("n01440764") == "n01440764"
    assert address_of("Cat") != address_of("cat") == "cat"


def test_small_images_keep_every_pixel_and_gaps_are_transparent() -> None:
    images = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    made = picture(in_rows(images, rows=2, across=2), across=2, tile=32)
    with Image.open(io.BytesIO(made.content)) as opened:
        sheet = np.asarray(opened.convert("RGBA"))
    assert sheet.shape == (65, 65, 4)
    assert np.array_equal(sheet[33:, :32, :3], images[2])
    assert not sheet[:, 32, 3].any()
    assert not sheet[33:, 33:, 3].any()  # no fourth image
    assert (made.width, made.pixelated) == (65 * 4, True)


def test_large_images_are_a_few_levels_off_and_far_smaller() -> None:
    ramp = np.linspace(0, 255, 128, dtype=np.uint8)
    image = np.stack([np.add.outer(ramp // 2, ramp // 2)] * 3, axis=-1)
    made = picture([image[None]], across=1, tile=128)
    with Image.open(io.BytesIO(made.content)) as opened:
        found = np.asarray(opened.convert("RGB")).astype(int)
    assert np.abs(found - image).mean() < 3
    assert len(made.content) < image.size / 20


def test_the_curve_runs_over_doublings_from_nothing_to_all() -> None:
    curve = accuracy_curve([{"resolution": 8, "held_out": 0.0, "generated": float("nan")},
                            {"resolution": 16, "held_out": 0.5, "generated": 0.5},
                            {"resolution": 32, "held_out": 1.0, "generated": 0.5}])  # fmt: skip
    (x0, y0), (x1, y1), (x2, y2) = curve.lines["held_out"]
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert (y0, y1, y2) == pytest.approx((curve.bottom, (curve.bottom + curve.top) / 2, curve.top))
    assert len(curve.lines["generated"]) == 2


def test_a_metric_that_was_not_measured_is_left_out() -> None:
    [row] = todays_metrics(
        {"kid/generated": 0.0123, "kid/generated/std": 0.001, "recall/held_out": 1.0}, duplicate_below=5
    )
    assert (row["name"], row["samples"], row["real"]) == ("KID", "0.0123 ± 0.0010", "–")


def test_bits_come_first_with_the_kind_of_their_bound() -> None:
    summary = {
        "fid/generated": 9.0,
        "fid/held_out": 1.0,
        "with_noise/fid": 3.0,
        "bits_per_dim/held_out": 2.1234,
    }
    bits, noisy, fid = todays_metrics(summary, duplicate_below=5, bound="elbo")
    assert (bits["name"], bits["samples"]) == ("Bits a dimension of held-out images", "2.123")
    assert "ELBO" in bits["note"]
    assert (noisy["name"], noisy["samples"], noisy["real"]) == ("FID, with noise", "3.00", "1.00")
    assert fid["samples"] == "9.00"


@pytest.mark.parametrize(
    "name", ["attributes/generated/unseen/shape", "retrieval/generated/seen", "matched/unseen"]
)
def test_what_is_measured_of_captions_is_on_the_page(name: str) -> None:
    [row] = todays_metrics({name: 0.25}, duplicate_below=5)
    assert row["samples"] == "25.0\N{NO-BREAK SPACE}%"


def test_pages_of_a_model_of_captions_tell_each_samples_caption_and_what_reads_them(
    drawn: Layout, settings: Settings, tmp_path: Path
) -> None:
    source = json.loads(drawn.source.read_text())
    drawn.source.write_text(json.dumps(source | {"has": ["images", "labels", "captions"]}))
    for split in SPLITS:
        manifest = drawn.train(split) / "manifest.json"
        of_captions = json.loads(manifest.read_text()) | {"settings": {"model": {"family": "gan_cls"}}}
        manifest.write_text(json.dumps(of_captions))
        said = [f"sentence {n} of {split}" for n in range(6)]
        (drawn.samples(split) / "captions.json").write_text(json.dumps(said))
    with pytest.raises(UserError, match=r"text/manifest\.json is missing"):
        write_report(drawn, settings, "abc123")
    fit_text_encoder([write_arrays(tmp_path / "shapes")], small_encoder("bow"), drawn.text)
    write_report(drawn, settings, "abc123")
    pages = pages_of(drawn.report.parent)
    words = pages[drawn.report].words
    assert "What captions are read by: bow" in words
    assert "from 560 training images" in words
    assert "their 1,680 captions, in 8 iterations" in words
    assert all(kind in words for kind in ("of 28 classes that", "of 8 that", "among all 36"))
    of_c = pages[drawn.report.parent / "classes/c.html"].words
    assert [f"sentence {n} of 01" in of_c for n in range(6)] == [True] * 3 + [False] * 3


def test_pages_without_captions_tell_of_none_and_name_the_paper_whose_numbers_stand_there(
    one_site: Path,
) -> None:
    words = Page(one_site / "index.html").words
    assert "What captions are read by" not in words
    assert "Against AC-GAN's paper" in words
    assert "Against the paper" not in words


def test_sizes_are_told_as_people_say_them() -> None:
    assert [size(count) for count in (12, 3400, 2_500_000, 280_000_000)] == [
        "12 bytes",
        "3.4 kB",
        "2.5 MB",
        "280 MB",
    ]


def test_the_page_tells_what_became_of_the_raw_data(finished: Layout) -> None:
    found = raw_data(Results(finished, SPLITS))
    assert found["subsets"] == [
        {"name": "training", "used": 12, "published": 12, "left_out": 2},
        {"name": "held out", "used": 4, "published": None, "left_out": 0},
    ]
    assert found["converted"] == [("greyscale", 4), ("CMYK", 2)]
    assert found["faults"] == ["class a has 3 of 4 train images", "b/x.jpg is a link to nothing"]
    assert found["passed_over"] == [(2, "no image"), (1, "hidden")]


def test_only_settings_that_differ_from_the_papers_are_listed(settings: Settings) -> None:
    changed = {key: (paper, ours) for key, paper, ours in changed_settings(settings)}
    assert changed["arrays.resolution"] == (128, 32)
    assert "train.batch_size" not in changed


def test_settings_of_another_family_differ_from_its_own_defaults() -> None:
    """`points` is left out of what is written where it is as by default."""
    values = {
        "model": {"family": "gan", "latent": 7, "points": {"generator_units": 8}},
        "train": {"ema": 0.9},
    }
    changed = changed_settings(Settings.model_validate({"experiment": "own/gan", **values}))
    assert changed == [
        ("model.points.generator_units", PointNetworks().generator_units, 8),
        ("model.latent", GanConfig().latent, 7),
        ("train.ema", None, 0.9),
    ]


def test_a_group_that_is_left_out_by_default_differs_in_each_of_its_settings() -> None:
    values = {"model": {"family": "cq", "flow": {"maps": 4}}}
    changed = changed_settings(Settings.model_validate({"experiment": "own/cq", **values}))
    assert ("model.flow.maps", None, 4) in changed
    assert ("model.flow.scales", None, 1) in changed
