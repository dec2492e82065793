"""Checkpoints: everything the next iteration needs, as one safetensors file, the last two kept."""

import json
import logging
import re
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.params import dotted
from centigan.settings.training import TrainSettings
from centigan.training.averaging import Averages
from centigan.types import Family

KEPT = 2
NAME = re.compile(r"checkpoint-(\d+)\.safetensors")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What a resumed run starts from."""

    iteration: int
    sums: dict[str, Tensor]  # losses summed since the last line of the journal
    halvings: int = 0  # of the learning rates, after divergences


class Checkpoints:
    """The checkpoints of one split's training in its scratch folder."""

    def __init__(self, folder: Path, *, identity: dict[str, Any], settings: TrainSettings) -> None:
        """`identity` holds every setting that the next iteration depends on."""
        self.folder, self.identity, self.settings = folder, identity, settings
        self.iterations = settings.iterations
        self.saved = time.monotonic()

    def due(self, iteration: int) -> bool:
        """Whether the state after `iteration` is to be saved."""
        late = time.monotonic() - self.saved > 60 * self.settings.checkpoint_minutes
        return late or iteration % self.settings.checkpoint_every == 0 or iteration == self.iterations

    def save(self, family: Family, averages: Averages, state: Checkpoint) -> None:
        """Write the state after an iteration and drop all but the last two."""
        tensors = family_tensors(family) | _network_tensors("averages", averages.networks)
        tensors |= {f"sums/{name}": value.cpu().contiguous() for name, value in state.sums.items()}
        facts = {
            "iteration": state.iteration,
            "halvings": state.halvings,
            "iterations": self.iterations,
            "identity": self.identity,
        }
        facts["crc32"] = _crc32(tensors)
        with atomic_path(self.folder / f"checkpoint-{state.iteration:08d}.safetensors") as temporary:
            # one key: safetensors does not keep the order of several
            save_file(tensors, temporary, metadata={"centigan": json.dumps(facts, sort_keys=True)})
        self.saved = time.monotonic()
        for _, path in self._found()[KEPT:]:
            path.unlink()

    def resume(self, family: Family, averages: Averages) -> Checkpoint:
        """Load the newest whole checkpoint into the family and its averages; iteration 0 when there is none.

        Raises:
            UserError: when an unfinished run of other settings lies in the folder.
        """
        for iteration, path in self._found():
            if iteration > self.iterations:
                continue
            try:
                facts, tensors = _read(path)
            except (SafetensorError, KeyError, ValueError):
                log.warning("%s is damaged; falling back to the checkpoint before it", path)
                continue
            if facts["identity"] != self.identity:
                self._refuse_or_discard(path, facts)
                return Checkpoint(0, {})
            sums = _load(family, averages, tensors)
            log.info("resuming after iteration %d from %s", iteration, path)
            return Checkpoint(iteration, sums, facts["halvings"])
        return Checkpoint(0, {})

    def _refuse_or_discard(self, path: Path, facts: dict[str, Any]) -> None:
        """A finished run may be replaced; an unfinished one is somebody's computing time."""
        changed = "; ".join(_differences(facts["identity"], self.identity))
        if facts["iteration"] < facts["iterations"]:
            raise UserError(
                f"{path} belongs to an unfinished training with other settings ({changed}). Put them "
                f"back to continue it, or remove {self.folder} to start anew"
            )
        log.info("starting anew: the finished training in %s differs (%s)", self.folder, changed)
        for _, old in self._found():
            old.unlink()

    def _found(self) -> list[tuple[int, Path]]:
        """(iteration, path) of every checkpoint, newest first."""
        if not self.folder.is_dir():
            return []
        matches = ((NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted(((int(m[1]), path) for m, path in matches if m), reverse=True)


def family_tensors(family: Family) -> dict[str, Tensor]:
    """Weights, buffers and optimiser state under flat names, on the CPU."""
    tensors = _network_tensors("networks", family.networks)
    for name, optimizer in family.optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"optimizers/{name}/{index}/{key}"] = value.detach().cpu().contiguous()
    return tensors


def _network_tensors(group: str, networks: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{group}/{name}/{key}": value.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def _load(family: Family, averages: Averages, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put checkpointed tensors back; returns the sums of losses."""
    trees: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        group, name, leaf = key.split("/", 2) if key.count("/") > 1 else ("sums", "", key[5:])
        trees.setdefault(f"{group}/{name}", {})[leaf] = value
    for group, networks in (("networks", family.networks), ("averages", averages.networks)):
        for name, network in networks.items():
            network.load_state_dict(trees[f"{group}/{name}"])
    for name, optimizer in family.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for leaf, value in trees.get(f"optimizers/{name}", {}).items():
            index, key = leaf.split("/")
            state.setdefault(int(index), {})[key] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        for parameter, loaded in optimizer.state.items():
            # in the parameter's memory format: fused Adam walks both as they lie in memory
            similar = {key: value for key, value in loaded.items() if value.shape == parameter.shape}
            loaded |= {key: torch.empty_like(parameter).copy_(value) for key, value in similar.items()}
    return trees.get("sums/", {})


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Facts and tensors of a checkpoint.

    Raises:
        SafetensorError, KeyError, ValueError: when it is not whole.
    """
    with safe_open(path, framework="pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["centigan"])
    tensors = load_file(path)
    if _crc32(tensors) != facts["crc32"]:
        raise ValueError("its checksum is another")
    return facts, tensors


def _crc32(tensors: dict[str, Tensor]) -> int:
    """Checksum of names and contents; 235 MB, a checkpoint at 128 px, take a tenth of a second."""
    total = 0
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, total)
    return total


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One phrase for every leaf that differs: "model.width was 0.5, is 1.0"."""
    before, after = dotted(old), dotted(new)
    keys = sorted(before.keys() | after.keys())
    return [f"{k} was {before.get(k)}, is {after.get(k)}" for k in keys if before.get(k) != after.get(k)]
