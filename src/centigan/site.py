"""What the machine at hand has; standard library only, since the Snakefile imports this."""

import os
from collections.abc import Mapping
from pathlib import Path


def visible_gpus(environment: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> int:
    """How many NVIDIA GPUs this machine lets us use, told without loading torch."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(list(devices.glob("nvidia[0-9]*")))
    return len([name for name in visible.split(",") if name.strip() not in {"", "-1"}])
