"""What clusters do to a run: whatever it is, the training ends with the bytes of one that nobody disturbed.

Each fault happens once under each command that may tell how jobs are. `pytest -s` prints how long it took to
be noticed.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster.project import SITE, Project
from cluster.slurm import Cluster, of_job, out
from cluster.watching import ON_SLURM, TARGET, fact, in_the_middle, jobs, messages, trained, until

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def nodes_in_service(cluster: Cluster) -> Iterator[None]:
    """A failed test leaves no drained node."""
    yield
    subprocess.run(
        ["scontrol", "update", "nodename=n[1-2]", "state=resume"], check=False, capture_output=True
    )


def hurry(job: str, seconds: float = 60) -> None:
    """Slurm lets a requeued job wait for two minutes; a test need not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and fact(job, "JobState") not in ("CANCELLED", "TIMEOUT", "OUT_OF_MEMORY"):
        if fact(job, "JobState") == "PENDING" and fact(job, "Reason") == "BeginTime":
            # once: slurmctld 22.05 died of a second time while the job began
            subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], check=True)
            return
        time.sleep(0.2)


def cancel(cluster: Cluster, project: Project) -> str:
    job = in_the_middle(project)
    subprocess.run(["scancel", job], check=True)
    return "CANCELLED, somebody, or Slurm, cancelled it; tried again"


def preempt(cluster: Cluster, project: Project) -> str:
    """Somebody more important takes all GPUs for a few seconds."""
    job = in_the_middle(project)
    command = ["sbatch", "-p", "urgent", "-N2", "--gpus-per-node=4", "--wrap", "sleep 5", "-o", "/dev/null"]
    subprocess.run([*command, "--chdir", "/"], check=True)
    hurry(job)
    return ""


def lose_the_node(cluster: Cluster, project: Project) -> str:
    job = in_the_middle(project)
    node = out("squeue", "-h", "-j", job, "-o", "%N").strip()
    cluster.kill_node(node)
    cluster.wait_for_nodes("down", count=1)
    hurry(job)
    while fact(job, "JobState") != "RUNNING" or fact(job, "NodeList") == node:
        time.sleep(0.2)  # slurmctld 22.05 dies when the job gets the lost node again at once
    cluster.start_node(node)
    return ""


def requeue(cluster: Cluster, project: Project) -> str:
    job = in_the_middle(project)
    subprocess.run(["scontrol", "requeue", job], check=True)
    hurry(job)
    return ""


def hang(cluster: Cluster, project: Project, more: int = 200) -> str:
    """The trainer stands still, as on a stuck file system, until its minute is over."""
    job = in_the_middle(project, more)
    subprocess.run(["scontrol", "update", f"JobId={job}", "TimeLimit=1"], check=True)
    for pid in of_job(job):
        if b"centigan\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGSTOP)
    until(lambda: fact(job, "JobState") == "TIMEOUT", 200, project)
    return "TIMEOUT, it did not end within the 10 minutes that it asked for; tried again"


def three_timeouts(cluster: Cluster, project: Project) -> str:
    """Each try stands still; the fourth comes to its end."""
    for _ in range(3):
        hang(cluster, project, more=30)
    return "TIMEOUT, it did not end within the 30 minutes that it asked for; tried again"


def memory(cluster: Cluster, project: Project) -> str:
    """The job uses more memory than the site gives trainings; the second try asks for twice as much."""
    until(lambda: any(job["state"] in ("OUT_OF_MEMORY", "FAILED") for job in jobs(project)), 60, project)
    return "OUT_OF_MEMORY, it used more than the 450 MB that it asked for; tried again, with more memory"


def hold(cluster: Cluster, project: Project) -> str:
    """An administrator holds a job that waits."""
    until(lambda: [job for job in jobs(project) if job["state"] == "PENDING"], 60, project)
    (job,) = jobs(project)
    subprocess.run(["scontrol", "hold", job["id"]], check=True)
    nodes("resume")
    return "Slurm lets jobs wait for JobHeldAdmin"


