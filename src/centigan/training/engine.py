"""How a step is computed: on which device, in which precision and layout, compiled or not.

`auto` is what was fastest in benchmarks/numerics.py, on a CPU and on an H100 (docs/training.md).
"""

import os
import resource
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from centigan.errors import UserError
from centigan.nets.blocks import NoiseAndDropout
from centigan.settings.training import TrainSettings
from centigan.training.cuda_graph import RecordedStep, Step
from centigan.types import Batch, Family


def choose_device(name: str, split: str = "0") -> torch.device:
    """The device named; "auto": of the CUDA devices that of the split's number, else the CPU.

    Raises:
        UserError: when the device is unknown or not there.
    """
    if name == "auto":
        count = torch.cuda.device_count()
        return torch.device("cuda", int(split) % count) if count else torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} cannot be used: {error}; try `--device auto`") from None
    return device


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Convolutions and matrix products in `precision` while the context lasts; losses stay float32.

    Without its cache of cast weights: a step changes D and then asks it again, and the cache would
    answer with the weights from before.
    """
    return torch.autocast(device.type, precision, enabled=precision != torch.float32, cache_enabled=False)


@dataclass(frozen=True)
class Engine:
    """The choices for one training, made: each changes the last bits of the result."""

    device: torch.device
    precision: torch.dtype
    channels_last: bool  # activations (N, H, W, C) in memory
    compile: str  # mode of torch.compile, "graph" of the whole step, or "none"
    tf32: bool  # products of float32 with 10 bits of mantissa
    deterministic: bool  # algorithms whose sums have one order

    @classmethod
    def choose(cls, settings: TrainSettings, device: torch.device) -> "Engine":
        """What the settings say, and for `auto` the fastest that was measured.

        Raises:
            UserError: for a CUDA graph without a GPU.
        """
        gpu, precision = device.type == "cuda", choose_precision(settings, device)
        layout = not gpu or precision == torch.bfloat16
        auto = {"channels_last": layout, "tf32": settings.precision == "auto"}
        chosen = {name: getattr(settings, name) for name in auto}
        chosen = {name: auto[name] if value == "auto" else value for name, value in chosen.items()}
        if settings.compile == "graph" and not gpu:
            raise UserError(
                f"train.compile: graph needs a GPU, not {device.type}; `auto` takes it where there is one"
            )
        return cls(
            device=device,
            precision=precision,
            channels_last=chosen["channels_last"],
            compile=("graph" if gpu else "none") if settings.compile == "auto" else settings.compile,
            tf32=gpu and chosen["tf32"],
            deterministic=settings.deterministic,
        )

    def prepare(self, family: Family, cache: Path) -> None:
        """Put the networks on the device, and compile them with `cache` as the place of compiled code."""
        if torch.are_deterministic_algorithms_enabled() != self.deterministic:
            torch.use_deterministic_algorithms(self.deterministic)  # seconds: imports the compiler
        if self.device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what determinism needs of cuBLAS
            torch.backends.cudnn.benchmark = not self.deterministic
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = self.tf32
            # a recorded step needs steps counted there, and Adamax rounds otherwise where they are not
            for group in (g for each in family.optimizers.values() for g in each.param_groups):
                group["capturable"] = True
        for network in family.networks.values():
            network.to(self.device).to(memory_format=self._memory_format)
            if self.compile not in ("none", "graph"):
                self._compile(network, cache)

    def _compile(self, network: nn.Module, cache: Path) -> None:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache.resolve()))
        for layer in network.modules():
            if isinstance(layer, NoiseAndDropout) and self.device.type == "cpu":
                # the compiler's own random numbers made a step on a CPU 2.3 times as long
                layer.forward = torch.compiler.disable(layer.forward)  # type: ignore[method-assign]
        network.compile(mode=self.compile)

    def laid_out(self, batch: Batch) -> Batch:
        """The batch with its images in the memory format of the networks."""
        if batch.images.ndim == 2:  # points
            return batch
        images = batch.images.contiguous(memory_format=self._memory_format)
        return batch._replace(images=images, labelled=batch.labelled and self.laid_out(batch.labelled))

    def stepper(self, family: Family) -> Step:
        """The family's step as this engine runs it: batch and generator -> losses, in tensors of its own."""

        def step(batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
            with self.running():
                return family.step(batch, rng)

        return RecordedStep(step) if self.compile == "graph" else step

    def running(self) -> AbstractContextManager[object]:
        """The context of one step."""
        if self.compile == "reduce-overhead":  # CUDA graphs: results of the step before may be overwritten
            torch.compiler.cudagraph_mark_step_begin()
        return autocast(self.device, self.precision)

    def describe(self) -> dict[str, str | bool]:
        """The choices as JSON, without the number of the device."""
        return asdict(self) | {"device": self.device.type, "precision": str(self.precision)}

    @property
    def _memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


def choose_precision(settings: TrainSettings, device: torch.device) -> torch.dtype:
    """The dtype of convolutions: bfloat16 where hardware multiplies it natively, else float32."""
    if settings.precision != "auto":
        return torch.float32 if settings.precision == "float32" else torch.bfloat16
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def peak_memory(device: torch.device) -> dict[str, int]:
    """Greatest memory of this process so far, MiB: resident, and on a GPU allocated."""
    peak = {"resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}  # KiB on Linux
    if device.type == "cuda":
        peak["device_mib"] = torch.cuda.max_memory_allocated(device) // 2**20
    return peak
