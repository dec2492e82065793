"""What a training leaves: its networks, journal and snapshots, and where they come from."""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from centigan.atomic import atomic_path, write_text
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.settings.stages import TrainStage
from centigan.sheets import Images
from centigan.training.engine import Engine
from centigan.types import Family

log = logging.getLogger(__name__)


def export(
    family: Family,
    layout: Layout,
    split: str,
    stage: TrainStage,
    beginning: list[Path],
    classes: list[str],
    pixels: dict[str, int],
    engine: Engine,
    history: str,
    snapshots: dict[int, Images],
) -> None:
    """Write the declared outputs; the manifest comes last."""
    folder = layout.train(split)
    save_networks(family, folder)
    write_text(folder / "history.jsonl", history)
    images = torch.from_numpy(np.stack(list(snapshots.values())))
    with atomic_path(folder / "snapshots.safetensors") as temporary:
        save_file({"images": images, "iterations": torch.tensor(list(snapshots))}, temporary)
    inputs = [*(layout.arrays(split) / f"{name}.npy" for name in ("images", "labels")), *beginning]
    how = {"seed": stage.train.seed, "engine": engine.describe()}
    how["threads"] = torch.get_num_threads()  # sums in another order: other last bits
    gpu = engine.device.type == "cuda"
    how["device"] = torch.cuda.get_device_name(engine.device) if gpu else "cpu"
    networks = [f"{name}.safetensors" for name in family.networks]
    outputs = [*networks, "history.jsonl", "snapshots.safetensors"]
    of_points = images.ndim == 4  # (T, G, n, d)
    facts: dict[str, object] = {"classes": classes}
    facts |= {"dimensions": images.shape[-1]} if of_points else {"resolution": images.shape[-2]}
    facts |= pixels
    write_manifest(folder, describe(stage, inputs=inputs, **how), facts=facts, of=outputs)
    log.info("split %s: trained %d iterations", split, stage.train.iterations)


def save_networks(family: Family, folder: Path) -> None:
    """Each network's weights and buffers as folder/<network>.safetensors."""
    for name, network in family.networks.items():
        tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
        with atomic_path(folder / f"{name}.safetensors") as temporary:
            save_file(tensors, temporary)