def drain(cluster: Cluster, project: Project) -> str:
    """All nodes are drained before the job can start."""
    until(lambda: [job for job in jobs(project) if job["state"] == "PENDING"], 60, project)
    return "Slurm lets jobs wait for "


def without_controller(cluster: Cluster, project: Project) -> str:
    in_the_middle(project)
    cluster.stop_controller()
    return "Slurm does not say how its jobs are (squeue: "


def without_accounting(cluster: Cluster, project: Project) -> str:
    in_the_middle(project)
    cluster.stop_accounting()
    return "Slurm does not say how its jobs are (sacct: "


def nodes(state: str) -> None:
    """Let both nodes take jobs, or none."""
    subprocess.run(["scontrol", "update", "nodename=n[1-2]", f"state={state}", "reason=test"], check=True)


def end_of(fault: Callable[..., str], cluster: Cluster, project: Project) -> None:
    """Take back what does not end by itself, after the minute of an outage."""
    if fault is hold:
        subprocess.run(["scontrol", "release", jobs(project)[0]["id"]], check=True)
    if fault is drain:
        nodes("resume")
    if fault in (without_controller, without_accounting):
        time.sleep(60)
        cluster.start_controller() if fault is without_controller else cluster.accounting.start_daemon()


FAULTS = [cancel, hang, three_timeouts, memory, requeue, preempt, lose_the_node, hold, drain]
FAULTS += [without_controller, without_accounting]
NOT_SEEN = {  # sacct tells no reasons; what does not answer is not asked
    ("sacct", hold),
    ("sacct", drain),
    ("sacct", without_controller),
    ("squeue", without_accounting),
}


