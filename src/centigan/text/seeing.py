"""The image encoder theta, which a text encoder is learnt with, and what either is computed by."""

from typing import Any

import torch
from torch import Generator, Tensor, nn

from centigan.judges.images import device, exact
from centigan.judges.small_cnn import build
from centigan.nets.captions import Linear

BATCH = 256  # images at a time


class SmallCnn(nn.Module):
    """uint8 images (N, side, side, 3) -> (N, embedding): the judge's convnet, its outputs an embedding."""

    def __init__(self, side: int, embedding: int, rng: Generator) -> None:
        super().__init__()
        self.layers = build(embedding, side, rng)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images.permute(0, 3, 1, 2).float() / 255)


def image_encoder(images: Tensor, embedding: int, rng: Generator) -> nn.Module:
    """One for what stands for images: uint8 (N, side, side, 3), or features (N, F)."""
    if images.ndim == 2:
        return Linear(images.shape[1], embedding, rng)
    return SmallCnn(images.shape[1], embedding, rng)


@torch.inference_mode()
def embeddings_of(images: Tensor, seen_by: nn.Module) -> Tensor:
    """Of images, (N, E) float32, on the CPU."""
    seen_by.eval().to(device())
    with exact():
        parts = [seen_by(images[at : at + BATCH].to(device())).cpu() for at in range(0, len(images), BATCH)]
    return torch.cat(parts)


def computed_by() -> dict[str, Any]:
    """For a manifest: what the last bits of weights and embeddings depend on, since sums have an order."""
    place = device()
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
    return {"threads": torch.get_num_threads(), "device": name}
