"""`snakemake --profile slurm` on a real Slurm with accounting: the whole pipeline, and what clusters do to it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cluster.project import SITE, Project
from cluster.slurm import Cluster, of_job, out

TARGET = "results/long/train/00/manifest.json"
ON_SLURM = ("--profile", "slurm", "--latency-wait", "10", "--config")


def jobs(project: Project) -> list[dict[str, str]]:
    """Slurm's own records of the project's jobs."""
    fields = {"id": "%A", "state": "%T", "name": "%j", "start": "%S", "folder": "%Z"}
    lines = out("squeue", "-h", "--states=all", "--format", "|".join(fields.values())).splitlines()
    found = [dict(zip(fields, line.split("|"), strict=True)) for line in lines]
    return [job for job in found if Path(job["folder"]) == project.folder]


def fact(job: str, name: str) -> str:
    """One field of Slurm's full record of a job; empty where it has none."""
    words = out("scontrol", "show", "job", job).split()
    return next((word.partition("=")[2] for word in words if word.startswith(f"{name}=")), "")


def trained(project: Project, experiment: str = "long", split: str = "00") -> dict[str, bytes]:
    """What the training of a split wrote."""
    return {k: v for k, v in project.results(experiment).items() if k.startswith(f"train/{split}/")}


def in_the_middle(project: Project, iteration: int = 200, seconds: float = 120) -> str:
    """Wait until the training in Slurm is past an iteration; its job id."""
    timing = project.folder / "scratch/long/00/timing.jsonl"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lines = timing.read_text().splitlines() if timing.exists() else []
        if len(lines) > 1 and json.loads(lines[-2])["iteration"] >= iteration:
            (running,) = [job["id"] for job in jobs(project) if job["state"] == "RUNNING"]
            return running
        time.sleep(0.1)
    raise TimeoutError((project.folder / "run.log").read_text()[-3000:])


def test_the_pipeline_runs_in_slurm_and_computes_what_it_computes_here(
    cluster: Cluster, computed_here: Project, project: Project
) -> None:
    project.finish(project.start(*ON_SLURM, "experiment=tiny"))
    records = jobs(project)
    assert {job["state"] for job in records} == {"COMPLETED"}
    trainings = [job for job in records if job["name"].startswith("train.")]
    assert [job["name"] for job in trainings] == ["train.00.tiny", "train.01.tiny"]
    assert all(fact(job["id"], "TresPerJob") == "gres:gpu:1" for job in trainings)
    evaluations = [job for job in records if job["name"].startswith("evaluate.")]
    assert {job["name"] for job in evaluations} == {"evaluate.00.tiny", "evaluate.01.tiny"}
    assert not any(fact(job["id"], "TresPerJob") for job in evaluations)
    assert min(job["start"] for job in evaluations) >= min(fact(job["id"], "EndTime") for job in trainings)
    assert project.results("tiny") == computed_here.results("tiny")


