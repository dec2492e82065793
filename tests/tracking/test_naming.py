"""Runs are called by what differs: from the paper when there is one, else from the other revisions."""

from itertools import pairwise

import pandas as pd
from mlflow import MlflowClient

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track
from centigan.tracking.naming import Revision, from_the_paper, names_of, settings_among
from centigan.tracking.record import flatten, measured_settings

SPLITS = ["00", "01"]
PAPER = flatten(measured_settings(Settings(experiment="paper")))


def revision(name: str, start: int = 0, outside: dict[str, str] | None = None, **facts: str) -> Revision:
    changed = {key.replace("__", "."): value for key, value in facts.items()}
    return Revision(name, start, settings_among(PAPER | changed), outside or {})


def parents(*revisions: Revision) -> list[str]:
    return [name.parent for name in names_of(list(revisions)).values()]


def test_one_revision_is_told_from_the_paper() -> None:
    assert parents(revision("a", model__generator_lr="0.0004")) == ["generator_lr=4e-4"]
    assert parents(revision("a")) == ["paper's settings"]


def test_several_are_told_from_each_other() -> None:
    one = revision("a", model__width="0.2", model__generator_lr="0.0004")
    other = revision("b", model__width="0.2")
    assert parents(one, other) == ["generator_lr=4e-4", "generator_lr=2e-4"]


def test_a_name_does_not_depend_on_the_order_of_the_runs() -> None:
    one, other = revision("a", train__seed="1"), revision("b", train__seed="2")
    assert names_of([one, other]) == names_of([other, one])


def test_a_word_of_several_sections_comes_with_its_section() -> None:
    assert parents(revision("a", train__seed="3", sample__per_class="7")) == [
        "train.seed=3, sample.per_class=7"
    ]


def test_many_differences_are_cut_and_the_telling_ones_come_first() -> None:
    many = {
        "train__log_every": "1",
        "data__root": "/somewhere",
        "ms_ssim__pairs": "5",
        "train__iterations": "10",
        "model__width": "0.5",
    }
    (name,) = parents(revision("a", **many))
    assert name == "width=0.5, iterations=10, ms_ssim.pairs=5, +2 more"
    (name,) = parents(revision("a", data__root="/data/" + "x" * 500))
    assert len(name) < 40


def test_a_split_is_named_with_its_own_settings() -> None:
    one = revision("a", model__width="0.2")
    other = revision("b", model__width="0.5", splits__1__model__width="0.1", splits__1__train__seed="7")
    names = names_of([one, other])
    assert names["b"].child("00") == "split 00, width=0.5"
    assert names["b"].child("01") == "split 01, width=0.1, train.seed=7"
    assert names["a"].child("01") == "split 01, width=0.2"


def test_equal_settings_are_told_apart_by_data_code_or_time() -> None:
    assert parents(revision("a", outside={"data": "d1"}), revision("b", outside={"data": "d2"})) == [
        "data d1",
        "data d2",
    ]
    code = [revision(name, outside={"data": "d", "commit": name * 7}) for name in "ab"]
    assert parents(*code) == ["commit aaaaaaa", "commit bbbbbbb"]
    assert parents(revision("a", 1_700_000_000_000), revision("b", 1_700_000_060_000)) == [
        "2023-11-14 22:13:20",
        "2023-11-14 22:14:20",
    ]


def test_a_setting_that_an_older_version_did_not_have_is_no_difference() -> None:
    old = revision("a", model__width="0.2")
    old = old._replace(facts={k: v for k, v in old.facts.items() if k != "train.flips"})
    assert parents(old, revision("b", train__flips="true")) == ["width=0.2", "width=1"]


def test_the_description_lists_every_difference() -> None:
    table = from_the_paper(revision("a", model__generator_lr="0.0004", ms_ssim__pairs="5").facts)
    assert "| model.generator_lr | 2e-4 | 4e-4 |" in table
    assert "| ms_ssim.pairs | 100 | 5 |" in table
    assert from_the_paper(PAPER) == ""


def run_names(store: str) -> dict[str, str]:
    return {run.info.run_id: run.info.run_name for run in MlflowClient(store).search_runs(["1"])}


def measured_again(layout: Layout, settings: Settings, value: float) -> Settings:
    """Another revision in the same place: another setting, other numbers."""
    path = layout.metric("ms_ssim", "01")
    pd.read_parquet(path).assign(ms_ssim=value).to_parquet(path)
    pairs = settings.ms_ssim.model_copy(update={"pairs": round(100 * value)})
    return settings.model_copy(update={"ms_ssim": pairs})


def test_a_second_revision_renames_the_first_and_again_nothing(
    layout: Layout, settings: Settings, store: str
) -> None:
    first = track(layout, settings, SPLITS, tracking_uri=store)
    again = measured_again(layout, settings, 0.9)
    second = track(layout, again, SPLITS, tracking_uri=store)
    assert first
    assert second
    names = run_names(store)
    assert names[first["parent_run_id"]] == "ms_ssim.pairs=100"
    assert names[first["child_run_ids"]["00"]] == "split 00, ms_ssim.pairs=100"
    assert names[second["parent_run_id"]] == "ms_ssim.pairs=90"
    assert names[second["child_run_ids"]["01"]] == "split 01, train.seed=7, ms_ssim.pairs=90"
    assert track(layout, again, SPLITS, tracking_uri=store) == second
    assert run_names(store) == names


def test_a_name_that_a_person_gave_is_kept(layout: Layout, settings: Settings, store: str) -> None:
    first = track(layout, settings, SPLITS, tracking_uri=store)
    assert first
    MlflowClient(store).update_run(first["parent_run_id"], name="the good one")
    latest = settings
    for value in (0.9, 0.8):
        latest = measured_again(layout, latest, value)
        track(layout, latest, SPLITS, tracking_uri=store)
        names = run_names(store)
        assert names[first["parent_run_id"]] == "the good one"
        assert names[first["child_run_ids"]["00"]] == "split 00, ms_ssim.pairs=100"
    assert all(one != other for one, other in pairwise(sorted(names.values())))


def test_the_experiment_says_which_revision_is_better_unless_a_person_writes(
    layout: Layout, settings: Settings, store: str
) -> None:
    def described() -> str:
        return str(MlflowClient(store).get_experiment("1").tags["mlflow.note.content"])

    track(layout, settings, SPLITS, tracking_uri=store)
    assert described().startswith("One revision so far.")
    again = measured_again(layout, settings, 0.9)
    layout.summary.write_text('{"accuracy/generated/32": 0.8, "accuracy/held_out/32": 0.9}')
    second = track(layout, again, SPLITS, tracking_uri=store)
    assert second
    assert described().startswith("2 revisions, the best first: **ms_ssim.pairs=90**, by accuracy")
    row = f"[ms_ssim.pairs=90](#/experiments/1/runs/{second['parent_run_id']}) | **0.8** |"
    assert row in described()
    assert described().index("| 0.75 |") > described().index(row)
    MlflowClient(store).set_experiment_tag("1", "mlflow.note.content", "mine")
    track(layout, again, SPLITS, tracking_uri=store)
    assert described() == "mine"
