"""Whether a text encoder is the one by whose embeddings a model was trained."""

from centigan.errors import UserError
from centigan.intact import hold_to_digests
from centigan.layout import Layout
from centigan.manifest import DIGESTS, read_digests, read_manifest, sha256
from centigan.text.embed import EMBEDDINGS
from centigan.text.stored import FILES


def require_its_text_encoder(layout: Layout, split: str) -> None:
    """Make sure that the text encoder is whole, and the one by whose embeddings a split was trained.

    Which one it was, the embeddings of the split tell, where they lie here.

    Raises:
        UserError: when it is damaged, or was learnt again since.
    """
    hold_to_digests(layout.text, FILES)
    embedded = layout.captions(split)
    if not (embedded / DIGESTS).is_file():
        return
    learnt = read_manifest(layout.train(split))["inputs"].values()
    made_from = read_manifest(embedded)["inputs"].values()
    same = read_digests(embedded / DIGESTS).get(EMBEDDINGS[0]) in learnt
    if not same or sha256(layout.text / DIGESTS) not in made_from:
        raise UserError(
            f"{layout.text} was learnt again since split {split} of {layout.experiment} was trained, which "
            "knows captions by the one before; train it again: `snakemake --config "
            f"experiment={layout.experiment}`"
        )
