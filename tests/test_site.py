"""What the machine at hand has."""

from pathlib import Path

import pytest

from centigan.site import visible_gpus


@pytest.mark.parametrize(("value", "count"), [("0,2", 2), ("", 0), ("-1", 0), ("GPU-8f, MIG-1", 2)])
def test_the_environment_may_hide_gpus(value: str, count: int, tmp_path: Path) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": value}, tmp_path) == count


def test_gpus_are_counted_by_their_device_files(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert visible_gpus({}, tmp_path) == 2
