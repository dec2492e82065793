"""The chain behind a training that starts from another one, from records written by hand."""

from pathlib import Path

import pytest

from centigan.freshness.records import save
from centigan.layout import Layout
from centigan.provenance import describe
from centigan.provenance.chain import chain, raw_inputs

ARRAYS, GAN = "results/digits/arrays/00/SHA256SUMS", "results/digits/gan/train/00/SHA256SUMS"
FROZEN, SAMPLES = (f"results/digits/frozen/{of}/00/SHA256SUMS" for of in ("train", "samples"))
OTHER = "results/digits/gan/samples/00/SHA256SUMS"  # of the gan, which nothing here is made from
MADE_FROM = {
    ARRAYS: ["data/raw/manifest.json"],
    GAN: [ARRAYS],
    FROZEN: [ARRAYS, GAN],
    SAMPLES: [FROZEN],
    OTHER: [GAN],
}
LOGS = {
    ARRAYS: "logs/digits/arrays/00.log",
    GAN: "logs/digits/gan/train/00.log",
    FROZEN: "logs/digits/frozen/train/00.log",
    SAMPLES: "logs/digits/frozen/sample/00.log",
    OTHER: "logs/digits/gan/sample/00.log",
}


def write_records(experiment: str, *outputs: str) -> None:
    known = {}
    for output in outputs:
        record = {
            "rule": Path(LOGS[output]).parent.name,
            "log": [LOGS[output]],
            "params": [],
            "input_checksums": {path: f"sha256:{path}" for path in MADE_FROM[output]},
        }
        known[output] = (output, record)
    save(Layout(experiment), known)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_records("digits", ARRAYS)
    write_records("digits/frozen", FROZEN, SAMPLES)


def test_the_chain_goes_on_to_the_training_of_the_networks_that_one_begins_with() -> None:
    write_records("digits/gan", GAN, OTHER)
    jobs = chain(Layout("digits/frozen"), Path(SAMPLES))
    assert [job.name for job in jobs] == ["arrays/00", "digits/gan/train/00", "train/00", "sample/00"]
    assert list(raw_inputs(jobs)) == ["data/raw/manifest.json"]
    told = describe(Layout("digits/frozen"), Path(SAMPLES), "data/raw")
    assert told.index("train: digits/gan/train/00\n") < told.index("train: train/00\n")


def test_where_that_training_has_no_records_here_its_networks_are_what_was_read() -> None:
    jobs = chain(Layout("digits/frozen"), Path(SAMPLES))
    assert [job.name for job in jobs] == ["arrays/00", "train/00", "sample/00"]
    assert list(raw_inputs(jobs)) == ["data/raw/manifest.json", GAN]
