"""Which source a root is, and what to do where it is none, or another than is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centigan.data.sources.advice import advice, holds_classes, one_below
from centigan.data.sources.folders import class_folders, has_subsets
from centigan.data.sources.listing import cannot_read
from centigan.data.sources.sift import Sieve
from centigan.data.sources.signs import BELOW, IN_ORDER, first_at
from centigan.errors import UserError
from centigan.settings.sources import Source

KNOWN = (
    "ILSVRC2012's archives, train/<class>/ and val/<class>/, Kaggle's ILSVRC/, a WebDataset's tars, the "
    "Hub's Parquet files, CIFAR's folders, STL-10's, SVHN's .mat, CUB's, Oxford's flowers, COCO's "
    "annotations/, CelebA's faces, LSUN's scenes, Tiny ImageNet, ImageNet's npz files, or class folders"
)


def recognise(root: Path) -> Source:
    """The source that lies at `root`, by the names there.

    Raises:
        UserError: where there is none.
    """
    source = first_at(root, IN_ORDER)
    if source == "mnist":
        raise UserError(
            f"{root} holds IDX files, which MNIST and Fashion-MNIST have by the same names: name "
            "`data.source`, as the protocols mnist and fashion_mnist do, or `centigan new --source`; it "
            "says, too, that images are grey"
        )
    if source:
        return source
    if has_subsets(root):
        return "folders"
    if not holds_classes(root) and (told := one_below(root, BELOW)):
        raise UserError(told)
    try:
        class_folders(root, Sieve(root))
    except UserError as error:
        hints = advice("auto", root) or [f"`data.root` may hold {KNOWN}"]
        raise UserError(f"no data found: {error}. {'. '.join(hints)}") from None
    return "class-folders"


@contextmanager
def explain(source: Source, root: Path) -> Iterator[None]:
    """Add to an error about a source what to do where it does not lie at `root`."""
    try:
        yield
    except (UserError, OSError) as error:
        if not (hints := advice(source, root)):
            raise
        said = cannot_read(error.filename or root, error) if isinstance(error, OSError) else error
        raise UserError(f"{said}. {'. '.join(hints)}") from None
