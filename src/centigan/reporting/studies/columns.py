"""How the columns of a study are called and written, and which of two numbers is the better one."""

import math
import re
from typing import NamedTuple

from centigan.reporting.site.pages import NOTHING, decimals, percent
from centigan.reporting.site.today import METRICS


class Column(NamedTuple):
    """A name of summary.json, as people read it."""

    name: str
    label: str
    better: str = ""  # lower | higher, or nothing where neither is better by itself
    digits: int | None = None  # behind the point; None: four that count
    share: bool = False

    def written(self, value: float) -> str:
        """The number for a person."""
        if math.isnan(value):
            return NOTHING
        if self.share:
            return percent(value)
        if self.digits is not None:
            return decimals(value, self.digits)
        return f"{value:,.0f}" if value == round(value) else f"{value:.4g}".replace("-", "\N{MINUS SIGN}")

    def with_spread(self, mean: float, deviation: float) -> str:
        """Mean and deviation; one value alone has none."""
        spread = "" if math.isnan(deviation) else f" ± {self.written(deviation)}"
        return self.written(mean) + spread


OF_TODAY = {
    name: Column(name, label, better, metric.digits, metric.digits is None)
    for metric in METRICS
    for name, label, better in (
        (metric.samples, metric.name, metric.better),
        (metric.real, f"{metric.name}, real images", ""),
    )
    if name
}
OTHERS = (  # patterns: a name of summary.json, its label, which is better, digits, whether it is a share
    (r"accuracy/generated/(\d+)", r"Accuracy at \1 px", "higher", None, True),
    (r"accuracy/held_out/(\d+)", r"Accuracy at \1 px, real images", "", None, True),
    (r"ms_ssim/generated/mean", "MS-SSIM within a class", "", 3, False),
    (r"ms_ssim/training/mean", "MS-SSIM within a class, real images", "", 3, False),
    (r"ms_ssim/share_below_max_training", "Classes as diverse as real ones", "higher", None, True),
    (r"ms_ssim/training/max", "the most uniform real class", "", 3, False),
    (r"caption_walks/largest_over_mean", "Largest step of a walk between captions", "lower", 2, False),
    (r"ms_ssim/generated/first_(\d+)", r"MS-SSIM within the first \1 classes", "", 3, False),
    (r"class_output/model", "Held-out images that it names right", "higher", None, True),
    (
        r"class_output/classifier",
        "Held-out images that a classifier of its shape names right",
        "higher",
        None,
        True,
    ),
    (
        r"shift/(pixels|features)/(\d+)",
        r"Distance of \1 to a shift by \2 px, over that to another image",
        "",
        3,
        False,
    ),
    (r"with_noise/fid", "FID, with the decoder's noise", "lower", 2, False),
    (r"with_noise/(precision|recall|density|coverage)", r"\1, with the decoder's noise", "higher", 3, False),
    (r"with_noise/inception_score", "Inception score, with the decoder's noise", "higher", 2, False),
    (r"pixel_deviation/generated", "Deviation of a pixel over samples", "", 3, False),
    (r"pixel_deviation/training", "Deviation of a pixel over real images", "", 3, False),
    (r"attributes/generated/(seen|unseen)/(\w+)", r"\2 as asked, \1 combinations", "higher", 1, True),
    (r"retrieval/generated/(seen|unseen)", r"Found by what was asked, \1 combinations", "higher", 1, True),
    (r"matched/(seen|unseen)", r"D prefers the right image, \1 combinations", "higher", 1, True),
    (r"bits_per_dim/(\w+)", r"Bits per dimension, \1", "lower", 3, False),
    (r"binary_nats/(\w+)", r"Nats of binarised images, \1", "lower", 1, False),
)


def column(name: str) -> Column:
    """How a name of summary.json is shown; one that nobody named is shown as it is."""
    if name in OF_TODAY:
        return OF_TODAY[name]
    for pattern, label, better, digits, share in OTHERS:
        if found := re.fullmatch(pattern, name):
            return Column(name, found.expand(label).replace("_", " "), better, digits, share)
    return Column(name, name)
