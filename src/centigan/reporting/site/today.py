"""The metrics that papers report today, as rows of one table: samples beside real images.

FID (Heusel et al. 2017), KID (Binkowski et al. 2018), precision and recall (Kynkaanniemi et al. 2019),
density and coverage (Naeem et al. 2020), the Inception score (Salimans et al. 2016), the classification
accuracy score (Ravuri & Vinyals 2019), and what this project measures of memory and of walks.
"""

from centigan.reporting.site.pages import NOTHING, decimals, percent
from centigan.reporting.site.today_models import BITS, BOUNDS, CAPTIONS, PIXELS, Metric
from centigan.settings.evaluation import FeatureSettings

MODES = "with 1 % of all points near it, or what modes.least says"
KL = "from uniform counts, nats; log M where one of M modes has all"
METRICS = (
    Metric("FID", "lower", "fid/generated", "fid/held_out", 2, "to the training images"),
    Metric(
        "FID within a class",
        "lower",
        "fid/intra_class/generated",
        "fid/intra_class/held_out",
        2,
        "mean over classes",
    ),
    Metric("KID", "lower", "kid/generated", "kid/held_out", 4, "± over random subsets"),
    Metric("Precision", "higher", "precision/generated", "precision/held_out", 3, "samples that look real"),
    Metric("Recall", "higher", "recall/generated", "recall/held_out", 3, "real images that are covered"),
    Metric("Density", "higher", "density/generated", "density/held_out", 3, "precision, robust to outliers"),
    Metric("Coverage", "higher", "coverage/generated", "coverage/held_out", 3, "recall, robust to outliers"),
    Metric(
        "Inception score",
        "higher",
        "inception_score/fresh",
        "inception_score/held_out",
        2,
        "fresh samples, that nothing was chosen by",
    ),
    Metric(
        "Inception score, to select",
        "higher",
        "inception_score/samples",
        "inception_score/training",
        2,
        "the samples, beside training images",
    ),
    Metric(
        "Classification accuracy score",
        "higher",
        "cas/generated",
        "cas/training",
        None,
        "held-out images named by a classifier of samples, or of training images",
    ),
    Metric(
        "Nearest training image, L1",
        "",
        "neighbours/l1/median_generated",
        "neighbours/l1/median_held_out",
        1,
        "median in levels of 255; memorised samples lie nearer than real images",
    ),
    Metric(
        "Copies of a training image",
        "lower",
        "neighbours/duplicates/generated",
        "neighbours/duplicates/held_out",
        0,
        "nearer to one than {below:g} levels of 255, by L1",
    ),
    Metric(
        "Modes of stacked digits",
        "higher",
        "stacked_modes/modes/generated",
        "stacked_modes/modes/held_out",
        0,
        "that some image shows, as a classifier of single digits names them",
    ),
    Metric(
        "Modes that uniform draws show",
        "",
        "stacked_modes/uniform/generated",
        "stacked_modes/uniform/held_out",
        0,
        "as many as there are images",
    ),
    Metric(
        "KL of the digits' modes", "lower", "stacked_modes/kl/generated", "stacked_modes/kl/held_out", 2, KL
    ),
    Metric("Two circles apart", "higher", "circles/model", "", None, "share of the points, by clusters"),
    Metric("Two circles apart by k-means", "", "circles/k_means", "", None, "of the same points"),
    Metric("Two circles apart by RIM", "", "circles/rim", "", None, "D without a generator"),
    Metric("Information of clusters", "", "circles/information", "", 3, "nats, which no label was asked for"),
    Metric("Modes covered", "higher", "modes/covered/generated", "modes/covered/held_out", 0, MODES),
    Metric("Near a mode", "higher", "modes/near/generated", "modes/near/held_out", None, "of all points"),
    Metric(
        "Within 3 sd of a mode",
        "higher",
        "modes/within_sd/generated",
        "modes/within_sd/held_out",
        None,
        "of all points",
    ),
    Metric("KL of the modes' counts", "lower", "modes/kl/generated", "modes/kl/held_out", 3, KL),
    Metric(
        "Energy distance",
        "lower",
        "points/energy/generated",
        "points/energy/held_out",
        4,
        "to the training points",
    ),
    Metric("Precision", "higher", "points/precision/generated", "points/precision/held_out", 3, "of points"),
    Metric("Recall", "higher", "points/recall/generated", "points/recall/held_out", 3, "of points"),
    Metric(
        "Log density of held-out points",
        "higher",
        "points/log_density/held_out",
        "",
        3,
        "nats; exact, or a bound below it",
    ),
    Metric("Log density of training points", "", "points/log_density/training", "", 3, "the same"),
    Metric(
        "Log density by one Gaussian",
        "",
        "points/log_density/gaussian",
        "",
        3,
        "of the held-out points; fitted to the training points",
    ),
    # numbers without one of real images beside them
    Metric(
        "Samples that are closer",
        "",
        "neighbours/l1/share_closer",
        "",
        None,
        "to a training image than the median held-out image; 50 % is even",
    ),
    Metric("p of being that close by chance", "", "neighbours/l1/p_closer", "", 4, "by permutation"),
    Metric(
        "Held-out images that it names right",
        "higher",
        "class_output/model",
        "",
        None,
        "by its own class output, which learnt from real images and from samples",
    ),
    Metric(
        "Held-out images that a classifier of its shape names right",
        "higher",
        "class_output/classifier",
        "",
        None,
        "trained on the labelled images alone, for as many iterations",
    ),
    Metric(
        "Held-out images in a cluster of their class",
        "higher",
        "clustering/accuracy",
        "",
        None,
        "clusters are called by training images: by the best assignment, or each by its majority where "
        "there are more than classes",
    ),
    Metric("The same by k-means of pixels", "", "clustering/k_means", "", None, "of as many clusters"),
    Metric(
        "The same, each cluster called by one image",
        "higher",
        "clustering/surest",
        "",
        None,
        "by the held-out image that is surest of it; the others are counted",
    ),
    Metric(
        "Clusters with an image", "higher", "clustering/used", "", 1, "a training image; mean over splits"
    ),
    Metric(
        "Mutual information of cluster and class",
        "higher",
        "clustering/nmi",
        "",
        3,
        "of held-out images, over the mean of both entropies; 1 is all, 0 none",
    ),
    Metric(
        "Square error of images drawn again",
        "lower",
        "reconstruction/mse",
        "",
        4,
        "mean over held-out images, of pixels from 0 to 1",
    ),
    Metric("PSNR of images drawn again", "higher", "reconstruction/psnr", "", 1, "dB, mean over images"),
    Metric("MS-SSIM of images drawn again", "higher", "reconstruction/ms_ssim", "", 3, "with their images"),
    Metric(
        "Distance to an image drawn again",
        "lower",
        "reconstruction/right_over_wrong",
        "",
        3,
        "over that to what is drawn of others; 1: a code tells nothing of its image",
    ),
    Metric(
        "Held-out images named by the nearest code",
        "higher",
        "codes/nearest",
        "",
        None,
        "of a training image",
    ),
    Metric("The same by the nearest pixels", "", "codes/nearest_pixels", "", None, "without any network"),
    Metric(
        "The same by principal components",
        "",
        "codes/nearest_pca",
        "",
        None,
        "of pixels, as many as of a code",
    ),
    Metric(
        "The same by linear discriminants",
        "",
        "codes/nearest_lda",
        "",
        None,
        "of pixels, by all labels of training images; as many as a code has, fewer than classes",
    ),
    Metric(
        "Energy distance of codes from the prior",
        "lower",
        "codes/energy",
        "codes/floor",
        4,
        "of held-out images; beside it, of two sets of draws",
    ),
    Metric(
        "Distance of the code of a sample to its latent",
        "lower",
        "inverse/codes",
        "",
        3,
        "over that to other latents; 0: the encoder inverts the generator, 1: it tells nothing",
    ),
    Metric(
        "Distance to a sample drawn again",
        "lower",
        "inverse/images",
        "",
        3,
        "of its code, over that to other samples",
    ),
    Metric(
        "Nearest training images of the same class",
        "higher",
        "code_neighbours/trained",
        "",
        None,
        "as held-out images, of five each, by the cosine of its features",
    ),
    Metric("The same before training", "", "code_neighbours/untrained", "", None, "with the first weights"),
    Metric("The same by pixels", "", "code_neighbours/pixels", "", None, "without any network"),
    Metric(
        "Held-out images named by a linear classifier of its features",
        "higher",
        "linear_probe/trained",
        "",
        None,
        "which learnt from a few labelled training images; mean over draws",
    ),
    Metric(
        "The same before training",
        "",
        "linear_probe/untrained",
        "",
        None,
        "of features of the same networks with their first weights",
    ),
    Metric("The same of pixels", "", "linear_probe/pixels", "", None, "without any network"),
    Metric(
        "A - B + C of latents with the right colour and size",
        "higher",
        "arithmetic/3",
        "",
        None,
        "as the judge names them; A, B and C are means of three latents",
    ),
    Metric("The same of single latents", "higher", "arithmetic/1", "", None, ""),
    Metric("The same of means of ten", "higher", "arithmetic/10", "", None, ""),
    Metric("The same of pixels", "higher", "arithmetic/pixels", "", None, "of three images each"),
    Metric(
        "Largest step of a linear walk",
        "lower",
        "latent/linear/largest_over_mean",
        "",
        2,
        "over the mean step; 1 is even",
    ),
    Metric(
        "Largest step of a spherical walk",
        "lower",
        "latent/spherical/largest_over_mean",
        "",
        2,
        "over the mean step; 1 is even",
    ),
)


