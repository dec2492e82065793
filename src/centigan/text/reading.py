"""How a caption is read: into words, or into characters, and these into the codes that a network takes."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, Self

import torch
from torch import Generator, Tensor, nn

from centigan.nets.captions import BagOfWords, CharacterCnnRnn
from centigan.settings.text import TextSettings

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # letters and digits; it's is one word, grey-green are two
# The 70 characters of the authors' code, in which "-" stands twice: the first of the two is never set.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "


class Reading(Protocol):
    """From sentences to codes, and the network that takes them; it knows nothing of images."""

    parts_are: str  # "words", say, for messages
    unknown_are: str  # what becomes of unknown ones, likewise

    @classmethod
    def of(cls, sentences: Iterable[str], settings: TextSettings) -> Self:
        """Made for the sentences that are trained on."""
        ...

    @classmethod
    def load(cls, vocabulary: list[str], settings: TextSettings) -> Self:
        """The one that had this vocabulary."""
        ...

    @property
    def vocabulary(self) -> list[str]:
        """What it knows, in the order of the codes, from 1; empty: it knows everything."""
        ...

    def network(self, settings: TextSettings, rng: Generator) -> nn.Module:
        """Codes -> embeddings (N, E), with first weights of `rng`."""
        ...

    def parts(self, sentence: str) -> list[str]:
        """The words or characters of a sentence, in order."""
        ...

    def knows(self, part: str) -> bool:
        """Whether a part has a code."""
        ...

    def codes(self, sentences: Sequence[str]) -> Tensor:
        """What the network takes, a row a sentence."""
        ...


def plain(sentence: str) -> str:
    """In lower case, its words one space apart."""
    return " ".join(sentence.lower().split())


class Words:
    """Reading of `bow`: the words of the training captions, sorted."""

    parts_are = "words"
    unknown_are = "they are passed over"

    def __init__(self, vocabulary: list[str]) -> None:
        self.vocabulary = vocabulary
        self._code_of = {word: code for code, word in enumerate(vocabulary, 1)}

    @classmethod
    def of(cls, sentences: Iterable[str], settings: TextSettings) -> Self:
        return cls(sorted({word for sentence in sentences for word in WORD.findall(plain(sentence))}))

    @classmethod
    def load(cls, vocabulary: list[str], settings: TextSettings) -> Self:
        return cls(vocabulary)

    def network(self, settings: TextSettings, rng: Generator) -> BagOfWords:
        return BagOfWords(len(self.vocabulary), settings.words, settings.embedding, rng)

    def parts(self, sentence: str) -> list[str]:
        return WORD.findall(plain(sentence))

    def knows(self, part: str) -> bool:
        return part in self._code_of

    def codes(self, sentences: Sequence[str]) -> Tensor:
        """int64 (N, words of the longest, 1 at least); unknown words are left out, 0 fills the rows up."""
        known = [[self._code_of[word] for word in self.parts(each) if self.knows(word)] for each in sentences]
        return _filled(known, max(1, *map(len, known)) if known else 1)


class Characters:
    """Reading of `char`: the first characters of a caption in lower case; an unknown one is all zeros."""

    parts_are = "characters"
    unknown_are = "a gap stands in their place"

    def __init__(self, alphabet: str, length: int) -> None:
        self.vocabulary = list(alphabet)
        self.length = length
        self._code_of = {character: code for code, character in enumerate(alphabet, 1)}

    @classmethod
    def of(cls, sentences: Iterable[str], settings: TextSettings) -> Self:
        return cls(ALPHABET, settings.char_length)

    @classmethod
    def load(cls, vocabulary: list[str], settings: TextSettings) -> Self:
        return cls("".join(vocabulary), settings.char_length)

    def network(self, settings: TextSettings, rng: Generator) -> CharacterCnnRnn:
        maps, units = settings.char_maps, settings.char_units
        return CharacterCnnRnn(len(self.vocabulary), maps, units, settings.embedding, rng)

    def parts(self, sentence: str) -> list[str]:
        return list(plain(sentence))

    def knows(self, part: str) -> bool:
        return part in self._code_of

    def codes(self, sentences: Sequence[str]) -> Tensor:
        """int64 (N, length): what lies behind it is cut, 0 stands for the unknown and behind the end."""
        cut = [plain(sentence)[: self.length] for sentence in sentences]
        return _filled([[self._code_of.get(part, 0) for part in sentence] for sentence in cut], self.length)


def _filled(rows: list[list[int]], length: int) -> Tensor:
    filled = torch.zeros(len(rows), length, dtype=torch.int64)
    for row, codes in zip(filled, rows, strict=True):
        row[: len(codes)] = torch.tensor(codes, dtype=torch.int64)
    return filled
