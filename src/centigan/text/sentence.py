"""A published sentence encoder of the Hugging Face Hub, below a linear layer that is learnt (optional extra).

Its weights are read as safetensors alone, at the commit that the settings name, and no code of the model's
repository is run. It cuts captions where it was trained to, at 256 pieces of words.
Reimers & Gurevych (2019), arXiv:1908.10084.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Self

import torch
from torch import Generator, Tensor

from centigan.errors import UserError
from centigan.nets.captions import Linear
from centigan.settings.text import TextSettings


class Published:
    """Reading of `sentence`: what the published network makes of a caption, float32 (N, F), for codes."""

    parts_are = "words"
    unknown_are = "there are none"
    vocabulary: list[str] = []  # noqa: RUF012  it knows pieces of words, and so every word

    def __init__(self, model: str, revision: str) -> None:
        self.model, self.revision = model, revision

    @classmethod
    def of(cls, sentences: Iterable[str], settings: TextSettings) -> Self:
        return cls(settings.sentence_model, settings.sentence_revision)

    @classmethod
    def load(cls, vocabulary: list[str], settings: TextSettings) -> Self:
        return cls(settings.sentence_model, settings.sentence_revision)

    def network(self, settings: TextSettings, rng: Generator) -> Linear:
        return Linear(self.codes(["a"]).shape[1], settings.embedding, rng)

    def parts(self, sentence: str) -> list[str]:
        return sentence.split()

    def knows(self, part: str) -> bool:
        return True

    def codes(self, sentences: Sequence[str]) -> Tensor:
        if not sentences:
            return self.codes(["a"])[:0]
        return torch.from_numpy(self.published.encode(list(sentences), show_progress_bar=False)).float()

    @cached_property
    def published(self) -> Any:
        """The network, from the Hub's cache or downloaded into it.

        Raises:
            UserError: when the extra is not installed, or the model cannot be had.
        """
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise UserError(
                "text.encoder: sentence needs the package sentence-transformers: pip install "
                "'centigan[sentence]'; or choose text.encoder: bow"
            ) from None
        try:
            return SentenceTransformer(
                self.model,
                revision=self.revision,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError) as error:  # no network, no such model, no safetensors
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"text.sentence_model: {self.model} at {self.revision} cannot be had ({reason}). It is "
                "downloaded once from the Hugging Face Hub: run where there is a network (HF_HOME moves its "
                "cache), name a folder that holds it, or choose text.encoder: bow"
            ) from error
