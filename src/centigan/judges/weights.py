"""Weights that come from elsewhere: finding the file, and putting it into a network.

A file is read as tensors alone: a pickle that holds anything else is refused, not run.
"""

import hashlib
import pickle
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from centigan.errors import UserError
from centigan.judges.images import device
from centigan.weights import NoDownload, download, in_cache


def find_weights(given: str | None, url: str, *, wanted_by: str) -> Path:
    """The file of weights: the given one, else the one in torch's cache, else downloaded into it.

    Args:
        given: a file, or None.
        url: where the file is published; its name ends in the first digits of its sha256.
        wanted_by: the setting behind the wish, such as "judge.name: inception-v3".

    Raises:
        UserError: when there is none, with the file's name and the places where it may lie.
    """
    cached = in_cache(url)
    path = Path(given) if given is not None else cached
    try:
        if given is None and not cached.is_file():
            download(url, cached)
        if path.is_file():
            return path
        reason = "there is no such file"
    except NoDownload as error:
        reason = f"the download failed ({error})"
    key, section = wanted_by.split(":")[0], wanted_by.split(".")[0]
    raise UserError(
        f"{wanted_by} needs its weights {path}, and {reason}. Fetch {url} where there is a network, then "
        f"put it at {cached} (TORCH_HOME moves that folder) or name it in {section}.weights; or choose "
        f"{key}: efficientnet-lite0, which needs no download"
    )


def fill(network: nn.Module, path: Path, *, what: str, url: str) -> None:
    """Give a network, built on the meta device, the weights of a state_dict file.

    Raises:
        UserError: when the file holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state, assign=True)
    # torch's unpickler meets arbitrary bytes with any of these.
    except (
        pickle.UnpicklingError,
        RuntimeError,
        TypeError,
        LookupError,
        EOFError,
        ValueError,
        AttributeError,
    ) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(f"{path} is not the state_dict of {what} ({reason}); fetch {url} again") from error


def digest(tensors: dict[str, Tensor]) -> str:
    """Hex sha256 of weights that a judge learnt."""
    return hashlib.sha256(save(tensors)).hexdigest()


def frozen(trunk: nn.Sequential) -> nn.Sequential:
    """A trunk as it computes fastest: no gradients, on the device, channels last in memory."""
    return trunk.eval().requires_grad_(False).to(device()).to(memory_format=torch.channels_last)


def fold(owner: nn.Module, convolution: str, norm: str) -> None:
    """Fold a batch norm into the convolution before it: the same function, fewer passes."""
    setattr(owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm)))
    setattr(owner, norm, nn.Identity())
