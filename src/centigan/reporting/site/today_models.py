"""Rows of today's metrics that only some families have: bits of images, draws with noise, captions."""

from typing import NamedTuple


class Metric(NamedTuple):
    """One row: names in summary.json, and how their values are written."""

    name: str
    better: str  # lower | higher, or nothing where neither is
    samples: str
    real: str  # the same of real images: how good it can be
    digits: int | None  # behind the point; None: a share
    note: str


BOUNDS = {  # of `bits_per_dim`, as metrics/bits_per_dim.py names them
    "exact": "exact",
    "dequantised": "an upper bound on those of bytes, by the density over their bins",
    "elbo": "an upper bound, by single draws of the encoder (ELBO)",
    "iwae": "an upper bound, by importance samples",
}
ONE_GAUSSIAN = "for all pixels, fitted to training images: what a model must be better than"
NOISY = "of draws with the decoder's noise, the model whose bits are told"
BITS = (
    Metric(
        "Bits a dimension of held-out images",
        "lower",
        "bits_per_dim/held_out",
        "",
        3,
        "under the model; {bound}",
    ),
    Metric(
        "The same of training images",
        "",
        "bits_per_dim/training",
        "",
        3,
        "lower where it knows them by heart",
    ),
    Metric("The same under one Gaussian", "", "bits_per_dim/held_out/gaussian", "", 3, ONE_GAUSSIAN),
    Metric(
        "Nats of binarised held-out images",
        "lower",
        "binary_nats/held_out",
        "",
        1,
        "under the model, a bound",
    ),
    Metric(
        "The same of training images", "", "binary_nats/training", "", 1, "lower where it knows them by heart"
    ),
    Metric(
        "The same by pixels alone", "", "binary_nats/held_out/pixels", "", 1, "each independent of the others"
    ),
    Metric("FID, with noise", "lower", "with_noise/fid", "fid/held_out", 2, NOISY),
    Metric(
        "Inception score, with noise",
        "higher",
        "with_noise/inception_score",
        "inception_score/held_out",
        2,
        NOISY,
    ),
    Metric("Precision, with noise", "higher", "with_noise/precision", "precision/held_out", 3, NOISY),
    Metric("Recall, with noise", "higher", "with_noise/recall", "recall/held_out", 3, NOISY),
)
KINDS = {"seen": "classes that were learnt", "unseen": "classes that were not"}
CAPTIONS = (
    *(
        Metric(
            f"{attribute.capitalize()} as the caption says, {kind}",
            "higher",
            f"attributes/generated/{kind}/{attribute}",
            f"attributes/held_out/{kind}/{attribute}",
            None,
            f"as the judge names samples; at random one in {number}; {of}",
        )
        for kind, of in KINDS.items()
        for attribute, number in {"colour": 6, "shape": 3, "size": 2, "all": 36}.items()
    ),
    *(
        Metric(
            f"Found by its caption, {kind}",
            "higher",
            f"retrieval/generated/{kind}",
            f"retrieval/held_out/{kind}",
            None,
            f"among all classes, by the text encoder; {of}",
        )
        for kind, of in KINDS.items()
    ),
    *(
        Metric(
            f"D prefers the image of the caption, {kind}",
            "higher",
            f"matched/{kind}",
            "",
            None,
            f"of two held-out ones; 50 % is chance; {of}",
        )
        for kind, of in KINDS.items()
    ),
    Metric(
        "Largest step of a walk between captions",
        "lower",
        "caption_walks/largest_over_mean",
        "",
        2,
        "over the mean step, of one latent; 1 is even",
    ),
)
PIXELS = (
    Metric(
        "Deviation of a pixel over images",
        "",
        "pixel_deviation/generated",
        "pixel_deviation/training",
        3,
        "of values from -1 to 1",
    ),
)
