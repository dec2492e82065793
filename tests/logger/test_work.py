"""How much of the work is done: trainings count by their iterations, and an end is told once it is known."""

import json
import re
import time
from pathlib import Path

import pytest
from copied import ROOT

from centigan.layout import Layout
from snakemake_logger_plugin_centigan.plan import reason_in_words
from snakemake_logger_plugin_centigan.run import spent
from snakemake_logger_plugin_centigan.work import OTHERWISE, SECONDS, TARGETS, Job, Training, Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Two trainings of 1,000 iterations in batches of 10, and three figures."""
    work = Work()
    work.counts = {"train": 2, "figure": 3}
    folder = Layout("small/tiny", tmp_path).scratch
    work.expect({("small/tiny", split): Training(folder(split), 1000, 10) for split in ("00", "01")})
    return work


def begun(rule: str, split: str = "", seconds: float = 0.0) -> Job:
    return Job(1, rule, rule, ("small/tiny", split), [], in_group=False, began=time.time() - seconds)


def journal(work: Work, split: str, iteration: int, speed: float = 100.0) -> None:
    path = work.trainings["small/tiny", split].scratch / "timing.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"iteration": iteration, "timestamp": int(time.time() * 1000), "images_per_second": speed}
    path.write_text(json.dumps(line) + "\n")


def test_half_a_training_is_half_of_its_work(work: Work) -> None:
    job = begun("train", "00", seconds=60)
    journal(work, "00", 500)  # 10 iterations a second: 100 s each, beside 12 s of figures
    work.look(job)
    assert work.share([job]) == pytest.approx(50 / (200 + 12), abs=0.01)


def test_the_journal_of_an_earlier_training_counts_for_nothing(work: Work) -> None:
    journal(work, "00", 500)
    time.sleep(0.02)
    job = begun("train", "00")
    work.look(job)
    assert (job.iteration, job.speed) == (0, None)


def test_no_end_is_told_before_most_of_the_work_was_measured(work: Work) -> None:
    job = begun("train", "00", seconds=50)
    assert work.seconds_left([job], [], 50.0) is None
    journal(work, "00", 500)
    work.look(job)
    # 50 s of this one, then 100 s of the other and 12 s of figures, one after another
    assert work.seconds_left([job], [], 50.0) == pytest.approx(162, abs=2)


def test_two_side_by_side_take_half_as_long(work: Work) -> None:
    jobs = [begun("train", split, seconds=50) for split in ("00", "01")]
    for job in jobs:
        journal(work, job.training[1], 500)
        work.look(job)
    assert work.seconds_left(jobs, [], 50.0) == pytest.approx(56, abs=2)


def test_what_a_rule_took_replaces_its_weight(work: Work) -> None:
    work.ends(begun("figure", seconds=20))
    assert work.of_one("figure") == pytest.approx(20, abs=0.1)


def test_what_other_rules_took_tells_how_slow_the_machine_is(work: Work) -> None:
    assert work.of_one("judge") == SECONDS["judge"]
    work.ends(begun("figure", seconds=2 * OTHERWISE))
    assert work.of_one("judge") == pytest.approx(2 * SECONDS["judge"], rel=0.01)


def test_the_share_never_shrinks(work: Work) -> None:
    work.counts = {"figure": 3}
    work.ends(begun("figure", seconds=1))
    before = work.share([])
    work.measured["figure"] = [1.0]
    work.counts = {"figure": 30}
    assert work.share([]) == before


def test_the_weights_and_the_targets_are_rules_of_the_workflow() -> None:
    texts = [
        path.read_text()
        for path in [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*")]
        if path.suffix != ".json" and path.is_file()
    ]
    rules = dict(re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", "\n".join(texts), re.M | re.S))
    assert set(SECONDS) <= set(rules)
    assert {rule for rule, body in rules.items() if "shell:" not in body} == TARGETS


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Missing output files: a, b; Input files updated by another job: c", "not made yet"),
        ("Input files updated by another job: c", "follows from the above"),
        ("Updated input files: data/raw/order.txt", "other input"),
        (
            "Params have changed since last execution: Union of exclusive params before and now across all "
            """output: before: '{"train": {"seed": 1, "ema": 0}}' now: '{"train": {"seed": 2, "ema": 0}}' """,
            "other settings: train.seed",
        ),
        (
            "Params have changed since last execution: Union of exclusive params before and now across all "
            "output: before: 'a1b2' now: 'c3d4' ",
            "other source",
        ),
        ("Forced execution", "asked for"),
    ],
)
def test_a_reason_is_a_few_words(reason: str, words: str) -> None:
    assert reason_in_words(reason) == words


def test_a_time_is_told_as_exactly_as_one_reads_it() -> None:
    assert [spent(seconds) for seconds in (0.4, 59, 185, 6300)] == ["0 s", "59 s", "3 min 5 s", "1 h 45 min"]
