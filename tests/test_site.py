"""What the machine at hand has."""

from ast import literal_eval
from pathlib import Path

import pytest
from yte import process_yaml

from centigan.errors import UserError
from centigan.site import IN_JOB, check_scratch, overridden, prepare_scratch, visible_gpus

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("0,2", 2),
        ("", 0),
        ("-1", 0),
        ("GPU-8f, MIG-1", 2),
        *((word, 0) for word in ("NoDevFiles", "none", "void", "all", "GPU-", ",", " ")),
        ("0,-1,1", 1),  # up to the first that is no GPU
        ("0,1,none,2", 2),
        ("0,,1", 1),
        ("GPU-8f,x,GPU-9a", 1),
        ("2,0,2", 0),  # twice the same: none
        ("1,01", 0),
        ("GPU-8f,GPU-8f", 0),
        ("1st,2nd", 2),
    ],
)
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
        ("gpus: many", "gpus must be a whole number, not 'many'"),
        ("gpus: -1", "gpus must be a whole number, not '-1'"),
        ("gpus:", "gpus must be a whole number, not ''"),
        ("gpus: 1e1", "gpus must be a whole number, not '1e1'"),
        ("container: 1", "container must be true or false, not '1'"),
        ("account: [a]", "account must be one value, not a list or a mapping"),
        ("account: a\naccount: b", "line 2, column 1: `account` stands twice"),
        ("gpus: x\ncontainer: y", "gpus must be .*; .*container must be"),
        ("- a", "must hold settings as `key: value` lines"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_site_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        overridden(DEFAULTS, tmp_path / "site.yaml", {})


AS_WRITTEN = ["0123", "12:30", "on", "1e3", "2024-01-01", "~", "null", "1_000", "true", "4711"]


@pytest.mark.parametrize(
    "text", [*AS_WRITTEN, "", "[ -d x ] && module load x", "`which x`", "- a", "a: b # c"]
)
def test_a_text_in_the_environment_is_the_text_it_is(tmp_path: Path, text: str) -> None:
    found = overridden(DEFAULTS, tmp_path / "none.yaml", {"CENTIGAN_ACCOUNT": text})
    assert found["account"] == text


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_a_text_in_the_site_file_is_the_text_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.yaml").write_text(f"account: {text}\n")
    assert overridden(DEFAULTS, tmp_path / "site.yaml", {})["account"] == text


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("On", True), ("false", False), ("OFF", False)])
def test_a_truth_has_yaml_s_words(tmp_path: Path, text: str, value: bool) -> None:
    found = overridden(DEFAULTS, tmp_path / "none.yaml", {"CENTIGAN_CONTAINER": text})
    assert found["container"] is value


@pytest.mark.parametrize("name", ["0123", "1e3", "4711", "gpu-long", "1_0"])
def test_names_reach_slurm_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Snakemake evaluates the profile's resources as Python, where 0123 would be 123 and 1e3 1000.0."""
    for tool, answer in {"sbatch": "", "sinfo": f"{name}*|gpu:{name}:4", "sacctmgr": name}.items():
        (tmp_path / tool).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    for key in ("ACCOUNT", "QOS", "CPU_PARTITION", "GPU_PARTITION", "GPU_MODEL"):
        monkeypatch.setenv(f"CENTIGAN_{key}", name)
    profile = process_yaml((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    default, train = profile["default-resources"], profile["set-resources"]["train"]

    for key in ("slurm_account", "qos", "slurm_partition"):
        assert literal_eval(default[key]) == name
    for key in ("gpu_model", "slurm_partition"):
        assert literal_eval(train[key]) == name


def test_a_mistake_in_the_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CENTIGAN_GPUS: gpus must be a whole number"):
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
