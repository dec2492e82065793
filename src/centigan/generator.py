"""A trained generator to sample from: it knows its classes, and asks for none of the pipeline's files."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.classes import Class, integer, position_of
from centigan.errors import UserError
from centigan.seeds import counter_seed
from centigan.sheets import Images
from centigan.types import UNLABELLED, Family, Given, Latent, ReadsCaptions, parts_of, to_file

CHUNK = 250  # images a forward pass


class TrainedGenerator:
    """The generator of one split.

    Attributes:
        classes: the split's classes in order of their positions, each with `id`, `words` and `split`; of a
            family that draws without classes one, called "all".
    """

    def __init__(
        self,
        family: Family,
        classes: Sequence[Class],
        *,
        elsewhere: Sequence[Class] = (),
        text: ReadsCaptions | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """`elsewhere`: classes of other splits, to tell where a class is that this one does not have;
        `text`: the text encoder of a family that draws by captions.

        Raises:
            UserError: for a family without a latent space.
        """
        if not isinstance(family, Latent):
            raise UserError(f"split {classes[0].split}: its model has no latent space to draw from")
        self.classes = tuple(classes)
        self._family: Latent = family
        self._elsewhere, self._text = tuple(elsewhere), text
        self._device = torch.device(device)

    def __repr__(self) -> str:
        names = ", ".join(each.id for each in self.classes)
        return f"TrainedGenerator(split {self.classes[0].split}: {names})"

    def sample(
        self, classes: Iterable[int | str] | int | str, *, seed: int = 0
    ) -> NDArray[np.uint8 | np.float32]:
        """Draw an image of each class that is named, in that order.

        The z of image n follows from `seed` and n alone: the same call gives the same images, a longer one
        begins with them (within a level of 255, since sums are rounded otherwise in a larger batch), and two
        classes have the same z at the same place.

        Args:
            classes: names, ids or positions within the split, such as ["goldfish", "n01440764", 0]; a class
                may stand several times.
            seed: any integer, a NumPy one too.

        Returns:
            uint8 (N, R, R, 3), RGB in 0..255, N the number of classes named; of a model of points float32
            (N, d).

        Raises:
            UserError: for a class that the split does not have, a name that several have, or a seed that is
                no integer.
        """
        positions = [position_of(each, self.classes, self._elsewhere) for each in _each(classes)]
        return self._drawn(Given(torch.tensor(positions, dtype=torch.int64)), seed)

    def sample_captions(self, captions: Iterable[str] | str, *, seed: int = 0) -> Images:
        """Draw an image of each caption, in that order; z as of `sample`.

        Args:
            captions: sentences, such as "a small red circle"; one may stand several times.
            seed: any integer.

        Returns:
            uint8 (N, R, R, 3), RGB in 0..255.

        Raises:
            UserError: for a model that draws without captions, or a caption that its text encoder cannot
                read.
        """
        if self._text is None:
            raise UserError(
                f"split {self.classes[0].split}: its model draws without captions; ask for classes"
            )
        sentences = [captions] if isinstance(captions, str) else list(captions)
        if wrong := [each for each in sentences if not isinstance(each, str)]:
            raise UserError(f"captions: a sentence is expected, not {wrong[0]!r}")
        labels = torch.full((len(sentences),), UNLABELLED)
        images: Images = self._drawn(Given(labels, self._text.embed(sentences)), seed)
        return images

    def _drawn(self, wanted: Given, seed: int) -> NDArray[Any]:
        start = integer(seed)  # a plain one: the images follow from how it is written
        if start is None:
            raise UserError(f"seed: an integer such as 1 is expected, not {seed!r}")
        latents = self._latents(len(wanted.labels), start).split(CHUNK)
        parts = zip(latents, parts_of(wanted, CHUNK, self._device), strict=True)
        drawn = (self._family.generate(z.to(self._device), part) for z, part in parts)
        return torch.cat([to_file(images).cpu() for images in drawn]).numpy()

    def _latents(self, count: int, seed: int) -> Tensor:
        """(count, ...), each from a seed of its own, drawn on the CPU: the same for any device."""
        rngs = (torch.Generator().manual_seed(counter_seed(seed, "image", n)) for n in range(count))
        none = self._family.latent(0, torch.Generator())
        return torch.cat([none, *(self._family.latent(1, rng) for rng in rngs)])


def _each(classes: Any) -> Iterable[Any]:
    """What is named, one by one; a text or bytes is one name, not its letters."""
    try:
        return [classes] if isinstance(classes, str | bytes | bytearray) else iter(classes)
    except TypeError:  # one position, or what is none
        return [classes]
