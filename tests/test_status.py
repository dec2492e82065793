"""What `centigan status` tells of an experiment, from real files, held locks and a squeue that answers."""

import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from centigan import params
from centigan.catalogue import METRICS, applying, subject_of
from centigan.layout import Layout
from centigan.settings.families.acgan import AcganConfig
from centigan.status import Status, look, queue
from centigan.status.screen import as_json, as_text, progress
from centigan.status.training import Training

EXPERIMENT = {
    "data": {"classes": 6, "split_size": 2},
    "train": {"batch_size": 10, "iterations": 1000, "log_every": 100},
    "splits": {2: {"train": {"batch_size": 20, "iterations": 2000}}},
}
HEAVY = {"torch", "numpy", "pandas", "mlflow", "matplotlib", "snakemake"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one experiment, three splits, no output; and no Slurm."""
    (tmp_path / "experiments/small").mkdir(parents=True)
    (tmp_path / "experiments/small/protocol.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    (tmp_path / "params.yaml").write_text("experiment: small\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def layout(project: Path) -> Layout:
    return Layout("small", project)


@pytest.fixture
def slurm(project: Path) -> Callable[..., None]:
    """Lets squeue answer with jobs given as (id, state, comment) and more."""

    def answer(
        *jobs: tuple[int, str, str], folder: Path = project, reason: str = "None", task: str = ""
    ) -> None:
        lines = [f"{n}|{n}{task}|{word}|n1|{reason}|{comment}|{folder}" for n, word, comment in jobs]
        with (project / "queue").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
        squeue(project, f"exec /bin/cat {project}/queue")

    return answer


def squeue(project: Path, body: str) -> None:
    script = project / "bin" / "squeue"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)


def seen(layout: Layout) -> Status:
    return look(layout, params.load("small", layout.root))


def training(layout: Layout, split: str = "00") -> Training:
    return next(each for each in seen(layout).trainings if each.split == split)


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def trained(layout: Layout, split: str, iteration: int, *, speed: float = 50.0, age: float = 0.0) -> None:
    """Leave what a training leaves that reached `iteration` and saved the 100 before."""
    now = int(1000 * (time.time() - age))
    lines = [
        {"iteration": i, "timestamp": now, "images_per_second": speed} for i in range(100, iteration + 1, 100)
    ]
    write(layout.scratch(split) / "timing.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    write(layout.scratch(split) / f"checkpoint-{iteration - 200:08d}.safetensors")
    write(layout.scratch(split) / f"checkpoint-{iteration - 100:08d}.safetensors")


@contextmanager
def locked(layout: Layout, split: str, text: str = "process 7 on gpu3") -> Iterator[None]:
    write(layout.scratch(split) / "lock", text + "\n")
    with (layout.scratch(split) / "lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def logged(layout: Layout, split: str, *lines: str) -> Path:
    path = layout.root / "logs" / "small" / "train" / f"{split}.log"
    write(path, "".join(f"2026-11-22 05:12:55,849 {line}\n" for line in lines))
    return path


def test_a_stage_is_done_where_its_last_output_is(layout: Layout) -> None:
    write(layout.arrays("00") / "manifest.json")
    write(layout.arrays("01") / "images.npy")
    write(layout.metric("ms_ssim", "02"))
    write(layout.train("01") / "manifest.json")
    stages = seen(layout).stages
    assert stages["arrays"] == stages["train"] == stages["ms_ssim"] == {"done": 1, "to do": 2}
    assert stages["tables"] == {"to do": 1}
    assert stages["figure"] == {"to do": 17}


def test_every_rule_but_the_raw_data_is_a_stage(layout: Layout) -> None:
    rules = Path(__file__).parents[1] / "workflow" / "rules"
    lines = [line.split() for path in rules.glob("*.smk") for line in path.read_text().splitlines()]
    named = {words[1].rstrip(":") for words in lines if words[:1] == ["rule"]}
    stages = set(seen(layout).stages)
    assert named - {
        "raw",
        "reconstruct",
        "demonstrate",
        "study",
        "publish_study",
        "group",
        "gather",
        "text",
        "embed",
    } == stages - METRICS.keys() | {"measure"}
    of_acgan = applying(METRICS, subject_of(AcganConfig(), classes_of_a_split=2))
    assert stages & METRICS.keys() == of_acgan.keys()


def test_a_training_whose_lock_is_held_runs_at_the_speed_of_its_journal(layout: Layout) -> None:
    trained(layout, "00", 600, speed=50.0)
    with locked(layout, "00"):
        found = training(layout)
    assert (found.state, found.iteration, found.iterations, found.node) == ("running", 600, 1000, "gpu3")
    assert found.speed == 5.0  # 50 images a second in batches of 10
    assert found.job is None


def test_a_split_with_settings_of_its_own_is_measured_by_them(layout: Layout) -> None:
    trained(layout, "02", 600, speed=50.0)
    with locked(layout, "02"):
        found = training(layout, "02")
    assert (found.iterations, found.speed) == (2000, 2.5)


def test_a_torn_last_line_and_a_long_journal_change_nothing(layout: Layout) -> None:
    trained(layout, "00", 600)
    path = layout.scratch("00") / "timing.jsonl"
    path.write_text(path.read_text() * 1000 + '{"iteration": 70')
    with locked(layout, "00"):
        assert training(layout).iteration == 600


def test_a_training_that_nobody_runs_stopped_at_its_checkpoint(layout: Layout) -> None:
    trained(layout, "00", 600)
    with locked(layout, "00"):
        pass
    found = training(layout)
    assert (found.state, found.iteration, found.speed) == ("stopped", 500, None)


def test_a_training_that_starts_is_shown_beside_one_that_is_at_work(layout: Layout) -> None:
    """What it loads takes seconds, in which it holds its log and not yet its split."""
    trained(layout, "00", 300)
    trained(layout, "01", 500)  # by an earlier try
    with locked(layout, "00"), logged(layout, "01").open() as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        text = as_text(seen(layout))
    assert "2 running" in text
    assert re.search(r"^00 +running .* 300/1000 ", text, re.MULTILINE)
    assert re.search(r"^01 +running +400/1000 +40% +starting$", text, re.MULTILINE)
    assert training(layout, "01").state == "stopped"


def test_looking_writes_nothing_and_leaves_the_lock_free(layout: Layout) -> None:
    trained(layout, "00", 600)
    write(layout.scratch("01") / "lock", "process 7 on gpu3\n")
    before = sorted(layout.root.rglob("*"))
    seen(layout)
    assert sorted(layout.root.rglob("*")) == before
    with (layout.scratch("01") / "lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_log_that_ends_in_an_error_is_a_failure_and_is_shown(layout: Layout) -> None:
    trained(layout, "00", 600)
    path = logged(layout, "00", "split 00: iteration 550/1000", "error: split 00: loss is not finite")
    assert training(layout).state == "failed"
    assert f"{path}: 2026-11-22 05:12:55,849 error: split 00: loss is not finite" in as_text(seen(layout))


def test_a_trainer_that_is_alive_but_silent_is_remarked(layout: Layout) -> None:
    trained(layout, "00", 600, age=7200.0)
    with locked(layout, "00"):
        assert training(layout).note == ""  # it has only just begun
        os.utime(layout.scratch("00") / "lock", (time.time() - 7200.0,) * 2)
        assert training(layout).note == "silent for 2 h 0 min"


def test_the_whole_ends_when_the_present_speed_has_done_what_remains(layout: Layout) -> None:
    write(layout.train("00") / "manifest.json")  # 1000 of 1000
    trained(layout, "01", 500, speed=50.0)  # 500 of 1000, 5 it/s
    trained(layout, "02", 1100, speed=100.0)  # 1000 of 2000 saved
    with locked(layout, "01"):
        now = seen(layout)
    whole = progress(now.trainings)
    assert whole == {"iteration": 2500, "iterations": 4000, "speed": 5.0, "seconds_left": 300.0}
    last = as_text(now).splitlines()[-1]
    assert "62.5% of 4000 iterations, 1 running at 5.0 it/s; at this speed all end in 5 min" in last
    assert json.loads(as_json(now))["progress"] == whole


def test_slurm_tells_what_waits_runs_and_failed(layout: Layout, slurm: Callable[..., None]) -> None:
    slurm(
        (11, "RUNNING", "centigan small train/00"),
        (12, "OUT_OF_MEMORY", "centigan small train/01"),
    )
    slurm((13, "PENDING", "centigan small train/02"), reason="Priority")
    slurm((14, "RUNNING", "centigan small figure/gallery"), (15, "TIMEOUT", "centigan small judge"))
    now = seen(layout)
    found = [(each.state, each.job, each.node, each.note) for each in now.trainings]
    assert found[0] == ("running", 11, "n1", "")
    assert found[1] == ("failed", 12, "n1", "OUT_OF_MEMORY")
    assert found[2] == ("waiting", 13, "n1", "Priority")
    assert now.stages["figure"] == {"running": 1, "to do": 16}
    assert now.stages["judge"] == {"failed": 1}
    assert "failed: judge: Slurm job 15 TIMEOUT\n" in as_text(now)


def test_a_kill_for_memory_is_told_with_slurms_own_line(layout: Layout, slurm: Callable[..., None]) -> None:
    slurm((12, "OUT_OF_MEMORY", "centigan small train/01"), (13, "OUT_OF_MEMORY", "centigan small sample/00"))
    logged(layout, "01", "split 01: iteration 30/1000")
    said = "StepId=12.batch exceeded memory limit (900 > 800), being killed"
    for job in ("train.01.small.12", "evaluate.00.small.13"):
        path = layout.root / f"logs/slurm/small/{job}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"something\nslurmstepd-n1: error: {said}\nslurmstepd-n1: error: more\nKilled\n")
    text = as_text(seen(layout))
    assert f"logs/slurm/small/train.01.small.12.log: {said}\n" in text
    assert (
        f"failed: sample 00: Slurm job 13 OUT_OF_MEMORY\n  {layout.root}/logs/slurm/small/evaluate.00" in text
    )


def test_the_newest_job_counts_and_only_of_this_folder(layout: Layout, slurm: Callable[..., None]) -> None:
    slurm((9, "TIMEOUT", "centigan small train/00"), (11, "PENDING", "centigan small train/00"))
    slurm((10, "NODE_FAIL", "centigan small train/00"), (12, "PENDING", "(null)"))
    slurm((20, "RUNNING", "centigan small train/00"), folder=layout.root / "other")
    slurm((21, "RUNNING", "centigan other train/00"))
    found = training(layout)
    assert (found.state, found.job) == ("waiting", 11)


def test_a_held_lock_stands_over_what_slurm_says(layout: Layout, slurm: Callable[..., None]) -> None:
    slurm((11, "FAILED", "centigan small train/00"))
    with locked(layout, "00"):
        assert (training(layout).state, training(layout).job) == ("running", None)


def test_an_output_stands_over_what_slurm_says(layout: Layout, slurm: Callable[..., None]) -> None:
    slurm((11, "COMPLETED", "centigan small train/00"), (12, "FAILED", "centigan small sample/00"))
    write(layout.samples("00") / "manifest.json")
    assert training(layout).state == "to do"
    assert seen(layout).stages["sample"] == {"done": 1, "to do": 2}


def test_a_training_that_saved_at_its_time_limit_has_not_failed(
    layout: Layout, slurm: Callable[..., None]
) -> None:
    trained(layout, "00", 600)
    logged(
        layout, "00", "split 00: stopped by SIGTERM after iteration 600 of 1000, which is saved; run again"
    )
    slurm((11, "TIMEOUT", "centigan small train/00"))
    assert (training(layout).state, training(layout).note) == ("stopped", "TIMEOUT")


def test_a_job_of_several_splits_and_rules_is_known_by_all_of_them(
    layout: Layout, slurm: Callable[..., None]
) -> None:
    slurm((31, "RUNNING", "centigan small train/01 train/02"))
    slurm((33, "PENDING", "centigan small sample/00 measure/accuracy/00 figure/gallery"))
    with locked(layout, "00", "Slurm job 30 on gpu3"):
        now = seen(layout)
    assert [(each.state, each.job) for each in now.trainings] == [
        ("running", 30),
        ("running", 31),
        ("running", 31),
    ]
    assert now.stages["sample"] == {"waiting": 1, "to do": 2}
    assert now.stages["accuracy"] == {"waiting": 1, "to do": 2}
    assert now.stages["figure"] == {"waiting": 1, "to do": 16}


def test_jobs_of_the_protocol_and_of_several_experiments_are_told_apart(
    project: Path, slurm: Callable[..., None]
) -> None:
    for name in ("tiny", "other"):
        (project / f"experiments/small/{name}.yaml").write_text("model: {}\n")
    slurm((41, "RUNNING", "centigan small/other train/00 + small/tiny train/01 #token"))
    slurm((42, "RUNNING", "centigan small judge"))
    now = look(Layout("small/tiny", project), params.load("small/tiny", project))
    assert [each.job for each in now.trainings] == [None, 41, None]
    assert now.stages["judge"] == {"running": 1}


def test_a_squeue_that_fails_is_one_line_and_the_rest_is_told(
    layout: Layout, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (project / "logs/slurm").mkdir(parents=True)
    squeue(project, "echo 'squeue: error: Unknown host\nsqueue: fatal: No configuration' >&2; exit 1")
    with locked(layout, "00"):
        assert training(layout).state == "running"
    assert caplog.messages == ["no jobs of Slurm are shown; squeue: fatal: No configuration"]


def test_a_squeue_that_hangs_is_given_up(
    layout: Layout, project: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PATIENCE", 0.2)
    (project / "logs/slurm").mkdir(parents=True)
    squeue(project, "/bin/sleep 3")  # a child that holds the pipes, as a site's wrapper script has
    began = time.monotonic()
    seen(layout)
    assert time.monotonic() - began < 2
    assert caplog.messages == ["no jobs of Slurm are shown; squeue: no answer within 0.2 s"]


def test_a_squeue_that_fails_is_not_told_where_no_job_was_ever_submitted(
    layout: Layout, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    squeue(project, "echo 'squeue: fatal: No configuration' >&2; exit 1")
    seen(layout)
    assert caplog.messages == []


def test_without_slurm_nothing_is_said_of_it(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert "Slurm" not in as_text(seen(layout))
    assert caplog.messages == []


def test_twenty_trainings_are_listed_and_the_rest_is_counted() -> None:
    waiting = [Training(f"{number:02d}", "waiting", 0, 10) for number in range(30)]
    running = [Training(f"{number}", "running", 5, 10, speed=1.0, node="n1") for number in range(30, 32)]
    now = Status("small", {"train": Counter(running=2, waiting=30)}, [*waiting, *running], [])
    lines = as_text(now).split("\n\n")[1].splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["30", "running"],
        ["31", "running"],
        ["00", "waiting"],
    ]
    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "and 12 waiting: centigan status --all"
    assert len(as_text(now, every=True).split("\n\n")[1].splitlines()) == 1 + 32


def centigan(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = "import sys\nfrom centigan.cli import main\ntry: main()\n"
    program += f"finally: assert not {HEAVY} & set(sys.modules)"
    command = [sys.executable, "-c", program, "status", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_the_command_loads_nothing_heavy(project: Path) -> None:
    done = centigan(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "training: 0.0% of 4000 iterations, none running" in done.stdout


def test_the_command_speaks_json(project: Path) -> None:
    found = json.loads(centigan(project, "--json").stdout)
    assert found["experiment"] == "small"
    assert [each["state"] for each in found["trainings"]] == ["to do"] * 3


def test_an_unknown_experiment_is_one_line(project: Path) -> None:
    done = centigan(project, "-e", "large")
    assert done.returncode == 1
    assert done.stderr.startswith("error: experiment 'large' has no file")


def test_points_have_no_stages_of_images(project: Path) -> None:
    """Neither a judge nor features nor what only images have; what is left can be done."""
    (project / "experiments/small/protocol.yaml").write_text(
        "data: {source: ring, classes: 8, split_size: 8}\n"
    )
    stages = seen(Layout("small", project)).stages
    assert {"arrays", "train", "sample", "modes", "energy"} <= stages.keys()
    assert not {"judge", "features", "features_of_real", "latent"} & stages.keys()


@contextmanager
def begun(log: Path) -> Iterator[None]:
    """A command that has opened its log; it is killed in the end."""
    program = "import sys, time; from pathlib import Path; from centigan.cli.options import log_to\n"
    program += "log_to(Path(sys.argv[1])); print('begun', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program, log], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        yield
        process.kill()


@pytest.mark.parametrize(
    ("rule", "target", "stage"),
    [
        ("judge", "", "judge"),
        ("measure", "accuracy/01", "accuracy"),
        ("measure_real", "accuracy/01", "measure_real"),
        ("figure", "gallery", "figure"),
    ],
)
def test_a_job_of_any_rule_runs_as_long_as_its_process_lives(
    layout: Layout, rule: str, target: str, stage: str
) -> None:
    with begun(layout.log(rule, target)):
        running = seen(layout).stages[stage]["running"]
    assert running == 1
    assert "running" not in seen(layout).stages[stage]
    assert "failed" not in seen(layout).stages[stage]


def test_a_job_that_ended_in_an_error_of_two_lines_has_failed_and_is_shown(layout: Layout) -> None:
    log = layout.log("measure", "accuracy/01")
    write(
        log, "2026-11-22 05:12:55,849 10 images\n2026-11-22 05:12:56,000 error: two things:\n  one\n  two\n"
    )
    now = seen(layout)
    assert now.stages["accuracy"] == {"failed": 1, "to do": 2}
    assert f"failed: measure accuracy/01\n  {log}: error: two things: one two\n" in as_text(now)
    write(layout.metric("accuracy", "01"))
    assert seen(layout).stages["accuracy"] == {"done": 1, "to do": 2}


def test_a_stage_whose_newer_try_failed_is_not_done_by_the_older_result(layout: Layout) -> None:
    output, log = layout.metric("accuracy", "01"), layout.log("measure", "accuracy/01")
    write(output)
    write(log, "2026-11-22 05:12:56,000 error: no room\n")
    os.utime(output, (1e9, 1e9))
    assert seen(layout).stages["accuracy"] == {"failed": 1, "to do": 2}
    os.utime(log, (1e9 - 1, 1e9 - 1))  # of a try before
    assert seen(layout).stages["accuracy"] == {"done": 1, "to do": 2}
