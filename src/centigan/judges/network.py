"""Networks that turn images into features; they know nothing of an experiment's classes.

Each is a trunk of convolutions whose last maps are averaged over positions, and a linear head on that
average. Resizing takes 4 % of the processor's time (benchmarks/features.py) and shares its cores with the
trunk: in a thread beside it, both became slower (91 % of the trunk's rate, not 95 %).
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from centigan.judges.images import Images, device, exact
from centigan.judges.resizing import RESIZINGS

GPU_BATCH = 256  # not measured; a GPU idles on what suits a processor's cache


@dataclass(frozen=True)
class Network:
    """Images of any size -> features, and logits of whatever classes the network was trained on."""

    name: str
    side: int  # of its input, in pixels
    width: int  # numbers in a feature
    batch: int  # images at a time on a CPU
    weights_sha256: str
    trunk: nn.Sequential  # (N, 3, side, side) in its own range -> maps (N, width, h, w)
    scale_: Callable[[Tensor], Tensor]  # 0..255 -> the range that the trunk was trained on, in place
    head: nn.Module  # float32 features (N, width), on the CPU -> logits
    resizing: str = "bilinear"
    dtype: torch.dtype = torch.float32  # of the trunk
    exact: tuple[int, int] = (0, 0)  # first and last layers of the trunk that are float32 in any precision

    @property
    def precision(self) -> str:
        """Name of the trunk's type, such as "float32"."""
        return str(self.dtype).removeprefix("torch.")

    def features(self, images: Images, *, progress: str | None = None) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) -> (N, width); with `progress`, a bar of that name."""
        size = self.batch if device().type == "cpu" else GPU_BATCH
        parts = [torch.empty(0, self.width)]
        hidden = True if progress is None else None  # None: shown where there is a terminal
        with tqdm(total=len(images), desc=progress, unit="image", disable=hidden) as bar:
            for start in range(0, len(images), size):
                parts.append(self.pooled(self.prepare(images[start : start + size])))
                parts[-2] = parts[-2].cpu()  # one behind: a GPU computes while the next batch is read
                bar.update(len(parts[-1]))
        return torch.cat([*parts[:-1], parts[-1].cpu()]).numpy()

    @torch.inference_mode()
    def pooled(self, x: Tensor) -> Tensor:
        """What `prepare` made -> float32 features (n, width), on the device."""
        with exact():
            maps: Tensor = self.trunk(x)
        return maps.mean((2, 3))

    def logits(self, features: NDArray[np.float32], head: nn.Module | None = None) -> NDArray[np.float32]:
        """Features (N, width) -> what `head`, by default the network's own, says of them: (N, C)."""
        linear = self.head if head is None else head
        with torch.inference_mode():
            return linear(torch.from_numpy(np.require(features, requirements="W"))).numpy()

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) -> softmax of the network's own logits, (N, C)."""
        logits = torch.from_numpy(self.logits(self.features(images)))
        return logits.softmax(1).numpy()

    def in_precision(self, dtype: torch.dtype) -> "Network":
        """The same network with its trunk in another type, apart from the layers that stay exact."""
        if dtype == self.dtype:
            return self
        first, last = self.exact
        layers = copy.deepcopy(self.trunk)
        end = len(layers) - last
        middle = (Cast(dtype), layers[first:end].to(dtype), Cast(torch.float32))
        return replace(self, trunk=nn.Sequential(layers[:first], *middle, layers[end:]), dtype=dtype)

    @torch.inference_mode()
    def prepare(self, images: Images) -> Tensor:
        """uint8 (n, H, W, 3) -> what the trunk takes."""
        place = device()
        x = torch.from_numpy(np.array(images))
        if place.type == "cuda":
            x = x.pin_memory().to(place, non_blocking=True)  # bytes: a quarter of the floats
        x = RESIZINGS[self.resizing](x.permute(0, 3, 1, 2).float(), self.side)
        return self.scale_(x).contiguous(memory_format=torch.channels_last)


class Cast(nn.Module):
    """What follows computes in another type."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers, rounded to the type."""
        return x.to(self.dtype)


def positions(classes: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Where classes (C,) stand among those that a network knows."""
    place = {class_id: position for position, class_id in enumerate(known)}
    return np.array([place[class_id] for class_id in classes], np.int64)
