"""`snakemake --profile slurm` on a real Slurm with accounting: what it computes and says of mistakes."""

import pytest
from cluster.project import SITE, Project
from cluster.slurm import Cluster
from cluster.watching import ON_SLURM, TARGET, fact, jobs, messages, trained


def test_the_pipeline_runs_in_slurm_and_computes_what_it_computes_here(
    cluster: Cluster, computed_here: Project, project: Project
) -> None:
    project.finish(project.start(*ON_SLURM, "experiment=small/tiny"))
    records = jobs(project)
    assert {job["state"] for job in records} == {"COMPLETED"}
    trainings = [job for job in records if job["name"].startswith("train.")]
    assert sorted(job["name"] for job in trainings) == ["train.00.small.tiny", "train.01.small.tiny"]
    assert all(fact(job["id"], "TresPerJob") == "gres:gpu:1" for job in trainings)
    evaluations = [job for job in records if job["name"].startswith("evaluate.")]
    assert {job["name"] for job in evaluations} == {"evaluate.00.small.tiny", "evaluate.01.small.tiny"}
    assert not any(fact(job["id"], "TresPerJob") for job in evaluations)
    assert min(job["start"] for job in evaluations) >= min(fact(job["id"], "EndTime") for job in trainings)
    assert project.results("small/tiny") == computed_here.results("small/tiny")


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("gpu_partition: gpuu", "gpu_partition: Slurm has no partition 'gpuu' here; there are: gpu, urgent"),
        ("gpu_model: a100", "partition 'gpu' has no gpu:a100: name another as gpu_partition or gpu_model"),
        ("gpus: two", "site.yaml: gpus must be a whole number, not 'two'"),
        ("extra: --qos=long", "extra: --qos is not for `extra`: the profile sets it, from a key of its own"),
        ("patrition: gpu", "site.yaml: patrition: unknown; did you mean"),
        ("account: nobody", "account: Slurm knows no account 'nobody' of yours; there are: gan"),
    ],
)
def test_a_mistake_in_the_site_file_is_one_line_before_anything_is_submitted(
    cluster: Cluster, untrained: Project, site: str, message: str
) -> None:
    (untrained.folder / "site.yaml").write_text(site)
    ended, said = untrained.told(TARGET, *ON_SLURM, "experiment=small/long")
    assert ended != 0
    *_, last = said.splitlines()
    assert last.startswith(f"error: {message}")
    assert "usage:" not in said
    assert not jobs(untrained)


def test_a_split_that_fails_for_good_is_named_with_its_job_and_log(
    cluster: Cluster, untrained: Project
) -> None:
    scratch = untrained.folder / "scratch"
    scratch.mkdir()
    (scratch / "small").write_text("a file where a folder must be")
    (untrained.folder / "site.yaml").write_text(
        SITE.replace("train_cpus: 1", "train_cpus: 4")
    )  # this machine may have fewer
    running = untrained.start(TARGET, *ON_SLURM, "experiment=small/long", "--retries", "0")
    assert running.wait(120) != 0
    (job,) = jobs(untrained)
    assert job["state"] == "FAILED"
    assert fact(job["id"], "NumCPUs") == "4"
    assert f"Slurm job {job['id']} (train.00.small.long): FAILED" in messages(untrained)
    last_words = messages(untrained)[messages(untrained).rindex("failed") :]  # the status at the end
    assert "logs/small/long/train/00.log: " in last_words
    assert "error: scratch/small/long/00" in last_words


def test_a_dry_run_tells_what_is_asked_for_and_submits_nothing(cluster: Cluster, untrained: Project) -> None:
    ended, said = untrained.told("train", *ON_SLURM, "experiment=small/tiny", "-n")
    assert ended == 0
    said_of_training = "the default partition, 1 CPU, 1500 MB, 0:10:00 hours, 1 GPU\n    train\n"
    assert said_of_training in said
    assert not jobs(untrained)
    assert not trained(untrained)
