"""What counts as made by a job that shares its Slurm job with others."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snakemake.iocontainers import Wildcards

from snakemake_executor_plugin_centigan_slurm.batch import Batch, outputs_of, sharing


def job(*outputs: str, group: str = "", split: str = "00", attempt: int = 1) -> Any:
    """A job of Snakemake, or a group of one."""
    wildcards = Wildcards(fromdict={"experiment": "digits/acgan", "metric": outputs[0], "split": split})
    member = SimpleNamespace(
        output=list(outputs), wildcards=wildcards, is_group=lambda: False, attempt=attempt
    )
    if not group:
        return member

    class Group(list[Any]):
        groupid = group

        def is_group(self) -> bool:
            return True

    found = Group([member])
    found.attempt = attempt  # type: ignore[attr-defined]
    return found


def test_an_output_of_an_earlier_run_is_told_from_one_of_this(tmp_path: Path) -> None:
    """A job that never began leaves what lay there: it must not be recorded with new settings."""
    old = tmp_path / "old"
    old.write_text("of an earlier run")
    before = outputs_of([job("old", "new")], tmp_path)
    assert outputs_of([job("old", "new")], tmp_path) == before
    old.unlink()
    old.write_text("of an earlier run")  # the same bytes, made again
    now = outputs_of([job("old", "new")], tmp_path)
    assert now[old] != before[old]
    assert now[tmp_path / "new"] is None


def test_ready_groups_of_one_split_share_a_job_and_no_others() -> None:
    a, b = job("a", group="evaluate"), job("b", group="evaluate")
    other_split, retried = job("c", group="evaluate", split="01"), job("d", group="evaluate", attempt=2)
    training, single = job("e", group="train"), job("f")
    assert sharing([a, training, b, other_split, retried, single], "train") == [
        [a, b],
        [training],
        [other_split],
        [retried],
        [single],
    ]


def test_a_job_of_several_experiments_is_named_and_told_by_all_of_them() -> None:
    def member(rule: str, **wildcards: str) -> Any:
        return SimpleNamespace(rule=SimpleNamespace(name=rule), wildcards=wildcards, params={})

    batch = Batch.__new__(Batch)
    batch.members = [member("train", experiment=f"digits/{name}", split="00") for name in ("acgan", "cgan")]
    batch.owners, batch.group = ["digits/acgan", "digits/cgan"], "train"
    assert batch.targets == {"digits/acgan": ["train/00"], "digits/cgan": ["train/00"]}
    assert batch.name == "train.00.digits.acgan+1"
    batch.members, batch.owners = [member("judge", protocol="digits")], ["digits"]
    assert (batch.targets, batch.name) == ({"digits": ["judge"]}, "judge.digits")
