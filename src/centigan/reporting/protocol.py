"""Judge and sample counts behind each figure: the part of a caption that depends on the run."""

from centigan.reporting.results import Results
from centigan.settings import Settings


def protocol(name: str, results: Results, settings: Settings) -> str:
    """Judge and sample counts behind a figure, in one sentence."""
    facts = results.summary
    classes = int(facts["data/classes"])
    judged = (
        f"Judge: {results.judge['name']}. {facts['images/real']:,.0f} held-out real images and "
        f"{facts['images/generated']:,.0f} samples of {classes} classes"
    )
    paired = f"{facts['ms_ssim/pairs']:.0f} random pairs in each of {classes} classes"
    sentences = {
        "accuracy_by_resolution": f"{judged}, in {facts['accuracy/subsets']:.0f} subsets.",
        "accuracy_by_class": f"{judged}.",
        "ms_ssim_by_class": f"MS-SSIM of {paired}, at {results.resolution} px.",
        "ms_ssim_in_training": (
            f"{settings.train.snapshot_per_class} samples a class and snapshot, every "
            f"{settings.train.snapshot_every:,} iterations, at {results.resolution} px; no judge."
        ),
        "accuracy_and_ms_ssim": f"{judged}; MS-SSIM of {paired}.",
        "training_curves": f"Journals of {facts['data/splits']:.0f} splits; the judge plays no part.",
        "gallery": f"{results.resolution} x {results.resolution} px, shown without interpolation.",
    }
    return sentences[name]
