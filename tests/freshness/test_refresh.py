"""What Snakemake is made to see of results, on records written by hand."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from centigan.freshness import LOST, NEW, STRANGE, Job, begin, keep, kept, refresh
from centigan.freshness.records import note, noted
from centigan.layout import Layout

SOURCE, TABLE = "results/x/y/features/00.npy", "results/x/y/tables/by_class.csv"


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write(path: str, text: str, *, age: float) -> None:
    """A file that was written so many seconds ago."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))


def ran(output: str, inputs: list[str], start: float, rule: str = "r") -> None:
    """Snakemake's record of the job that wrote an output."""
    checksums = {path: f"sha256:{digest(path)}" for path in inputs}
    record = {"rule": rule, "input": inputs, "log": ["logs/x/y/r.log"], "params": [], "code": "c"}
    note(output, {**record, "input_checksums": checksums, "starttime": start, "endtime": start})


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A table that was made from a list of classes ten seconds later, and has been looked at."""
    monkeypatch.chdir(tmp_path)
    write(SOURCE, "cat", age=100)
    write(TABLE, "1", age=90)
    ran(SOURCE, [], 1.0)
    ran(TABLE, [SOURCE], 2.0)
    layout = Layout("x/y")
    assert refresh(layout) == {}
    return layout


def is_newer(path: str, other: str) -> bool:
    return Path(path).stat().st_mtime_ns > Path(other).stat().st_mtime_ns


def test_what_is_as_it_was_keeps_its_time(layout: Layout) -> None:
    before = [Path(path).stat().st_mtime_ns for path in (SOURCE, TABLE)]
    assert refresh(layout) == {}
    assert [Path(path).stat().st_mtime_ns for path in (SOURCE, TABLE)] == before


def test_an_older_input_of_other_content_becomes_newer(layout: Layout) -> None:
    write(SOURCE, "dog", age=1000)
    ran(SOURCE, [], 3.0)  # by its job
    assert refresh(layout) == {}
    assert is_newer(SOURCE, TABLE)


def test_a_time_ahead_of_the_clock_is_set_back(layout: Layout) -> None:
    write(TABLE, "1", age=-1000)
    assert refresh(layout) == {}
    assert Path(TABLE).stat().st_mtime <= time.time()


def test_gone_or_damaged_is_told_until_a_job_has_made_it(layout: Layout) -> None:
    Path(TABLE).unlink()
    assert refresh(layout) == {TABLE: LOST}
    write(TABLE, "damaged", age=0)
    assert refresh(layout) == {TABLE: LOST}
    ran(TABLE, [SOURCE], 4.0)
    assert refresh(layout) == {}


def test_what_the_workflow_makes_no_more_is_not_missed(layout: Layout) -> None:
    Path(TABLE).unlink()
    assert refresh(layout, lambda output: output != TABLE) == {}


def test_what_a_job_did_not_write_yet_when_it_was_run_is_told_until_it_has(layout: Layout) -> None:
    more = "results/x/y/features/00.json"

    def beside(rule: str, output: str) -> tuple[str, ...]:
        return (SOURCE, more) if output == SOURCE else ()

    assert refresh(layout, beside=beside) == {more: NEW}
    write(more, "{}", age=0)
    ran(more, [], 3.0)
    assert refresh(layout, beside=beside) == {}
    for path in (SOURCE, more):  # as in a clone without them: they may come later
        Path(path).unlink()
    assert NEW not in refresh(layout, beside=beside).values()


def test_records_come_with_the_results_and_only_for_these_bytes(layout: Layout) -> None:
    for name in ("metadata", "centigan"):
        (layout.root / ".snakemake" / name).rename(layout.root / f"{name}-elsewhere")
    write(TABLE, "another", age=5)
    assert refresh(layout) == {TABLE: STRANGE}
    records = noted(layout)
    assert set(records) == {SOURCE}
    assert records[SOURCE]["code"] == "c"


def test_a_copied_folder_is_no_experiments_own(layout: Layout) -> None:
    shutil.copytree("results/x/y", "results/x/z")
    assert refresh(Layout("x/z")) == {path.replace("/y/", "/z/"): STRANGE for path in (SOURCE, TABLE)}
    assert refresh(layout) == {}


def test_what_a_list_says_counts_for_nothing_once_what_was_seen_is_lost(layout: Layout) -> None:
    images, sums = "results/x/y/samples/00/images.npy", "results/x/y/samples/00/SHA256SUMS"
    write(images, "pixels", age=50)
    write(sums, f"{digest(images)}  images.npy\n", age=50)
    for output in (images, sums):
        ran(output, [], 5.0)
    assert refresh(layout) == {}
    write(images, "PIXELS", age=50)
    layout.memory.unlink()
    assert refresh(layout).keys() >= {sums}


def test_the_records_hold_neither_time_nor_machine(layout: Layout) -> None:
    first = layout.records("report").read_text()
    (job,) = json.loads(first)
    assert job["outputs"] == {TABLE: digest(TABLE)}
    assert not {"starttime", "endtime", "shellcmd", "job_hash"} & job.keys()
    ran(TABLE, [SOURCE], 9.0)
    refresh(layout)
    assert layout.records("report").read_text() == first


def test_what_is_not_here_keeps_its_record_for_when_it_comes(layout: Layout) -> None:
    (layout.root / ".snakemake/centigan").rename(layout.root / "elsewhere")  # a clone, partly pulled
    Path(TABLE).unlink()
    assert refresh(layout) == {}
    assert TABLE in layout.records("report").read_text()


def test_big_files_are_taken_for_what_their_digests_say_until_they_change(layout: Layout) -> None:
    images, sums = "results/x/y/samples/00/images.npy", "results/x/y/samples/00/SHA256SUMS"
    write(images, "pixels", age=50)
    write(sums, f"{'0' * 64}  images.npy\n", age=50)  # told, not computed: nobody reads gigabytes twice
    for output in (images, sums):
        ran(output, [], 5.0)
    assert refresh(layout) == {}
    assert '"0000' in layout.records("evaluate").read_text()
    write(images, "pixels", age=40)
    assert refresh(layout) == {
        images: LOST,
        sums: LOST,
    }  # a list is no longer good once a file is not what it says


def test_a_job_that_would_be_another_now_is_told(layout: Layout) -> None:
    same = Job({"'settings'"}, "command", {SOURCE})
    record = noted(layout)[TABLE] | {"params": ["'settings'"], "code": "command", "rule": "tables"}
    note(TABLE, record)
    assert refresh(layout, now={"tables": same}) == {}
    other = {"tables": same._replace(params={"'others'"})}
    assert refresh(layout, now=other) == {TABLE: "was made with other settings or source"}
    other = {"tables": same._replace(command="another command")}
    assert refresh(layout, now=other) == {TABLE: "was made with other settings or source"}
    other = {"tables": same._replace(inputs=set())}
    assert refresh(layout, now=other) == {TABLE: "was made from other inputs"}
    write(SOURCE, "dog", age=0)
    ran(SOURCE, [], 3.0)
    assert refresh(layout, now={"tables": same}) == {TABLE: "was made from other inputs"}


DAMAGED = {"not UTF-8": b"\xff", "cut": b'{"a"', "another thing": b"[1]", "a folder": None}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("which", ["memory", "records", "metadata"])
def test_damaged_bookkeeping_is_as_good_as_absent(
    layout: Layout, which: str, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = min(Path(".snakemake/metadata").iterdir())
    path = {"memory": layout.memory, "records": layout.records("report"), "metadata": metadata}[which]
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)
    assert refresh(layout) == {}
    assert refresh(layout) == {}
    assert set(noted(layout)) == {SOURCE, TABLE}
    assert json.loads(layout.records("report").read_text())[0]["outputs"] == {TABLE: digest(TABLE)}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_list_of_digests_is_made_again(layout: Layout, content: bytes | None) -> None:
    sums = Path("results/x/y/samples/00/SHA256SUMS")
    write(str(sums), f"{digest(TABLE)}  ../../tables/by_class.csv\n", age=50)
    ran(str(sums), [], 5.0)
    assert refresh(layout) == {}
    sums.unlink()
    sums.mkdir() if content is None else sums.write_bytes(content)
    assert refresh(layout) == {str(sums): LOST}


def test_what_a_failed_job_has_not_replaced_comes_back_with_its_record(layout: Layout) -> None:
    before = noted(layout)[TABLE]
    keep(layout, [SOURCE, TABLE, "results/x/y/tables/new.csv"])
    Path(TABLE).unlink()  # by Snakemake, before the job
    note(TABLE, before | {"params": ["of the job that failed"]})
    kept.give_back(layout)
    assert Path(TABLE).read_text() == "1"
    assert "params" not in noted(layout)[TABLE] or noted(layout)[TABLE]["params"] == before["params"]
    assert not layout.kept.exists()
    assert refresh(layout) == {}


def test_what_a_job_has_replaced_stays(layout: Layout) -> None:
    keep(layout, [TABLE])
    Path(TABLE).unlink()
    write(TABLE, "2", age=0)
    kept.give_back(layout)
    assert Path(TABLE).read_text() == "2"


def test_what_is_damaged_is_not_kept(layout: Layout) -> None:
    write(TABLE, "damaged", age=0)
    keep(layout, [TABLE])
    assert not layout.kept.exists()


def test_what_killed_writers_left_is_swept_away(layout: Layout) -> None:
    halves = ("summary.4.part.json", "tables/.by_class.4.part.csv", "report/classes/.a.4.part.html")
    for half in (layout.results / half for half in halves):
        write(str(half.with_name(f".{half.name.lstrip('.')}")), "half", age=0)
    begin(layout, {}, dry=True)
    assert [path.name for path in layout.results.rglob(".*")] == []
    assert Path(TABLE).exists()


PUBLISHED = "results/x/y/mlflow.json"


def test_an_export_by_hand_is_no_damage_and_changed_results_make_it_old(layout: Layout) -> None:
    write(PUBLISHED, "{}", age=50)
    ran(PUBLISHED, [TABLE], 3.0, "publish")
    assert refresh(layout) == {}
    write(PUBLISHED, '{"by": "hand"}', age=40)
    assert refresh(layout) == {}
    assert is_newer(PUBLISHED, TABLE)
    write(TABLE, "2", age=90)
    before = Path(TABLE).stat().st_mtime_ns
    ran(TABLE, [SOURCE], 4.0)
    assert refresh(layout) == {}
    assert is_newer(TABLE, PUBLISHED)
    assert Path(TABLE).stat().st_mtime_ns == before  # who follows a run goes by the times of its results


def test_a_clone_knows_what_was_published_and_that_raw_data_were_put_in_place(layout: Layout) -> None:
    raw, folders = "data/raw/x/manifest.json", (layout.shared, layout)

    def saved() -> dict[Path, bytes]:
        return {file: file.read_bytes() for each in folders for file in each.records("x").parent.iterdir()}

    write(raw, "{}", age=95)
    write(PUBLISHED, "{}", age=50)
    ran(raw, [], 0.5, "raw")
    ran(PUBLISHED, [TABLE], 3.0, "publish")
    assert [refresh(folder) for folder in folders] == [{}, {}]
    before = saved()
    shutil.rmtree(".snakemake")
    Path(raw).unlink()
    assert [refresh(folder) for folder in folders] == [{}, {}]
    assert {raw, PUBLISHED} <= noted(layout.shared).keys() | noted(layout).keys()
    assert saved() == before
    shutil.rmtree(".snakemake")
    write(PUBLISHED, '{"by": "hand"}', age=40)  # and committed before a run saw it
    assert refresh(layout) == {}
    assert PUBLISHED in noted(layout)


def test_another_experiment_finds_its_protocol_known_and_changes_nothing_of_it(layout: Layout) -> None:
    """What one experiment was made from was replaced since; the other was made from what is there."""
    judge, other = "results/x/judge/facts.json", Layout("x/z")
    write(judge, "first", age=95)
    ran(judge, [], 0.5)
    ran(TABLE, [judge], 2.0)
    write(judge, "second", age=80)
    ran(judge, [], 3.0)
    table = TABLE.replace("/y/", "/z/")
    write(table, "1", age=70)
    ran(table, [judge], 4.0)
    assert [refresh(folder) for folder in (layout.shared, other)] == [{}, {}]
    assert is_newer(table, judge)  # so far nothing is stale
    assert refresh(layout) == {}
    assert is_newer(judge, TABLE)  # which is: Snakemake looks, and finds other content
    assert refresh(other) == {}
    assert noted(layout.shared).keys() == {judge}
    assert refresh(layout.shared) == {}


@pytest.mark.parametrize(("dry", "left"), [(True, True), (False, False)])
def test_a_damaged_export_is_as_good_as_none(layout: Layout, dry: bool, left: bool) -> None:
    layout.published.write_text("{")
    begin(layout, {}, dry=dry)
    assert layout.published.exists() is left