def has_published_features(features: FeatureSettings, judge: str) -> bool:
    """Whether FID and its like are made as published ones: the Inception of 2015 and its resizing."""
    network = judge if features.network == "judge" else features.network
    return network == "inception-2015" and features.resizing in {"auto", "bilinear-2015"}


def todays_metrics(
    summary: dict[str, float], *, duplicate_below: float, bound: str = "exact"
) -> list[dict[str, str]]:
    """Rows name, better, samples, real, note; what was not measured is left out.

    `bound`: what kind of number bits a dimension are, one of BOUNDS.
    """
    return [
        {
            "name": metric.name,
            "better": metric.better,
            "samples": _written(metric.samples, metric.digits, summary),
            "real": _written(metric.real, metric.digits, summary),
            "note": metric.note.format(below=duplicate_below, bound=BOUNDS[bound]),
        }
        for metric in (*BITS, *CAPTIONS, *METRICS, *PIXELS)
        if metric.samples in summary
    ]


def _written(name: str, digits: int | None, summary: dict[str, float]) -> str:
    if name not in summary:
        return NOTHING
    if digits is None:
        return percent(summary[name])
    spread = f" ± {decimals(summary[f'{name}/std'], digits)}" if f"{name}/std" in summary else ""
    return decimals(summary[name], digits) + spread
