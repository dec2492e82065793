import json
from pathlib import Path

import pandas as pd
import pytest

from centigan.catalogue import subject_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.comparison import compare
from centigan.reporting.formats import write_latex
from centigan.reporting.published import PUBLISHED
from centigan.reporting.results import Results
from centigan.reporting.tables import joint_summary, less_diverse, write_tables
from centigan.settings.evaluation import NeighbourSettings
from centigan.settings.families.acgan import AcganConfig

ROOT = Path(__file__).parents[2]

SPLITS = ["00", "01"]
ACGAN = subject_of(AcganConfig(), classes_of_a_split=2)
NEIGHBOURS = NeighbourSettings(permutations=999)  # as in conftest


def test_accuracy_is_the_mean_over_classes(finished: Layout) -> None:
    summary = json.loads(finished.summary.read_text())
    assert summary["accuracy/generated/32"] == pytest.approx((0.9 + 0.6 + 0.7 + 0.0) / 4)
    assert summary["accuracy/generated/8"] == pytest.approx((0.8 + 0.2 + 0.7 + 0.0) / 4)
    assert summary["accuracy/held_out/8"] == pytest.approx(0.9)
    assert summary["judge/accuracy_held_out"] == summary["accuracy/held_out/32"] == 1


def test_the_error_bar_is_the_spread_of_the_subsets(finished: Layout) -> None:
    """Subset 1 has one more image right of 5 in every class than subset 0: means 0.2 apart."""
    summary = json.loads(finished.summary.read_text())
    assert summary["accuracy/generated/32/std"] == pytest.approx(0.2 / 2**0.5, rel=1e-5)
    assert summary["accuracy/held_out/32/std"] == 0


def test_a_class_on_the_diagonal_is_not_below_it(finished: Layout) -> None:
    summary = json.loads(finished.summary.read_text())
    assert summary["accuracy/share_below_diagonal"] == 2 / 4  # a and b; c and d are equal


def test_diversity_compares_with_the_most_uniform_real_class(finished: Layout) -> None:
    summary = json.loads(finished.summary.read_text())
    assert summary["ms_ssim/training/max"] == pytest.approx(0.4)
    assert summary["ms_ssim/share_below_max_training"] == 3 / 4  # d has 0.5
    assert summary["ms_ssim/generated/mean"] == pytest.approx((0.3 + 0.1 + 0.2 + 0.5) / 4)
    assert summary["ms_ssim/training/std"] == pytest.approx(0.1 / 2**0.5, rel=1e-5)


def test_the_joint_shares_split_classes_at_the_most_uniform_real_class(finished: Layout) -> None:
    """That is c with 0.4: d (0.5) is less diverse and inaccurate; the others are neither."""
    summary = json.loads(finished.summary.read_text())
    assert summary["accuracy_ms_ssim/share_low_diversity_inaccurate"] == 1
    assert summary["accuracy_ms_ssim/share_high_diversity_accurate"] == 1


def test_one_verdict_on_collapse_stands_behind_every_share_and_colour(finished: Layout) -> None:
    results = Results(finished, SPLITS)
    assert results.less_diverse == ["d"]
    assert results.summary["ms_ssim/share_below_max_training"] == 1 - len(results.less_diverse) / 4
    of_class = results.table("by_class").assign(ms_ssim_generated=[0.1, 0.4, 0.39, 0.5])
    assert of_class["class_id"][less_diverse(of_class)].tolist() == ["b", "d"]  # as uniform is not below


def test_points_on_a_falling_line_have_r_minus_one() -> None:
    frame = pd.DataFrame({"accuracy_generated": [0.9, 0.6, 0.3], "ms_ssim_generated": [0.1, 0.2, 0.3]})
    frame["ms_ssim_training"] = 0.25
    values = joint_summary(frame)
    assert values["accuracy_ms_ssim/r"] == pytest.approx(-1)
    assert values["accuracy_ms_ssim/r2"] == pytest.approx(1)


