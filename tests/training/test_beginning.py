"""Which networks a training begins with: those of its own split, all of them, as their digests say."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import sha256
from centigan.settings.stages import TrainStage
from centigan.training.beginning import networks_begun_with

DECODER = {"family": "wgan_gp", "width": 0.05, "latent": 4}
MODEL = {"family": "frozen_decoder", "starts_from": "small/gan", "decoder": DECODER}
STAGE = TrainStage.model_validate(TRAIN.model_dump() | {"model": MODEL})
FAMILY = SimpleNamespace(started={"generator": None, "critic": None})  # one that begins with two
CHILD = "small/frozen"


def parent(root: Path, split: str, model: dict[str, object] = DECODER) -> Path:
    """The folder of a split's training, with two networks, their digests and their manifest."""
    folder = Layout("small/gan", root, "small").train(split)
    folder.mkdir(parents=True)
    for name in FAMILY.started:
        (folder / f"{name}.safetensors").write_text(f"{name} of {split}")
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines))
    (folder / "manifest.json").write_text(json.dumps({"settings": {"model": model}}))
    return folder


def test_a_split_begins_with_the_networks_of_that_split(tmp_path: Path) -> None:
    folders = {split: parent(tmp_path, split) for split in ("00", "01")}
    for split, folder in folders.items():
        found = networks_begun_with(FAMILY, Layout(CHILD, tmp_path, "small"), split, STAGE)  # type: ignore[arg-type]
        assert found == [folder / "generator.safetensors", folder / "critic.safetensors"]


@pytest.mark.parametrize("network", FAMILY.started)
def test_a_damaged_network_is_named_whichever_it_is(tmp_path: Path, network: str) -> None:
    (parent(tmp_path, "00") / f"{network}.safetensors").write_text("other bytes")
    with pytest.raises(UserError, match=rf"small/gan/train/00/{network}.safetensors is not what SHA256SUMS"):
        networks_begun_with(FAMILY, Layout(CHILD, tmp_path, "small"), "00", STAGE)  # type: ignore[arg-type]


def test_networks_of_an_outdated_model_are_named(tmp_path: Path) -> None:
    parent(tmp_path, "00", DECODER | {"latent": 5})
    with pytest.raises(UserError, match=r"small/gan/train/00 was trained with another model than small/gan"):
        networks_begun_with(FAMILY, Layout(CHILD, tmp_path, "small"), "00", STAGE)  # type: ignore[arg-type]
