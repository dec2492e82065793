"""Networks from codes of captions to embeddings (Reed et al., 2016; arXiv:1605.05396 and arXiv:1605.05395).

Codes are whole numbers; 0 stands for what is unknown and for what lies behind a caption's end.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

REACH = 0.08  # first weights are U(-REACH, REACH), as in the authors' code


class BagOfWords(nn.Module):
    """Codes of words (N, L), 0 left out of the mean -> (N, embedding); the order of words is lost.

    A mean and not a sum: a word then weighs the same in a long caption and every embedding has one scale.
    """

    def __init__(self, vocabulary: int, units: int, embedding: int, rng: Generator) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(vocabulary + 1, units, mode="mean", padding_idx=0)
        self.out = nn.Linear(units, embedding)
        initialise(self, rng)

    def forward(self, codes: Tensor) -> Tensor:
        """A caption of unknown words alone would have the embedding of none; callers refuse it."""
        return self.out(self.words(codes))


class CharacterCnnRnn(nn.Module):
    """Codes of characters (N, L), 1 to `alphabet` -> (N, embedding): char-CNN-RNN.

    One-hot characters, three convolutions of 4 with ReLU, pooled by 3 (the last one at stride 2), a recurrent
    layer with ReLU over the 8 places that 201 characters leave, the mean of its states, a linear layer.
    Places behind a caption's end are zeros, and count in the mean, as in the authors' code.
    """

    def __init__(
        self, alphabet: int, maps: Sequence[int], units: int, embedding: int, rng: Generator
    ) -> None:
        super().__init__()
        self.alphabet = alphabet
        first, second, third = maps
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(alphabet, first, 4), nn.ReLU(), nn.MaxPool1d(3)),
            *(nn.Conv1d(first, second, 4), nn.ReLU(), nn.MaxPool1d(3)),
            *(nn.Conv1d(second, third, 4), nn.ReLU(), nn.MaxPool1d(3, stride=2)),
        )
        self.recurrent = nn.RNN(third, units, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(units, embedding)
        initialise(self, rng)

    def one_hot(self, codes: Tensor) -> Tensor:
        """(N, L) -> (N, alphabet, L): a column of zeros where the code is 0."""
        return F.one_hot(codes, self.alphabet + 1)[..., 1:].float().transpose(1, 2)

    def states(self, codes: Tensor) -> Tensor:
        """Of the recurrent layer, at each place: (N, places, units)."""
        maps = self.convolutions(self.one_hot(codes))
        states: Tensor = self.recurrent(maps.transpose(1, 2))[0]
        return states

    def forward(self, codes: Tensor) -> Tensor:
        return self.out(self.states(codes).mean(1))


class Linear(nn.Linear):
    """Features (N, features) -> (N, embedding)."""

    def __init__(self, features: int, embedding: int, rng: Generator) -> None:
        super().__init__(features, embedding)
        initialise(self, rng)


@torch.no_grad()
def initialise(network: nn.Module, rng: Generator) -> None:
    """Every weight U(-REACH, REACH), in the order of the parameters; code 0 of words stays zero."""
    for parameter in network.parameters():
        parameter.uniform_(-REACH, REACH, generator=rng)
    for module in network.modules():
        if isinstance(module, nn.EmbeddingBag):
            module.weight[0].zero_()
