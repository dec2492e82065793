"""A trained generator to sample from: it knows its classes, and asks for none of the pipeline's files."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from centigan.classes import Class, integer, position_of
from centigan.errors import UserError
from centigan.seeds import counter_seed
from centigan.sheets import Images
from centigan.types import (
    UNLABELLED,
    Encodes,
    Family,
    Given,
    Latent,
    ReadsCaptions,
    Shape,
    parts_of,
    to_file,
    to_network,
)

CHUNK = 250  # images a forward pass
MOST_TOLD = 10  # refusals in one message
Found = TypeVar("Found")


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
        shape: Shape | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """`elsewhere`: classes of other splits, to tell where a class is that this one does not have;
        `text`: the text encoder of a family that draws by captions; `shape`: what the family was built for,
        to draw in the style of an image.

        Raises:
            UserError: for a family without a latent space.
        """
        if not isinstance(family, Latent):
            raise UserError(f"split {classes[0].split}: its model has no latent space to draw from")
        self.classes = tuple(classes)
        self._family: Latent = family
        self._elsewhere, self._text, self._shape = tuple(elsewhere), text, shape
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
            UserError: for classes that the split does not have, names that several have, each with its place
                in the list; or a seed that is no integer.
        """
        positions = _read(_each(classes), lambda each: position_of(each, self.classes, self._elsewhere))
        return self._drawn(Given(torch.tensor(positions, dtype=torch.int64)), seed)

    def sample_captions(
        self, captions: Iterable[str] | str, *, seed: int = 0, style: Images | None = None
    ) -> Images:
        """Draw an image of each caption, in that order; z as of `sample`, or of an image whose style it has.

        Args:
            captions: sentences, such as "a small red circle"; one may stand several times.
            seed: any integer; without a meaning where there is a style.
            style: uint8 (R, R, 3), as `centigan.read_image` reads an image of your own; its z is found by the
                model, and all captions are drawn of it. Of a style encoder.

        Returns:
            uint8 (N, R, R, 3), RGB in 0..255.

        Raises:
            UserError: for a model that draws without captions, captions that its text encoder cannot read,
                each with its place in the list; a style of a model that finds none, or of another size.
        """
        if self._text is None:
            raise UserError(
                f"split {self.classes[0].split}: its model draws without captions; ask for classes"
            )
        wanted = self._told([captions] if isinstance(captions, str) else list(captions), self._text)
        latents = None if style is None else self._style(style).expand(len(wanted.labels), -1)
        images: Images = self._drawn(wanted, seed, latents)
        return images

    def _told(self, captions: Sequence[Any], text: ReadsCaptions) -> Given:
        """What captions ask for; they are embedded at once, and only refused ones one by one."""
        sentences = _read(captions, _sentence)
        try:
            vectors = text.embed(sentences)
        except UserError:
            vectors = torch.cat(_read(sentences, lambda each: text.embed([each])))
        return Given(torch.full((len(sentences),), UNLABELLED), vectors)

    def _style(self, image: Images) -> Tensor:
        """The z (1, L) that the model finds of an image."""
        if self._shape is None or not isinstance(self._family, Encodes):
            raise UserError(
                f"split {self.classes[0].split}: its model finds no style of an image; ask an experiment of "
                "a style encoder (model.family: style_encoder), such as captioned_shapes/style"
            )
        side = self._shape.resolution
        pixels = np.asarray(image)
        if pixels.shape != (side, side, 3) or pixels.dtype != np.uint8:
            raise UserError(
                f"style: an image uint8 ({side}, {side}, 3) is expected, not {pixels.dtype} {pixels.shape}; "
                f"`centigan.read_image(path, {side})` makes one"
            )
        if self._shape.channels == 1:
            pixels = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
        there = to_network(torch.from_numpy(pixels.copy())[None], self._shape.channels).to(self._device)
        return self._family.encode(there)

    @property
    def resolution(self) -> int | None:
        """Side of its images, pixels; None where it was not told."""
        return self._shape.resolution if self._shape else None

    def _drawn(self, wanted: Given, seed: int, latents: Tensor | None = None) -> NDArray[Any]:
        start = integer(seed)  # a plain one: the images follow from how it is written
        if start is None:
            raise UserError(f"seed: an integer such as 1 is expected, not {seed!r}")
        latents = self._latents(len(wanted.labels), start) if latents is None else latents
        parts = zip(latents.split(CHUNK), parts_of(wanted, CHUNK, self._device), strict=True)
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


def _read(asked: Iterable[Any], read: Callable[[Any], Found]) -> list[Found]:
    """What is made of each; all that are refused are told at once, each with its place in the list.

    Raises:
        UserError: when `read` raises one.
    """
    found, refused, every = [], list[str](), list(asked)
    for number, each in enumerate(every, 1):
        try:
            found.append(read(each))
        except UserError as error:
            refused.append(f"number {number} of {len(every)}: {error}" if len(every) > 1 else str(error))
    if refused:
        more = [f"and {len(refused) - MOST_TOLD} more"] if len(refused) > MOST_TOLD else []
        raise UserError("\n".join(refused[:MOST_TOLD] + more))
    return found


def _sentence(each: Any) -> str:
    if not isinstance(each, str):
        raise UserError(f"captions: a sentence is expected, not {each!r}")
    return each
