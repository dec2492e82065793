"""A trained text encoder: what it embeds, what it does not know, what it refuses."""

import logging
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from centigan.errors import UserError
from centigan.judges.images import device, exact
from centigan.text.reading import Characters, Reading

FAR = 3  # times as long as the longest training caption: no such sentence was learnt from
BATCH = 256  # captions at a time
NAMED = 10  # unknown words or characters in a warning, at most
log = logging.getLogger(__name__)


class TextEncoder(Protocol):
    """What embeds captions, whichever it is."""

    longest: int  # words or characters of the longest training caption

    def embed(self, sentences: Sequence[str], *, progress: str | None = None) -> Tensor:
        """Embeddings (N, E) float32, on the CPU; of a caption the same whatever stands beside it.

        With `progress`, a bar of that name.

        Raises:
            UserError: when a caption is empty, holds nothing that is known, or is far longer than any that
                was trained on. Where some of it is unknown, a warning names that.
        """
        ...

    def unknown(self, sentence: str) -> list[str]:
        """The words or characters of a sentence that it does not know, each once."""
        ...


class Trained:
    """A reading and its trained network: the text encoder phi."""

    def __init__(self, reading: Reading, network: nn.Module, longest: int) -> None:
        self.reading, self.longest = reading, longest
        self.network = network.eval().requires_grad_(False).to(device())

    def unknown(self, sentence: str) -> list[str]:
        """The words or characters of a sentence that it does not know, each once, in their order."""
        return unknown(self.reading, sentence)

    @torch.inference_mode()
    def embed(self, sentences: Sequence[str], *, progress: str | None = None) -> Tensor:
        """Embeddings (N, E) float32, on the CPU; (0, E) of no sentence. With `progress`, a bar of that name.

        Raises:
            UserError: for a caption that `require_readable` refuses.
        """
        require_readable(self.reading, sentences, self.longest)
        parts = []
        hidden = True if progress is None else None  # None: shown where there is a terminal
        starts = range(0, max(1, len(sentences)), BATCH)
        for start in tqdm(starts, progress, unit=f"{BATCH} captions", disable=hidden):
            codes = self.reading.codes(sentences[start : start + BATCH]).to(device())
            with exact():
                parts.append(self.network(codes).float().cpu())
        return torch.cat(parts)


def unknown(reading: Reading, sentence: str) -> list[str]:
    """What of a sentence has no code, each once, in its order."""
    return [part for part in dict.fromkeys(reading.parts(sentence)) if not reading.knows(part)]


def require_readable(reading: Reading, sentences: Sequence[str], longest: int) -> None:
    """Make sure that every caption says something that the reading knows; warn of what it does not.

    Raises:
        UserError: for the first one that is empty, unknown as a whole, or longer than FAR times `longest`.
    """
    lacking: dict[str, str] = {}  # what is unknown -> the first caption with it
    cut = 0
    for sentence in sentences:
        parts = [part for part in reading.parts(sentence) if not part.isspace()]
        if not parts:
            raise UserError(
                f"a caption is empty or without {reading.parts_are}: {sentence!r}; write a sentence"
            )
        if not any(map(reading.knows, parts)):
            raise UserError(
                f"caption {_short(sentence)}: the text encoder knows none of its {reading.parts_are}; "
                f"say it in {reading.parts_are} of the training captions"
            )
        if (length := len(reading.parts(sentence))) > FAR * longest:
            raise UserError(
                f"caption {_short(sentence)} has {length} {reading.parts_are}, and the longest training "
                f"caption {longest}: a text encoder has learnt nothing of such; shorten it"
            )
        cut += isinstance(reading, Characters) and length > reading.length
        lacking |= {part: sentence for part in unknown(reading, sentence) if part not in lacking}
    _tell(reading, lacking, cut)


def _tell(reading: Reading, lacking: dict[str, str], cut: int) -> None:
    if lacking:
        named = ", ".join(map(repr, list(lacking)[:NAMED]))
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        first = _short(next(iter(lacking.values())))
        log.warning(
            "the text encoder does not know the %s %s%s, as in %s: %s",
            *(reading.parts_are, named, more, first, reading.unknown_are),
        )
    if cut and isinstance(reading, Characters):
        log.warning("captions longer than %d characters are cut there: %d", reading.length, cut)


def _short(sentence: str, most: int = 80) -> str:
    return repr(sentence if len(sentence) <= most else sentence[: most - 3] + "...")
