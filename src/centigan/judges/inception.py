"""Inception v3 (Szegedy et al., 2015; arXiv:1512.00567), the paper's judge, with torchvision's weights.

Images are resized to 299 x 299, without a crop, and scaled to [-1, 1]: what torchvision's
normalisation followed by its `transform_input` amounts to. Outputs stand in sorted-synset order.
"""

import pickle
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models import Inception3, Inception_V3_Weights, inception_v3

from centigan.errors import UserError
from centigan.judges.imagenet import require_imagenet
from centigan.judges.images import Examples, Images, device, in_batches
from centigan.settings import JudgeSettings

SIDE = 299
BATCH = 32
URL = Inception_V3_Weights.IMAGENET1K_V1.url


class InceptionV3:
    """The judge `inception-v3`: classes must be ImageNet's 1000, in sorted order."""

    name = "inception-v3"
    learns = False

    def __init__(self, classes: tuple[str, ...], weights: str | None) -> None:
        require_imagenet(self.name, classes)
        self.classes = classes
        self.network = read_network(find_weights(weights))

    @classmethod
    def fit(cls, examples: Examples, settings: JudgeSettings) -> "InceptionV3":
        """The judge as it comes: nothing is learnt from the examples."""
        return cls(examples.classes, settings.weights)

    @classmethod
    def load(
        cls, classes: tuple[str, ...], tensors: dict[str, Tensor], settings: JudgeSettings
    ) -> "InceptionV3":
        """The judge as it comes: `tensors` is empty."""
        return cls(classes, settings.weights)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: the weights are torchvision's."""
        return {}

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, H, W, 3) of any size -> (N, 1000), rows sum to 1."""
        return in_batches(images, self._answer, side=SIDE, size=BATCH)

    def _answer(self, x: Tensor) -> Tensor:
        return self.network(x / 127.5 - 1).softmax(1)


def find_weights(given: str | None, url: str = URL) -> Path:
    """The file of weights: the given one, else the one in torch's cache, else downloaded into it.

    Raises:
        UserError: when there is none, with the file's name and the places where it may lie.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    path = Path(given) if given is not None else cached
    try:
        if given is None and not cached.is_file():
            cached.parent.mkdir(parents=True, exist_ok=True)
            digest = cached.stem.rsplit("-", 1)[-1]
            torch.hub.download_url_to_file(url, str(cached), digest, progress=False)
        if path.is_file():
            return path
        reason = "there is no such file"
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's word for a wrong checksum
        reason = f"the download failed ({error})"
    raise UserError(
        f"judge.name: inception-v3 needs its weights {path}, and {reason}. Fetch {url} where there is "
        f"a network, then put it at {cached} (TORCH_HOME moves that folder) or name it in "
        "judge.weights; or choose judge.name: efficientnet-lite0, which needs no download"
    )


def read_network(path: Path) -> Inception3:
    """Inception v3 with the weights of a state_dict file; never unpickles anything but tensors.

    Raises:
        UserError: when the file holds something else.
    """
    network = inception_v3(weights=None, aux_logits=True, transform_input=False, init_weights=False)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    # torch's unpickler meets arbitrary bytes with any of these.
    except (pickle.UnpicklingError, RuntimeError, TypeError, LookupError, EOFError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(
            f"{path} is not the state_dict of torchvision's inception_v3 ({reason}); fetch {URL} again"
        ) from error
    network.eval().requires_grad_(False)
    return network.to(device(), memory_format=torch.channels_last)
