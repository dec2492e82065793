"""Checkpoints: everything a training has made so far, as one safetensors file, the last two kept.

The journal and the snapshots are in it, too: what lies in one file cannot contradict itself.
"""

import json
import logging
import re
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.params import dotted
from centigan.settings.training import TrainSettings
from centigan.sheets import Images
from centigan.training.averaging import Averages
from centigan.types import Family

NAME = re.compile(r"checkpoint-(\d+)\.safetensors")
DAMAGED = (SafetensorError, OSError, KeyError, TypeError, ValueError)  # what reading no whole one raises
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What a resumed run starts from."""

    iteration: int
    sums: dict[str, Tensor] = field(default_factory=dict)  # losses since the last line of the journal
    halvings: int = 0  # of the learning rates, after divergences
    journal: str = ""  # history.jsonl up to the iteration
    snapshots: dict[int, Images] = field(default_factory=dict)  # by iteration: uint8 (K, n, H, W, 3)


class Checkpoints:
    """The checkpoints of one split's training in its scratch folder."""

    def __init__(self, folder: Path, *, identity: dict[str, Any], settings: TrainSettings) -> None:
        """`identity` holds every setting that the next iteration depends on."""
        self.folder, self.identity, self.settings = folder, identity, settings
        self.iterations = settings.iterations
        self.saved = time.monotonic()
        self.last: Path | None = None  # resumed from, or saved last

    def due(self, iteration: int) -> bool:
        """Whether the state after `iteration` is to be saved."""
        late = time.monotonic() - self.saved > 60 * self.settings.checkpoint_minutes
        return late or iteration % self.settings.checkpoint_every == 0 or iteration == self.iterations

    def save(self, family: Family, averages: Averages, state: Checkpoint) -> None:
        """Write the state after an iteration; keep it and the one before it.

        Those beyond the wanted iterations stay: they are a longer training's, which may be wanted again.
        """
        tensors = family_tensors(family) | _network_tensors("averages", averages.networks)
        tensors |= _state_tensors(state)
        facts = {
            "iteration": state.iteration,
            "halvings": state.halvings,
            "iterations": self.iterations,
            "identity": self.identity,
        }
        facts["crc32"] = _crc32(tensors)
        text = json.dumps(facts, sort_keys=True, allow_nan=False)
        target = self.folder / f"checkpoint-{state.iteration:08d}.safetensors"
        with atomic_path(target) as temporary:
            # one key: safetensors does not keep the order of several
            save_file(tensors, temporary, metadata={"centigan": text})
        self.saved = time.monotonic()
        for iteration, path in self._found():
            if iteration <= self.iterations and path not in {target, self.last}:
                path.unlink()
        self.last = target

    def resume(self, family: Family, averages: Averages) -> Checkpoint:
        """Load the newest whole checkpoint into the family and its averages; iteration 0 when there is none.

        Raises:
            UserError: when an unfinished run of other settings lies in the folder.
        """
        own = []
        for iteration, path in self._found():
            try:
                facts = _facts(path)
            except DAMAGED:
                log.warning("%s is damaged; falling back to the checkpoint before it", path)
                continue
            if facts["identity"] != self.identity:
                self._refuse_or_discard(path, facts)
                return Checkpoint(0)
            if iteration <= self.iterations:
                own.append((path, facts))
        for path, facts in own:
            try:
                tensors = _whole(path, facts)
            except DAMAGED:
                log.warning("%s is damaged; falling back to the checkpoint before it", path)
                continue
            log.info("resuming after iteration %d from %s", facts["iteration"], path)
            self.last = path
            _load(family, averages, tensors)
            return _state(facts, tensors)
        return Checkpoint(0)

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
        matches = ((NAME.fullmatch(path.name), path) for path in self.folder.iterdir() if path.is_file())
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


def _state_tensors(state: Checkpoint) -> dict[str, Tensor]:
    """What a checkpoint holds beside the family: sums, journal, snapshots."""
    tensors = {f"sums/{name}": value.cpu().contiguous() for name, value in state.sums.items()}
    journal = np.frombuffer(state.journal.encode(), np.uint8)
    tensors["journal"] = torch.from_numpy(journal.copy())
    return tensors | {f"snapshots/{at}": torch.from_numpy(images) for at, images in state.snapshots.items()}


def _state(facts: dict[str, Any], tensors: dict[str, Tensor]) -> Checkpoint:
    journal = tensors["journal"].numpy().tobytes().decode()
    snapshots = {int(at): images.numpy() for at, images in _group(tensors, "snapshots").items()}
    sums = _group(tensors, "sums")
    return Checkpoint(facts["iteration"], sums, facts["halvings"], journal, snapshots)


def _load(family: Family, averages: Averages, tensors: dict[str, Tensor]) -> None:
    """Put checkpointed tensors back into networks, averages and optimisers."""
    for group, networks in (("networks", family.networks), ("averages", averages.networks)):
        for name, network in networks.items():
            network.load_state_dict(_group(tensors, f"{group}/{name}"))
    for name, optimizer in family.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for leaf, value in _group(tensors, f"optimizers/{name}").items():
            index, key = leaf.split("/")
            state.setdefault(int(index), {})[key] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        for parameter, loaded in optimizer.state.items():
            # in the parameter's memory format: fused Adam walks both as they lie in memory
            similar = {key: value for key, value in loaded.items() if value.shape == parameter.shape}
            loaded |= {key: torch.empty_like(parameter).copy_(value) for key, value in similar.items()}


def _group(tensors: dict[str, Tensor], group: str) -> dict[str, Tensor]:
    """The tensors below a name, such as "optimizers/generator"."""
    return {key[len(group) + 1 :]: value for key, value in tensors.items() if key.startswith(f"{group}/")}


def _facts(path: Path) -> dict[str, Any]:
    """Iteration, identity and checksum, from the head of a checkpoint alone."""
    with safe_open(path, framework="pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["centigan"])
    if not {"iteration", "iterations", "halvings", "identity", "crc32"} <= facts.keys():
        raise ValueError("it is of another version")
    return facts


def _whole(path: Path, facts: dict[str, Any]) -> dict[str, Tensor]:
    """All tensors of a checkpoint, checked."""
    tensors = load_file(path)
    if _crc32(tensors) != facts["crc32"] or "journal" not in tensors:
        raise ValueError("its checksum is another")
    return tensors


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