@pytest.mark.parametrize("command", ["squeue", "sacct"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_training_survives(
    fault: Callable[..., str], command: str, cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    site = SITE.replace("train_mem_mb: 1500", "train_mem_mb: 450") if fault is memory else SITE
    (untrained.folder / "site.yaml").write_text(f"{site}status_command: {command}\n")
    if fault in (hold, drain):
        nodes("drain")
    running = untrained.start(TARGET, *ON_SLURM, "experiment=small/long")
    said = fault(cluster, untrained)
    if said and (command, fault) not in NOT_SEEN:
        seconds = until(lambda: said in messages(untrained), 60, untrained)
        print(f"\n{fault.__name__}, {command}: noticed after {seconds:.1f} s")
    end_of(fault, cluster, untrained)
    untrained.finish(running, 400)
    if fault not in (hold, drain, memory, without_controller, without_accounting):
        assert "resuming after iteration" in (untrained.folder / "logs/small/long/train/00.log").read_text()
    if fault is hang:
        assert fact(jobs(untrained)[-1]["id"], "TimeLimit") == "00:20:00"  # twice the first
    assert trained(untrained) == trained(trained_here)


def test_ctrl_c_answers_at_once_cancels_its_jobs_and_the_next_run_goes_on(
    cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    running = untrained.start(TARGET, *ON_SLURM, "experiment=small/long")
    job = in_the_middle(untrained)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    assert running.wait(30) != 0
    print(f"\nCtrl-C: ended after {time.monotonic() - begun:.1f} s")
    assert f"Cancelling 1 Slurm jobs: {job}. Trainings save before they end." in messages(untrained)
    until(lambda: fact(job, "JobState") == "CANCELLED", 60, untrained)
    untrained.finish(untrained.start(TARGET, *ON_SLURM, "experiment=small/long"))
    assert "resuming after iteration" in (untrained.folder / "logs/small/long/train/00.log").read_text()
    assert trained(untrained) == trained(trained_here)


def test_a_submission_waits_for_a_controller_that_is_away(
    cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    (untrained.folder / "site.yaml").write_text(SITE + "gpus: 0\n")
    nodes("drain")  # the arrays wait, so that the controller goes away between two submissions
    running = untrained.start(
        "results/small/tiny/train/00/manifest.json", "-R", "arrays", *ON_SLURM, "experiment=small/tiny"
    )
    until(lambda: jobs(untrained), 60, untrained)
    nodes("resume")
    until(lambda: jobs(untrained)[0]["state"] == "COMPLETED", 60, untrained)
    cluster.stop_controller()
    try:
        until(
            lambda: "Tried again every" in messages(untrained) or "does not say" in messages(untrained),
            60,
            untrained,
        )
        time.sleep(20)
    finally:
        cluster.start_controller()
    untrained.finish(running)
    assert trained(untrained, "small/tiny") == trained(trained_here, "small/tiny")


def test_a_second_snakemake_waits_for_the_training_that_the_first_one_left(
    cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    first = untrained.start(TARGET, *ON_SLURM, "experiment=small/long")
    job = in_the_middle(untrained)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    untrained.finish(untrained.start("--unlock", "--config", "experiment=small/long"))
    untrained.finish(untrained.start(TARGET, *ON_SLURM, "experiment=small/long"))
    old, new = jobs(untrained)
    assert (old["id"], old["state"], new["state"]) == (job, "COMPLETED", "COMPLETED")
    log = (untrained.folder / "logs/small/long/train/00.log").read_text()
    assert f"split 00 is being trained by Slurm job {job} on" in log
    assert f"scancel {job}" in log
    assert trained(untrained) == trained(trained_here)


def test_trainings_share_one_gpu_of_the_cluster(
    cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    seen = "prelude: echo $CUDA_VISIBLE_DEVICES >> gpus.txt\n"
    (untrained.folder / "site.yaml").write_text(SITE + "splits_per_gpu: 2\n" + seen)
    targets = [f"results/small/tiny/train/{split}/manifest.json" for split in ("00", "01")]
    untrained.finish(untrained.start(*targets, *ON_SLURM, "experiment=small/tiny"))
    (job,) = jobs(untrained)
    assert (job["name"], fact(job["id"], "NumCPUs")) == ("train.00+1.small.tiny", "2")
    assert fact(job["id"], "TresPerJob") == "gres:gpu:1"
    assert (untrained.folder / "gpus.txt").read_text().split() == ["0"]
    for split in ("00", "01"):
        assert trained(untrained, "small/tiny", split) == trained(trained_here, "small/tiny", split)


def test_a_node_that_sees_another_scratch_folder_trains_nothing(cluster: Cluster, untrained: Project) -> None:
    (untrained.folder / "site.yaml").write_text(SITE + "extra: --nodelist=n2\n")
    scratch = untrained.folder / "scratch"
    scratch.mkdir()
    cluster.stop_node("n2")
    cluster.start_node("n2", hidden=scratch)
    try:
        running = untrained.start(TARGET, *ON_SLURM, "experiment=small/long", "--retries", "0")
        assert running.wait(120) != 0
    finally:
        cluster.stop_node("n2")
        cluster.start_node("n2")
    assert "does not see the scratch/ of the node that submitted this job" in messages(untrained)
    assert not (scratch / "small").exists()


def test_a_full_disk_is_named_and_freed_lets_the_training_go_on(
    cluster: Cluster, trained_here: Project, untrained: Project
) -> None:
    scratch = untrained.folder / "scratch"
    scratch.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", scratch], check=True)
    try:
        running = untrained.start(TARGET, *ON_SLURM, "experiment=small/long", "--retries", "0")
        assert running.wait(120) != 0
        last_words = messages(untrained)[messages(untrained).rindex("failed") :]
        assert "No space left on device" in last_words
        assert "scratch/small/long/00/" in last_words
        subprocess.run(["mount", "-o", "remount,size=100m", scratch], check=True)
        untrained.finish(untrained.start(TARGET, *ON_SLURM, "experiment=small/long"))
    finally:
        untrained.stop()
        subprocess.run(["umount", "--lazy", scratch], check=True)
    assert trained(untrained) == trained(trained_here)