def test_a_share_of_no_class_is_left_out_and_said_in_the_comparison(finished: Layout) -> None:
    frame = pd.DataFrame({"accuracy_generated": [0.9, 0.6], "ms_ssim_generated": [0.4, 0.5]})
    frame["ms_ssim_training"] = 0.4
    values = joint_summary(frame)
    assert "accuracy_ms_ssim/share_high_diversity_accurate" not in values
    summary = json.loads(finished.summary.read_text())
    del summary["accuracy_ms_ssim/share_high_diversity_accurate"]
    table = compare(
        summary, judge="small-cnn", network="small-cnn", source="folders", of_imagenet=0, subject=ACGAN
    )
    row = table[table["measurement"].str.contains("accuracy > 1 %")].iloc[0]
    assert row["ours"] == ""
    assert "every class is less diverse than any real class" in row["why"]


def test_nothing_measured_on_other_data_is_called_comparable(finished: Layout) -> None:
    table = pd.read_csv(finished.table("comparison"))
    assert set(table["comparable"]) == {"no", "set-up"}
    numbers = table[(table["comparable"] == "no") & table["paper"].str.contains("%|0\\.")]
    assert numbers["why"].str.contains("other data: |not AC-GAN's|measured by a study").all()


def test_what_a_run_sets_up_is_no_result(finished: Layout) -> None:
    table = pd.read_csv(finished.table("comparison"))
    facts = table[table["comparable"] == "set-up"]
    assert facts["measurement"].tolist()[:2] == ["Classes", "Models, one a split"]
    assert set(facts["why"]) == {"a fact of the set-up"}


def test_the_papers_own_protocol_is_comparable(finished: Layout) -> None:
    summary = json.loads(finished.summary.read_text())
    summary = {name.replace("/32", "/128"): value for name, value in summary.items()}
    summary |= {"model/resolution": 128, "data/classes": 1000, "ms_ssim/pairs": 100}
    table = compare(
        summary,
        judge="inception-v3",
        network="inception-2015",
        source="folders",
        of_imagenet=1000,
        subject=ACGAN,
    )
    row = table[table["measurement"] == "Accuracy of samples at R"].iloc[0]
    assert (row["paper"], row["comparable"]) == ("10.1 ± 2.0 %", "yes")
    assert row["ours"].startswith("55.0")


@pytest.mark.parametrize(
    ("classes", "known", "source", "why"),
    [
        (10, 10, "folders", "a part of the data: 10 of ImageNet's 1000 classes"),
        (10, 9, "folders", "other data: 10 classes, not ImageNet's 1000"),
        (1000, 1000, "ImageNet of 64 px as npz", "other data: ImageNet of 64 px as npz, shrunk before"),
    ],
)
def test_parts_of_imagenet_and_shrunk_ones_are_called_so(
    classes: int, known: int, source: str, why: str, finished: Layout
) -> None:
    summary = json.loads(finished.summary.read_text()) | {"data/classes": classes}
    judge, network = "inception-v3", "inception-2015"
    table = compare(summary, judge=judge, network=network, source=source, of_imagenet=known, subject=ACGAN)
    row = table[table["measurement"] == "Accuracy of samples at R"].iloc[0]
    assert row["comparable"] == "no"
    assert why in row["why"]


def test_tables_are_the_same_bytes_twice(finished: Layout) -> None:
    files = [finished.summary, finished.table("by_class"), finished.table("accuracy_by_resolution")]
    before = [file.read_bytes() for file in files]
    write_tables(finished, SPLITS, resolution=32, neighbours=NEIGHBOURS)
    assert [file.read_bytes() for file in files] == before


def test_a_metric_file_without_a_class_is_named(metrics: Layout) -> None:
    path = metrics.real_metric("ms_ssim", "01")
    frame = pd.read_parquet(path)
    frame[~((frame["class_id"] == "d") & (frame["source"] == "training"))].to_parquet(path)
    with pytest.raises(UserError, match=r"ms_ssim/01.parquet has no row of training images for class 'd'"):
        write_tables(metrics, SPLITS, resolution=32, neighbours=NEIGHBOURS)


