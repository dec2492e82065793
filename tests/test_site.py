"""What the machine at hand has."""

from pathlib import Path

import pytest

from centigan.errors import UserError
from centigan.site import IN_JOB, check_scratch, overridden, prepare_scratch, visible_gpus


@pytest.mark.parametrize(("value", "count"), [("0,2", 2), ("", 0), ("-1", 0), ("GPU-8f, MIG-1", 2)])
def test_the_environment_may_hide_gpus(value: str, count: int, tmp_path: Path) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": value}, tmp_path) == count


def test_gpus_are_counted_by_their_device_files(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert visible_gpus({}, tmp_path) == 2


DEFAULTS = {"gpu_partition": "", "gpus": 1, "container": False, "account": ""}


def test_the_environment_stands_over_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("gpus: 2\ngpu_partition: volta\naccount: 4711\n")
    found = overridden(DEFAULTS, tmp_path / "site.yaml", {"CENTIGAN_GPUS": "4", "CENTIGAN_CONTAINER": "true"})
    assert found == {"gpu_partition": "volta", "gpus": 4, "container": True, "account": "4711"}
    assert overridden(DEFAULTS, tmp_path / "none.yaml", {}) == DEFAULTS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu_partiton: a", "gpu_partiton: unknown; did you mean `gpu_partition`"),
        ("gpus: many", "gpus must be of type int, not 'many'"),
        ("- a", "must hold settings as `key: value` lines"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_site_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        overridden(DEFAULTS, tmp_path / "site.yaml", {})


def test_a_mistake_in_the_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CENTIGAN_GPUS: gpus must be of type int"):
        overridden(DEFAULTS, tmp_path / "none.yaml", {"CENTIGAN_GPUS": "two"})


def test_scratch_is_a_link_to_the_folder_that_the_site_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAST", str(tmp_path / "fast"))
    scratch = tmp_path / "scratch"
    for _ in range(2):
        prepare_scratch("$FAST/centigan", scratch)
    assert scratch.readlink() == tmp_path / "fast" / "centigan"
    check_scratch(scratch, {IN_JOB: "1"})


def test_a_scratch_folder_that_is_there_is_not_exchanged(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    prepare_scratch("", scratch)
    check_scratch(scratch, {IN_JOB: "1"})
    with pytest.raises(UserError, match=r"move what it holds there and remove .*scratch/"):
        prepare_scratch(str(tmp_path / "fast"), scratch)
    assert not scratch.is_symlink()


def test_a_node_with_another_scratch_folder_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"does not see the .*scratch/ of the node that submitted this job"):
        check_scratch(tmp_path / "scratch", {IN_JOB: "1"})
    check_scratch(tmp_path / "scratch", {})  # a training by hand makes its own
