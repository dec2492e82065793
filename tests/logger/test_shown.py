"""What a run shows: into a file, on a terminal, when it fails, when it is stopped, when it is dry."""

import re
import time
from pathlib import Path

import pytest
from logger.project import Small


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


def test_a_run_into_a_file_is_a_line_a_job_and_no_more(small: Small) -> None:
    text = small.run()
    lines = text.splitlines()
    assert "4 jobs: index, 2 train, report" in lines
    assert re.search(
        r"^\[ *\d+%\] index the raw images: \d+ s\n  warning: 3 images are left out$", text, re.M
    )
    assert {line.partition("] ")[2].partition(":")[0] for line in lines if line.startswith("[")} == {
        "index the raw images",
        "train split 00",
        "train split 01",
        "the report",
    }
    assert re.fullmatch(r"4 jobs done in \d+ s", lines[-2])
    assert lines[-1] == "report: results/small/report/index.html"
    assert "[100%] the report" in text
    assert len(lines) <= 12
    assert "\x1b" not in text
    for noise in ("Reason", "xxx", "{", "Select jobs", "Finished jobid", "Building DAG", "everything"):
        assert noise not in text
    (log,) = (small.folder / ".snakemake/log").iterdir()
    assert "Reason: Missing output files" in log.read_text()
    assert "Nothing to be done" in small.run()


def test_a_failure_ends_in_the_error_its_log_and_the_command(small: Small) -> None:
    small.train("fails 01")
    text = small.run("--keep-going", status=1)
    assert text.splitlines()[-4:] == [
        "1 of 4 jobs failed; 2 are done and kept",
        "failed: train split 01",
        "  logs/train/01.log: error: split 01: loss is not finite",
        "Once that is put right, this goes on: snakemake --cores 2 --logger centigan --keep-going",
    ]
    assert text.count("loss is not finite") == 2  # when it happens, and in the end
    assert "--settings" not in text
    assert "CalledProcessError" not in text


def test_a_job_that_was_killed_says_so_though_its_log_does_not(small: Small) -> None:
    small.train("dies 01")
    text = small.run(status=1)
    assert "failed: train split 01\n  error: it was killed, as by kill -9 or for want of memory\n" in text


@pytest.mark.parametrize("words", [("--quiet",), ("--quiet", "all"), ("--quiet", "progress")])
def test_a_quiet_run_still_tells_why_it_failed(small: Small, words: tuple[str, ...]) -> None:
    small.train("fails 01")
    text = small.run(*words, status=1)
    assert "logs/train/01.log: error: split 01: loss is not finite\n" in text
    assert "index the raw images" not in text or words == ("--quiet", "progress")


def test_ctrl_c_tells_where_each_training_is_saved_and_how_to_go_on(small: Small) -> None:
    small.train("waits")
    status, shown = small.on_terminal(until=lambda: small.both_wait())
    assert status == 1
    *_, stopped, first, second, command = shown.replace("\r", "").splitlines()
    assert stopped.endswith("stopped; 1 of 4 jobs is done and kept")
    saved = {
        "  train split 00: saved at iteration 40 of 100",
        "  train split 01: saved at iteration 40 of 100",
    }
    assert {first, second} == saved
    assert command == "This goes on: snakemake --cores 2 --logger centigan"
    assert "FAILED" not in shown
    small.train("ends")
    assert "3 jobs: 2 train, report" in small.run()


def test_a_terminal_shows_what_is_under_way_and_keeps_what_ended(small: Small) -> None:
    small.train("waits")
    waiting: list[float] = []

    def seen_for_a_while() -> bool:
        if not waiting and small.both_wait():
            waiting.append(time.monotonic())
        return bool(waiting) and time.monotonic() - waiting[0] > 3

    _, shown = small.on_terminal(until=seen_for_a_while)
    assert re.search(r"train split 00 .*40/100  40%  10\.0 it/s", shown)
    share = max(map(int, re.findall(r"(\d+)% of the work; 1 of 4 jobs", shown)))
    assert share > 25  # of the jobs, only one in four has ended


def test_a_dry_run_is_a_table_of_rules_with_the_reason(small: Small) -> None:
    small.run()
    snakefile = small.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace('"iterations": 100', '"iterations": 200'))
    assert small.run("-n").splitlines()[-6:] == [
        "rule    jobs  why",
        "train      2  other settings: train.iterations",
        "report     1  follows from the above",
        "total      3",
        "",
        "This was a dry-run: nothing was made.",
    ]
    assert "why" not in small.run("-n", "--quiet", "reason").replace("why  ", "")


def test_verbose_shows_snakemakes_own_words_and_p_the_commands(small: Small) -> None:
    small.train("fails 01")
    text = small.run("--verbose", status=1)
    assert "Reason: Missing output files" in text
    assert "failed: train split 01\n" in text
    small.train("ends")
    assert "trainer.py 01 logs/train/01.log train/01.txt\n" in small.run("-p")


def test_a_refusal_of_the_snakefile_is_all_that_is_shown_however_quiet(small: Small) -> None:
    snakefile = small.folder / "Snakefile"
    snakefile.write_text(
        "from snakemake.exceptions import WorkflowError\n"
        'raise WorkflowError("params.yaml: train.seed: not a number\\nwrite one")\n'
    )
    for words in ((), ("--quiet", "all")):
        assert small.run(*words, status=1) == "params.yaml: train.seed: not a number\nwrite one\n"


def test_a_fault_of_the_snakefile_itself_tells_where_it_is(small: Small) -> None:
    snakefile = small.folder / "Snakefile"
    snakefile.write_text("x = 1\nraise ValueError('no such thing')\n")
    text = small.run("--quiet", "all", status=1)
    assert f'ValueError in file "{snakefile}", line 2:\nno such thing\n' in text
    assert text.splitlines()[-1] == f'  File "{snakefile}", line 2, in <module>'


def test_a_run_that_ended_by_an_error_goes_on_once_that_is_put_right(small: Small) -> None:
    snakefile = small.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("onstart:", "onstart:\n    raise ValueError('no')", 1))
    *_, done, command = small.run(status=1).splitlines()
    assert done == "0 of 4 jobs are done"
    assert command == "Once that is put right, this goes on: snakemake --cores 2 --logger centigan"


def test_a_command_that_does_not_name_its_log_still_tells_its_status(small: Small) -> None:
    snakefile = small.folder / "Snakefile"
    written = snakefile.read_text()
    start = written.index('"echo')
    snakefile.write_text(written[:start] + '"exit 3"' + written[written.index("\n", start) :])
    text = small.run(status=1)
    assert re.search(
        r"^FAILED index the raw images after \d s\n  .*error: it ended with status 3;", text, re.M
    )
    assert "CalledProcessError" not in text


def test_one_job_is_told_of_as_one(small: Small) -> None:
    small.run("--keep-going", "index.txt")
    small.train("fails 01")
    assert "1 of 1 job failed; 0 are done and kept\n" in small.run("--keep-going", "train/01.txt", status=1)
    (small.folder / "index.txt").unlink()
    assert "1 of 2 jobs failed; 1 is done and kept\n" in small.run("--keep-going", "train/01.txt", status=1)
