"""What index.html tells beside pictures: numbers, the paper's, data, judge, settings and provenance."""

from operator import attrgetter
from typing import Any

import pandas as pd

from centigan.layout import TABLES
from centigan.params import dotted
from centigan.reporting.comparison import SET_UP
from centigan.reporting.raw_data import raw_data
from centigan.reporting.results import Results
from centigan.reporting.site.classes import ListedClass
from centigan.reporting.site.figure_pages import PENDING
from centigan.reporting.site.text_encoder import text_encoder
from centigan.reporting.site.today import has_published_features, todays_metrics
from centigan.settings import Settings
from centigan.settings.limits import no_better_than_chance
from centigan.sheets import evenly

GLANCE = 12  # classes shown on the first page


def overview(results: Results, settings: Settings, commit: str | None) -> dict[str, Any]:
    """Everything that the template of index.html needs but classes, figures and size."""
    unseen = [name for split in results.split_names for name in sorted(results.unseen(split))]
    comparison = results.table("comparison").astype(object).fillna("").to_dict("records")
    return {
        "settings": settings,
        "splits": len(results.split_names),
        "facts": results.summary,
        "judge": results.judge if results.judged else None,
        "useless_judge": _useless_judge(results),
        "text": text_encoder(results),
        "things": "points" if results.of_points else "images",
        "data": raw_data(results),
        "unseen": unseen,
        "learnt": int(results.summary["data/classes_of_a_split"])
        - min(len(results.unseen(split)) for split in results.split_names),
        "accuracy": _accuracy(results.table("accuracy_by_resolution")),
        "published_features": results.of_points
        or has_published_features(settings.features, str(results.judge["name"]) if results.judged else ""),
        "today": todays_metrics(
            results.summary,
            duplicate_below=settings.neighbours.duplicate_below,
            bound=_bound(results),
        ),
        "absent": results.table("absent").to_dict("records"),
        "comparison": comparison,
        "comparable": sum(row["comparable"] == "yes" for row in comparison),
        "results": sum(row["comparable"] != SET_UP for row in comparison),
        "pending": PENDING,
        "tables": [name for name in TABLES if len(results.table(name))],
        "changed": changed_settings(settings),
        "settings_json": settings.model_dump_json(indent=2),
        "provenance": _provenance(results, commit),
    }


def at_a_glance(classes: list[ListedClass]) -> list[ListedClass]:
    """Up to GLANCE classes, evenly over the list."""
    return [classes[position] for position in evenly(len(classes), GLANCE)]


def changed_settings(settings: Settings) -> list[tuple[str, Any, Any]]:
    """(key, the family's default, this run's value) of every scientific setting that differs.

    AC-GAN's defaults are its paper's.
    """
    model = {"family": settings.model.family}
    base = {"experiment": settings.experiment, "model": model, "train": settings.model.paper}
    defaults = Settings.model_validate(base)
    written = dotted(defaults.model_dump(mode="json"))
    words = ("figures", "splits", "train.log_every", "train.checkpoint_every", "train.snapshot")
    changed = []
    for key, value in dotted(settings.model_dump(mode="json")).items():
        if key.startswith(words) or key.startswith("model.decoder"):  # another experiment's, named beside
            continue
        if key in written:
            default = written[key]
        elif key.rpartition(".")[0] in written:  # of a group that is left out by default
            default = None
        else:
            default = attrgetter(key)(defaults)  # some go without saying
        if default != value:
            changed.append((key, default, value))
    return changed


def _useless_judge(results: Results) -> str | None:
    """Why accuracies at the model's resolution mean nothing, if so."""
    facts = results.summary
    real = facts.get(f"accuracy/held_out/{facts.get('model/resolution', 0):.0f}")
    if not results.judged or real is None:
        return None
    return no_better_than_chance(float(real), int(facts["judge/asked"]))


def _bound(results: Results) -> str:
    """What kind of number the bits a dimension are, where they are measured."""
    bits = results.metric("bits_per_dim") if "bits_per_dim/held_out" in results.summary else None
    return "exact" if bits is None else str(bits["bound"].iloc[0])


def _accuracy(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a resolution: accuracy and error bar of real and of generated images."""
    rows: list[dict[str, Any]] = []
    for resolution, group in table.groupby("resolution"):
        by_source = {str(source): rest for source, rest in group.set_index("source").to_dict("index").items()}
        rows.append({"resolution": resolution, **by_source})
    return rows


def _provenance(results: Results, commit: str | None) -> dict[str, Any]:
    """What made the trained networks: versions, device, seed; from the first split's manifest."""
    first = results.train_manifest(results.split_names[0])
    kept = {key: first.get(key) for key in ("version", "device", "threads", "seed")}
    kept["precision"] = first["engine"]["precision"].removeprefix("torch.")
    libraries = ", ".join(f"{name} {version}" for name, version in first["libraries"].items())
    return {"report commit": commit, "training commit": first.get("commit"), **kept, "libraries": libraries}
