"""ILSVRC2012's development kit: the words of each synset, its official order, the validation labels."""

import gzip
import io
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from centigan.errors import UserError

ARCHIVE = "ILSVRC2012_devkit_t12.tar.gz"
FOLDER = ARCHIVE.removesuffix(".tar.gz")
META = "data/meta.mat"
TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"
LARGEST = 1 << 26  # bytes; meta.mat has 0.1 MB, the ground truth 0.2 MB


@dataclass(frozen=True)
class Devkit:
    """What the devkit says about the classes that images are labelled with (leaves of the hierarchy)."""

    place: Path
    wnids: tuple[str, ...]  # wnids[k - 1] is the class of ILSVRC2012_ID k
    words: dict[str, str]
    train_images: dict[str, int]
    truth: tuple[int, ...]  # ILSVRC2012_ID of each validation image, in the order of their numbers

    def validation_class(self, position: int) -> str:
        """The class of a validation image, counted from 0.

        Raises:
            UserError: for a label that points to no class, or an image without a label.
        """
        if position >= len(self.truth):
            raise UserError(
                f"{self.place}: {TRUTH} has {len(self.truth)} labels, none for image {position + 1}"
            )
        label = self.truth[position]
        if not 1 <= label <= len(self.wnids):
            raise UserError(
                f"{self.place}: line {position + 1} of {TRUTH} points to class {label}, which is none of "
                f"1..{len(self.wnids)}"
            )
        return self.wnids[label - 1]


def read_devkit(root: Path) -> Devkit | None:
    """The devkit at `root`, packed or unpacked; None where there is none.

    Raises:
        UserError: for a devkit that is damaged or lacks a file.
    """
    archive, folder = root / ARCHIVE, root / FOLDER
    if folder.is_dir():
        return _parse(folder, *(_file(folder / name) for name in (META, TRUTH)))
    if archive.exists():
        return _parse(archive, *_from_archive(archive))
    return None


def require_devkit(root: Path) -> Devkit:
    """The devkit at `root`.

    Raises:
        UserError: where there is none.
    """
    found = read_devkit(root)
    if found is None:
        raise UserError(
            f"{root / ARCHIVE} is missing: it holds the names of the classes and the validation labels"
        )
    return found


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is missing; unpack the devkit anew") from None


def _from_archive(path: Path) -> list[bytes]:
    contents = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                for name in (META, TRUTH):
                    if member.isreg() and member.name.endswith(f"/{name}") and member.size <= LARGEST:
                        contents[name] = archive.extractfile(member).read()  # type: ignore[union-attr]
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read: {error}; fetch it anew") from None
    for name in (META, TRUTH):
        if name not in contents:
            raise UserError(f"{path} holds no {name}; fetch the devkit of ILSVRC2012, tasks 1 and 2")
    return [contents[META], contents[TRUTH]]


def _parse(place: Path, meta: bytes, truth: bytes) -> Devkit:
    from scipy.io import loadmat

    try:
        synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        leaves = sorted((row for row in synsets if row["num_children"] == 0), key=_identity)
        ids = [_identity(row) for row in leaves]
        wnids = tuple(str(row["WNID"]) for row in leaves)
        words = {str(row["WNID"]): str(row["words"]) for row in leaves}
        counts = {str(row["WNID"]): int(row["num_train_images"]) for row in leaves}
        labels = tuple(int(line) for line in truth.split())
    except MemoryError:
        raise
    except Exception as error:  # loadmat raises what it likes
        raise UserError(
            f"{place}: {META} or {TRUTH} cannot be read: {error} ({type(error).__name__}); "
            "fetch the devkit anew"
        ) from error
    if ids != list(range(1, len(ids) + 1)) or len(words) != len(ids):
        raise UserError(f"{place}: {META} does not number its classes 1..{len(ids)}; fetch the devkit anew")
    return Devkit(place, wnids, words, counts, labels)


def _identity(row: object) -> int:
    return int(row["ILSVRC2012_ID"])  # type: ignore[index]