def hurry(job: str, seconds: float = 60) -> None:
    """Slurm lets a requeued job wait for two minutes; a test need not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and fact(job, "JobState") != "CANCELLED":
        if fact(job, "JobState") == "PENDING" and fact(job, "Reason") == "BeginTime":
            # once: slurmctld 22.05 died of a second time while the job began
            subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], check=True)
            return
        time.sleep(0.2)


def cancel(cluster: Cluster, job: str) -> None:
    subprocess.run(["scancel", job], check=True)


def preempt(cluster: Cluster, job: str) -> None:
    """Somebody more important takes all GPUs for a few seconds."""
    command = ["sbatch", "-p", "urgent", "-N2", "--gpus-per-node=4", "--wrap", "sleep 5", "-o", "/dev/null"]
    subprocess.run([*command, "--chdir", "/"], check=True)


def lose_the_node(cluster: Cluster, job: str) -> None:
    node = out("squeue", "-h", "-j", job, "-o", "%N").strip()
    cluster.kill_node(node)
    cluster.wait_for_nodes("down", count=1)
    hurry(job)
    while fact(job, "JobState") != "RUNNING" or fact(job, "NodeList") == node:
        time.sleep(0.2)  # slurmctld 22.05 dies when the job gets the lost node again at once
    cluster.start_node(node)


def requeue(cluster: Cluster, job: str) -> None:
    subprocess.run(["scontrol", "requeue", job], check=True)


def hang(cluster: Cluster, job: str) -> None:
    """The trainer stands still, as on a stuck file system, until its minute is over."""
    subprocess.run(["scontrol", "update", f"JobId={job}", "TimeLimit=1"], check=True)
    for pid in of_job(job):
        if b"centigan\0train" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGSTOP)
    while fact(job, "JobState") != "TIMEOUT":
        time.sleep(0.2)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [hang, cancel, requeue, preempt, lose_the_node])
def test_a_training_survives(
    fault: object, cluster: Cluster, computed_here: Project, untrained: Project
) -> None:
    running = untrained.start(TARGET, *ON_SLURM, "experiment=long")
    job = in_the_middle(untrained)
    fault(cluster, job)
    hurry(job)
    messages = untrained.finish(running)
    assert len(jobs(untrained)) > 1 or int(fact(job, "Restarts")) > 0, messages[-3000:]
    log = (untrained.folder / "logs/long/train/00.log").read_text()
    assert "resuming after iteration" in log
    assert trained(untrained) == trained(computed_here)
    if fault is hang:
        assert fact(max(job["id"] for job in jobs(untrained)), "TimeLimit") == "00:20:00"  # twice the first


@pytest.mark.faults
def test_a_second_snakemake_waits_for_the_training_that_the_first_one_left(
    cluster: Cluster, computed_here: Project, untrained: Project
) -> None:
    first = untrained.start(TARGET, *ON_SLURM, "experiment=long")
    job = in_the_middle(untrained)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    untrained.finish(untrained.start("--unlock", "--config", "experiment=long"))
    untrained.finish(untrained.start(TARGET, *ON_SLURM, "experiment=long"))
    old, new = sorted(jobs(untrained), key=lambda record: int(record["id"]))
    assert (old["id"], old["state"], new["state"]) == (job, "COMPLETED", "COMPLETED")
    log = (untrained.folder / "logs/long/train/00.log").read_text()
    assert f"split 00 is being trained by Slurm job {job} on" in log
    assert f"scancel {job}" in log
    assert trained(untrained) == trained(computed_here)


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("gpu_partition: gpuu", "gpu_partition: Slurm has no partition 'gpuu' here; there are: gpu, urgent"),
        ("gpu_model: a100", "partition 'gpu' has no gpu:a100: name another as gpu_partition or gpu_model"),
        ("gpus: two", "site.yaml: gpus must be a whole number, not 'two'"),
        ("extra: --qos=long", "extra: --qos is not for `extra`: the profile sets it, from a key of its own"),
        ("patrition: gpu", "site.yaml: patrition: unknown; did you mean"),
    ],
)
def test_a_mistake_in_the_site_file_stops_before_anything_is_submitted(
    cluster: Cluster, untrained: Project, site: str, message: str
) -> None:
    (untrained.folder / "site.yaml").write_text(site)
    running = untrained.start(TARGET, *ON_SLURM, "experiment=long")
    assert running.wait(60) != 0
    assert message in (untrained.folder / "run.log").read_text()
    assert not jobs(untrained)


@pytest.mark.faults
def test_trainings_share_one_gpu_of_the_cluster(
    cluster: Cluster, computed_here: Project, untrained: Project
) -> None:
    seen = "prelude: echo $CUDA_VISIBLE_DEVICES >> gpus.txt\n"
    (untrained.folder / "site.yaml").write_text(SITE + "splits_per_gpu: 2\n" + seen)
    targets = [f"results/tiny/train/{split}/manifest.json" for split in ("00", "01")]
    untrained.finish(untrained.start(*targets, *ON_SLURM, "experiment=tiny"))
    (job,) = jobs(untrained)
    assert fact(job["id"], "TresPerNode") == "gres:gpu:1"
    assert (untrained.folder / "gpus.txt").read_text().split() == ["0", "0"]
    for split in ("00", "01"):
        assert trained(untrained, "tiny", split) == trained(computed_here, "tiny", split)


@pytest.mark.faults
def test_a_node_that_sees_another_scratch_folder_trains_nothing(cluster: Cluster, untrained: Project) -> None:
    (untrained.folder / "site.yaml").write_text(SITE + "extra: --nodelist=n2\n")
    scratch = untrained.folder / "scratch"
    scratch.mkdir()
    cluster.stop_node("n2")
    cluster.start_node("n2", hidden=scratch)
    try:
        running = untrained.start(TARGET, *ON_SLURM, "experiment=long", "--retries", "0")
        assert running.wait(120) != 0
    finally:
        cluster.stop_node("n2")
        cluster.start_node("n2")
    messages = (untrained.folder / "run.log").read_text()
    assert "does not see the scratch/ of the node that submitted this job" in messages
    assert not (scratch / "long").exists()


@pytest.mark.faults
def test_a_full_disk_is_named_and_freed_lets_the_training_go_on(
    cluster: Cluster, computed_here: Project, untrained: Project
) -> None:
    scratch = untrained.folder / "scratch"
    scratch.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", scratch], check=True)
    try:
        running = untrained.start(TARGET, *ON_SLURM, "experiment=long", "--retries", "0")
        assert running.wait(120) != 0
        messages = (untrained.folder / "run.log").read_text()
        last_words = messages[messages.rindex("failed") :]
        assert "No space left on device" in last_words
        assert "scratch/long/00/" in last_words
        subprocess.run(["mount", "-o", "remount,size=100m", scratch], check=True)
        untrained.finish(untrained.start(TARGET, *ON_SLURM, "experiment=long"))
    finally:
        untrained.stop()
        subprocess.run(["umount", "--lazy", scratch], check=True)
    assert trained(untrained) == trained(computed_here)


def test_a_split_that_fails_for_good_is_named_with_its_job_and_log(
    cluster: Cluster, untrained: Project
) -> None:
    (untrained.folder / "results/long/arrays/00/labels.npy").write_bytes(b"damaged")
    running = untrained.start(TARGET, *ON_SLURM, "experiment=long", "--retries", "0")
    assert running.wait(120) != 0
    (job,) = jobs(untrained)
    messages = (untrained.folder / "run.log").read_text()
    assert job["state"] == "FAILED"
    assert f"external_jobid: {job['id']}" in messages
    last_words = messages[messages.rindex("failed") :]  # the status at the end
    assert "logs/long/train/00.log: " in last_words
    assert "labels.npy is damaged" in last_words