def test_a_missing_metric_file_is_named(metrics: Layout) -> None:
    metrics.metric("accuracy", "00").unlink()
    with pytest.raises(
        UserError, match=r"accuracy/00.parquet is missing: `centigan measure accuracy -e made/hand"
    ):
        write_tables(metrics, SPLITS, resolution=32, neighbours=NEIGHBOURS)


def test_a_resolution_that_was_not_measured_is_said(metrics: Layout) -> None:
    with pytest.raises(UserError, match=r"measured at \[4, 8, 16, 32, 64\] px, but the tables need 128"):
        write_tables(metrics, SPLITS, resolution=128, neighbours=NEIGHBOURS)


def test_the_difference_is_ours_less_the_papers_in_its_unit(finished: Layout) -> None:
    table = pd.read_csv(finished.table("comparison"), keep_default_na=False).set_index("measurement")
    assert table["difference"]["Accuracy of samples at R"] == "+44.9 points"  # 55.0 % less 10.1 %
    assert table["difference"]["MS-SSIM of the most uniform real class"] == "+0.15"  # 0.40 less 0.25
    assert table["difference"]["Samples that copy a training image (L1)"] == ""  # the paper has no number


def test_an_inception_score_is_comparable_on_cifar_10_by_the_network_of_2015(finished: Layout) -> None:
    summary = json.loads(finished.summary.read_text()) | {
        "inception_score/fresh": 8.0,
        "inception_score/fresh/std": 0.1,
        "inception_score/fresh/images": 25_000,
    }

    def row(source: str, network: str, images: int = 25_000) -> "pd.Series[str]":
        told = summary | {"inception_score/fresh/images": images}
        table = compare(told, judge="small-cnn", network=network, source=source, of_imagenet=0, subject=ACGAN)
        return table[table["measurement"].str.startswith("Inception score")].iloc[0]

    good = row("CIFAR-10", "inception-2015")
    assert (good["ours"], good["difference"], good["comparable"]) == ("8.00 ± 0.10", "-0.25", "yes")
    assert "scored by small-cnn" in row("CIFAR-10", "small-cnn")["why"]
    assert "500 images, not 25,000" in row("CIFAR-10", "inception-2015", 500)["why"]
    assert row("class folders", "inception-2015")["comparable"] == "no"


def test_what_a_study_measures_has_its_place_and_its_command(finished: Layout) -> None:
    table = pd.read_csv(finished.table("comparison"), keep_default_na=False)
    for place, study in {"Fig 11": "class_counts", "App D": "single_class_digits"}.items():
        row = table[table["id"] == place].iloc[0]
        asked = f"measured by a study of many experiments; snakemake --config study={study}"
        assert (row["ours"], row["why"]) == ("", asked)
    studies = {published.study for published in PUBLISHED} - {""}
    assert all((ROOT / f"studies/{name}.yaml").is_file() for name in studies)


def test_a_table_is_the_same_as_csv_and_parquet(finished: Layout) -> None:
    for name in ("by_class", "distribution", "inception_score", "ms_ssim_pairs"):
        text = pd.read_csv(finished.table(name), dtype={"class_id": str, "split": str})
        pd.testing.assert_frame_equal(
            text, pd.read_parquet(finished.table(name, "parquet")), check_dtype=False, rtol=1e-5
        )


def test_latex_shows_signs_that_latex_knows_and_escapes_what_it_would_run(finished: Layout) -> None:
    text = finished.table("comparison", "tex").read_text()
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert r"10.1 $\pm$ 2.0 \%" in text
    assert text.isascii()
    odd = pd.DataFrame({"class_id": [r"a_b & \input{x} 5 %"], "value": [float("nan")]})
    write_latex(finished, "odd", odd, caption="Odd.")
    row = finished.table("odd", "tex").read_text().splitlines()[8]
    assert row == r"a\_b \& \textbackslash input\{x\} 5 \% & -- \\"


def test_classes_called_by_numbers_keep_their_names(finished: Layout) -> None:
    classes = pd.read_csv(finished.classes, dtype=str)
    classes.assign(class_id=range(4), words=range(4)).to_csv(finished.classes, index=False)
    assert Results(finished, SPLITS).names == {"0": "0", "1": "1", "2": "2", "3": "3"}
