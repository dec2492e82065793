"""Trained encoders as files: safetensors, and JSON beside them."""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn

from centigan.atomic import atomic_path, write_text
from centigan.errors import UserError
from centigan.manifest import FACTS, read_facts, read_manifest
from centigan.settings.text import TextSettings
from centigan.text.encoder import TextEncoder, Trained
from centigan.text.reading import Characters, Reading, Words
from centigan.text.seeing import image_encoder
from centigan.text.sentence import Published

READINGS: dict[str, type[Words] | type[Characters] | type[Published]] = {
    "bow": Words,
    "char": Characters,
    "sentence": Published,
}
WEIGHTS = ("text.safetensors", "image.safetensors")  # of phi, of theta
FILES = (*WEIGHTS, "vocabulary.json", "retrieval.json")


def write_encoders(
    out: Path, read_by: nn.Module, seen_by: nn.Module, reading: Reading, found: dict[str, Any]
) -> None:
    """Write FILES, each atomically: phi and theta, what phi knows, what `retrieval` found."""
    for file, network in zip(WEIGHTS, (read_by, seen_by), strict=True):
        state = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
        with atomic_path(out / file) as temporary:
            save_file(state, temporary)
    write_text(out / "vocabulary.json", json.dumps(reading.vocabulary, ensure_ascii=False) + "\n")
    write_text(out / "retrieval.json", json.dumps(found, indent=2, allow_nan=False) + "\n")


def load_text_encoder(folder: Path) -> TextEncoder:
    """The text encoder that `fit_text_encoder` wrote.

    Raises:
        UserError: when the folder holds none, or its files do not belong together.
    """
    facts, settings = facts_of(folder), settings_of(folder)
    vocabulary = _vocabulary(folder / "vocabulary.json")
    reading = READINGS[facts.encoder].load(vocabulary, settings)
    network = reading.network(settings, Generator())
    _fill(network, folder / WEIGHTS[0])
    return Trained(reading, network, facts.longest)


def load_image_encoder(folder: Path) -> nn.Module:
    """The image encoder that it was learnt with: what the arrays hold, or features (N, F), -> (N, E).

    Raises:
        UserError: as of `load_text_encoder`.
    """
    like = torch.empty(0, *facts_of(folder).images)
    network = image_encoder(like, settings_of(folder).embedding, Generator())
    _fill(network, folder / WEIGHTS[1])
    return network.eval().requires_grad_(False)


class EncoderFacts(BaseModel):
    """What facts.json says of encoders, as far as they are built by it."""

    model_config = ConfigDict(strict=True)

    encoder: Literal["bow", "char", "sentence"]
    longest: int  # words or characters of the longest training caption
    images: list[int] = Field(min_length=1, max_length=3)  # shape of what stands for an image


def facts_of(folder: Path) -> EncoderFacts:
    """What is to be known of encoders.

    Raises:
        UserError: when the folder holds none, or its facts are damaged.
    """
    if not (folder / FACTS).exists():
        raise UserError(f"{folder / FACTS}: no text encoder lies there; make it first")
    try:
        return EncoderFacts.model_validate(read_facts(folder))
    except ValidationError as error:
        raise _lacking(folder / FACTS, error) from None


def settings_of(folder: Path) -> TextSettings:
    """The settings that encoders were learnt under.

    Raises:
        UserError: when manifest.json is missing or damaged.
    """
    try:
        return TextSettings.model_validate(read_manifest(folder).get("settings"))
    except ValidationError as error:
        raise _lacking(folder / "manifest.json", error) from None


def _lacking(file: Path, error: ValidationError) -> UserError:
    wrong = sorted({str(one["loc"][0]) if one["loc"] else "settings" for one in error.errors()})
    return UserError(
        f"{file} is damaged (no text encoder is built by its {', '.join(wrong)}); delete the folder and run "
        "again"
    )


def _vocabulary(file: Path) -> list[str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}); delete it and run again") from None
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise UserError(f"{file} is damaged (it holds no list of texts); delete it and run again")
    return found


def _fill(network: nn.Module, file: Path) -> None:
    """Give a network its weights, of exactly its names and shapes."""
    try:
        state: dict[str, Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file} is damaged ({error}); delete it and run again") from None
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if wrong := sorted(name for name in {*expected, *state} if _shape(state, name) != expected.get(name)):
        raise UserError(
            f"{file}: {', '.join(wrong)}: not of the names and shapes that the settings and the vocabulary "
            "beside it ask for; delete the folder and run again"
        )
    network.load_state_dict(state)


def _shape(state: dict[str, Tensor], name: str) -> torch.Size | None:
    return state[name].shape if name in state else None
