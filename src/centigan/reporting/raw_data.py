"""What the report tells of the raw data: where they came from, what they lack, what was converted."""

from collections import Counter
from typing import Any

from centigan.reporting.results import Results

SUBSETS = {"train": "training", "held_out": "held out"}


def raw_data(results: Results) -> dict[str, Any]:
    """The source, its lines; for each subset the images used, published and left out; and what is counted:
    conversions, and what lay beside the images.
    """
    source = results.source
    manifests = [results.arrays_manifest(split) for split in results.split_names]
    passed_over = source.get("passed_over", {})  # absent where nothing was
    subsets, converted = [], Counter[str]()
    for subset, name in SUBSETS.items():
        for manifest in manifests:
            for oddity, names in manifest["converted"][subset].items():
                converted[oddity] += len(names)
        subsets.append(
            {
                "name": name,
                "used": sum(manifest["images"][subset] for manifest in manifests),
                "published": source["published"].get(subset),
                "left_out": sum(len(manifest["rejected"][subset]) for manifest in manifests),
            }
        )
    return {
        "source": source["source"],
        "found": source["found"],
        "faults": [*source["wrong_counts"], *(f"{r['name']} {r['reason']}" for r in source["rejected"])],
        "subsets": subsets,
        "passed_over": [(len(names), kind) for kind, names in passed_over.items()],
        "converted": converted.most_common(),
    }
