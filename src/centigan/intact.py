"""Whether a folder's files are what its SHA256SUMS says, and a text encoder the one of a training."""

from collections.abc import Iterable
from pathlib import Path

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import DIGESTS, read_digests, read_manifest, sha256

REMEDY = "`dvc pull` it again, or delete it and run `snakemake`"


def hold_to_digests(folder: Path, names: Iterable[str]) -> None:
    """Make sure that these files are what was written.

    Raises:
        UserError: for a file that is missing, not listed or another.
    """
    digests = read_digests(folder / DIGESTS)
    for name in names:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is missing; `dvc pull` it, or run `snakemake`")
        if name not in digests:
            raise UserError(f"{folder / DIGESTS} is missing or damaged: it lists no {name}; {REMEDY}")
        if digests[name] != sha256(folder / name):
            raise UserError(
                f"{folder / name} is not what {DIGESTS} beside it says: damaged, or copied in parts; {REMEDY}"
            )


def require_its_text_encoder(layout: Layout, split: str) -> None:
    """Make sure that the text encoder is whole, and the one by whose embeddings a split was trained.

    Which one it was, the embeddings of the split tell, where they lie here.

    Raises:
        UserError: when it is damaged, or was learnt again since.
    """
    hold_to_digests(layout.text, read_digests(layout.text / DIGESTS))
    embedded = layout.captions(split)
    if not (embedded / DIGESTS).is_file():
        return
    learnt = read_manifest(layout.train(split))["inputs"].values()
    made_from = read_manifest(embedded)["inputs"].values()
    same = not set(read_digests(embedded / DIGESTS).values()).isdisjoint(learnt)
    if not same or sha256(layout.text / DIGESTS) not in made_from:
        raise UserError(
            f"{layout.text} was learnt again since split {split} of {layout.experiment} was trained, which "
            "knows captions by the one before; train it again: `snakemake --config "
            f"experiment={layout.experiment}`"
        )
