"""Which device computes, and in which precision."""

import resource

import torch

from centigan.errors import UserError
from centigan.settings import TrainSettings


def choose_device(name: str) -> torch.device:
    """The device named, or for "auto" the first CUDA device, else the CPU.

    Raises:
        UserError: when the device is unknown or not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used: {error}; try `--device auto`") from None
    return device


def choose_precision(settings: TrainSettings, device: torch.device) -> torch.dtype:
    """The dtype of convolutions: bfloat16 where hardware multiplies it natively, else float32.

    On a CPU with AVX512-bf16, 32 px at half width, a step took 0.75 of float32's time.
    """
    if settings.precision != "auto":
        return torch.float32 if settings.precision == "float32" else torch.bfloat16
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Convolutions and matrix products in `precision` while the context lasts.

    Without its cache of cast weights: a step changes D and then asks it again, and the cache would
    answer with the weights from before.
    """
    return torch.autocast(device.type, precision, enabled=precision != torch.float32, cache_enabled=False)


def peak_memory(device: torch.device) -> dict[str, int]:
    """Greatest memory of this process so far, MiB: resident, and on a GPU allocated."""
    peak = {"resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}  # KiB on Linux
    if device.type == "cuda":
        peak["device_mib"] = torch.cuda.max_memory_allocated(device) // 2**20
    return peak
