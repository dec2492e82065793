"""Judge and sample counts behind each figure: the part of a caption that depends on the run."""

from centigan.reporting.results import Results
from centigan.settings import Settings


def protocol(name: str, results: Results, settings: Settings) -> str:
    """Judge and sample counts behind a figure that applies, in one sentence."""
    said = _of_any_family(results, settings)
    if results.judged:
        said |= _of_judged(results, settings)
    if {"by_class", "images"} <= results.subject.has:
        said |= {**_of_numbers(results, settings), **_of_pictures(results, settings)}
    return said[name]


def _of_any_family(results: Results, settings: Settings) -> dict[str, str]:
    if results.of_points:
        return _of_points(results, settings)
    facts, side, seek = results.summary, results.resolution, settings.neighbours
    classes = int(facts["data/classes"])
    within = "class" if "by_class" in results.subject.has else "split"
    shown = f"{side} x {side} px, shown without interpolation"
    sought = "each of" if within == "class" else "the model for each of"
    return {
        "memorisation": (
            f"Exact L1 at {side} px from {seek.per_class} samples of {sought} {classes} "
            f"classes, and from as many held-out images if there are, to every training image of the "
            f"{within}; "
            f"{seek.permutations:,} permutations within {'classes' if within == 'class' else 'splits'}."
        ),
        "training_curves": f"Of {facts['data/splits']:.0f} split(s); the judge plays no part.",
        "random_samples": (f"{shown}; of {facts['images/generated']:,.0f} samples of {classes} classes."),
        "reconstructions": (
            f"{settings.reconstructions.images} held-out images of a split at most, evenly from their list, "
            f"seed {settings.reconstructions.seed}; walks on the line between two codes."
        ),
        "codes": (
            "Means of codes where the model tells a distribution; the first principal components where a "
            "code has more than two dimensions."
        ),
        "code_neighbours": (
            f"Exact search at {side} px among all training images of the split; batch norm with the mean "
            "statistics of these. Queries are chosen by nothing but their place in the list."
        ),
        "shift": "Mean over splits, images and the four directions; borders repeat.",
        "demonstration": (
            f"{shown}; the family was handed {settings.demonstrations.images} held-out images of its split "
            f"at most, and random numbers of seed {settings.demonstrations.seed}."
        ),
    }


def _of_judged(results: Results, settings: Settings) -> dict[str, str]:
    return {
        "arithmetic": (
            f"The first trials that are counted, seed {settings.latent.seed}; latents are random ones, of "
            f"whose images the judge is sure. Judge: {results.judge['name']}."
        )
    }


def _of_points(results: Results, settings: Settings) -> dict[str, str]:
    facts = results.summary
    return {
        "training_curves": f"Of {facts['data/splits']:.0f} split(s).",
        "plane": (
            f"The first of {facts['images/generated']:,.0f} samples and of the training points of split "
            f"{results.split_names[0]}; weights after {settings.train.iterations:,} iterations."
        ),
        "density": (
            f"The first of {facts['images/generated']:,.0f} samples and of the training points of split "
            f"{results.split_names[0]}. In a plane all that is 12 nats below the densest place is as dark."
        ),
        "circles": f"1,000 training points of split {results.split_names[0]}; no label was seen.",
        "plane_in_training": (
            f"{settings.train.snapshot_per_class} samples a class and snapshot, every "
            f"{settings.train.snapshot_every:,} iterations."
        ),
    }


def _of_numbers(results: Results, settings: Settings) -> dict[str, str]:
    facts = results.summary
    classes, side = int(facts["data/classes"]), results.resolution
    judged = (
        f"Judge: {results.judge['name']}. {facts['images/held_out']:,.0f} held-out real images and "
        f"{facts['images/generated']:,.0f} samples of {classes} classes"
    )
    paired = f"{facts['ms_ssim/pairs']:.0f} random pairs in each of {classes} classes"
    return {
        "accuracy_by_resolution": f"{judged}, in {facts['accuracy/subsets']:.0f} subsets.",
        "accuracy_by_class": f"{judged}.",
        "ms_ssim_by_class": f"MS-SSIM of {paired}, at {side} px.",
        "ms_ssim_pairs": f"MS-SSIM of {paired}, real and generated, at {side} px.",
        "ms_ssim_in_training": (
            f"{settings.train.snapshot_per_class} samples a class and snapshot, every "
            f"{settings.train.snapshot_every:,} iterations, at {side} px; no judge."
        ),
        "accuracy_and_ms_ssim": f"{judged}; MS-SSIM of {paired}.",
    }


def _of_pictures(results: Results, settings: Settings) -> dict[str, str]:
    facts, side = results.summary, results.resolution
    shown = f"{side} x {side} px, shown without interpolation"
    first = f"the first of {settings.sample.per_class:,} samples of each class"
    judged = f"Judge: {results.judge['name']}, on all held-out images and all samples of the class"
    seek, walks = settings.neighbours, settings.latent
    return {
        "examples": f"{shown}; {first}.",
        "resolution_strip": f"{judged}, {settings.sample.per_class:,} of them; the first of either is shown.",
        "ms_ssim_examples": f"{shown}; MS-SSIM of {facts['ms_ssim/pairs']:.0f} random pairs a class.",
        "neighbours_l1": (
            f"Exact search at {side} px, from {seek.per_class} samples of each class, the nearest of which "
            "are shown, among all training images of the class and of its split."
        ),
        "neighbours_ms_ssim": (
            f"Exact search at {side} px, from {seek.ms_ssim_per_class} samples of each class, among all "
            "training images of the class and of its split."
        ),
        "interpolation": (
            f"The first of {walks.walks} linear walks of each class, {walks.steps} images each, seed "
            f"{walks.seed}; steps are distances of {settings.features.network}'s features."
        ),
        "class_grid": f"{shown}; {walks.styles} latents, seed {walks.seed}.",
        "gallery": f"{shown}; {first}.",
    }
