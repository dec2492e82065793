"""Results on their way to a remote and back, and from scratch to the same bytes."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from mlflow_server import free_port
from staleness.project import BIN, RAW, RESULTS, Project

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server that speaks S3 on this machine, with an empty bucket `results`."""
    for key in KEYS:
        monkeypatch.setenv(key, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    address = f"http://127.0.0.1:{free_port()}"
    command = [BIN / "moto_server", "-H", "127.0.0.1", "-p", address.rpartition(":")[2]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            patient = Config(retries={"total_max_attempts": 30, "mode": "standard"}, connect_timeout=1)
            client = boto3.client("s3", endpoint_url=address, config=patient)
            client.create_bucket(Bucket="results")
            client.close()
            yield address
        finally:
            server.terminate()


def files(project: Project, folder: str) -> dict[str, bytes]:
    root = project.folder / folder
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_results_go_to_s3_and_come_back(s3: str, computed: Project, tmp_path: Path) -> None:
    here = computed.copy(tmp_path / "here")
    here.run("dvc", "remote", "add", "--default", "--force", "cloud", "s3://results/mine")
    here.run("dvc", "remote", "modify", "cloud", "endpointurl", s3)
    here.run("git", "commit", "--quiet", "--all", "-m", "Name a remote")
    here.run("dvc", "push", "--quiet")
    there = here.clone(tmp_path / "there")
    assert files(there, RESULTS) == files(here, RESULTS)
    assert "Nothing to be done" in there.run("snakemake", "reporting")
    assert "in sync" in there.run("dvc", "status", "--cloud")


def test_a_reader_pulls_the_page_without_arrays_or_networks(computed: Project, tmp_path: Path) -> None:
    computed.run("git", "clone", "--quiet", str(computed.folder), str(tmp_path / "reader"))
    reader = Project(tmp_path / "reader")
    reader.run("dvc", "pull", "--quiet", "report", "publish")  # as `make pull`
    for folder in ("report", "figures", "tables"):
        assert files(reader, f"{RESULTS}/{folder}") == files(computed, f"{RESULTS}/{folder}")
    assert not (reader.folder / RESULTS / "train").exists()
    assert "Nothing to be done" in reader.run("snakemake")
    reader.run("dvc", "pull", "--quiet")  # the rest comes later, with what is known of it
    shutil.copytree(computed.folder / RAW, reader.folder / RAW)
    assert "Nothing to be done" in reader.run("snakemake", "reporting")
    reader.change("pairs: 2", "pairs: 1")
    asked = f"{RESULTS}/metrics/ms_ssim/00.parquet"
    assert "measure/ms_ssim/00" in reader.jobs_of("snakemake", asked)


@pytest.mark.faults
def test_from_scratch_every_output_has_the_same_bytes(computed: Project, tmp_path: Path) -> None:
    again = Project.begin(tmp_path / "again")
    again.commit("Begin")
    again.run("snakemake", "reporting")
    of_a_store = {"mlflow.json", "records/publish.json"}
    expected = {name: text for name, text in files(computed, RESULTS).items() if name not in of_a_store}
    assert files(again, RESULTS) == expected
