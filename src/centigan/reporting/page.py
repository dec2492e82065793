"""report/index.html: one self-contained page, what was run, what came out, what the paper reports.

Nothing is loaded from elsewhere: images are data URIs, styles stand in the page, there is no script.
"""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from centigan.atomic import write_text
from centigan.layout import Layout, split_names
from centigan.params import dotted
from centigan.reporting.captions import CAPTIONS
from centigan.reporting.gallery import tile_side
from centigan.reporting.protocol import protocol
from centigan.reporting.raw_data import raw_data
from centigan.reporting.results import Images, Results, present
from centigan.settings import FiguresSettings, Settings
from centigan.sheets import contact_sheet

TEMPLATE = "page.html.j2"
FAMILIES = {"acgan": "AC-GAN"}  # as their papers write them
MOST_STRIPS = 40  # classes shown as strips on the page; the gallery figure holds all
STRIP = 8  # images in a strip


def write_report(layout: Layout, settings: Settings, commit: str | None) -> None:
    """Write the page of an experiment whose tables and figures are made."""
    names = split_names(settings.data.classes, settings.data.split_size)
    results = Results(layout, names)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "decimals": _decimals}
    page = environment.get_template(TEMPLATE).render(
        settings=settings,
        splits=len(names),
        family=FAMILIES[settings.model.family],
        facts=results.summary,
        judge=results.judge,
        data=raw_data(results),
        strips=_strips(results),
        figures=_figures(results, settings),
        accuracy=_accuracy(results.table("accuracy_by_resolution")),
        classes=results.table("by_class").to_dict("records"),
        comparison=results.table("comparison").fillna("").to_dict("records"),
        changed=changed_settings(settings),
        settings_json=settings.model_dump_json(indent=2),
        provenance=_provenance(results, commit),
    )
    write_text(layout.report, page)


def changed_settings(settings: Settings) -> list[tuple[str, Any, Any]]:
    """(key, the paper's value, this run's value) of every scientific setting that differs."""
    paper = dotted(Settings(experiment=settings.experiment).model_dump(mode="json"))
    ours = dotted(settings.model_dump(mode="json"))
    words = ("figures", "splits", "train.log_every", "train.checkpoint_every", "train.snapshot")
    return [
        (key, paper.get(key), value)
        for key, value in ours.items()
        if paper.get(key) != value and not key.startswith(words)
    ]


def _strips(results: Results) -> list[dict[str, str]]:
    """Real beside generated images of up to MOST_STRIPS classes, evenly over the class list."""
    chosen = results.classes
    if len(chosen) > MOST_STRIPS:
        chosen = chosen.iloc[np.linspace(0, len(chosen) - 1, MOST_STRIPS).astype(int)]
    strips = []
    for split, rows in chosen.groupby("split", sort=True):
        real = results.training_images(str(split), per_class=STRIP)
        generated = results.samples(str(split), per_class=STRIP)
        for class_id, words in zip(rows["class_id"], rows["words"], strict=True):
            sheets = {"real": _strip(real[class_id]), "generated": _strip(generated[class_id])}
            name = str(words).split(",")[0]  # ImageNet's words are synonyms
            strips.append({"class_id": class_id, "name": name, "split": str(split), **sheets})
    return strips


def _strip(images: Images) -> str:
    """One row of images as a PNG data URI, twice the size it is shown at."""
    tile = tile_side(1, STRIP, images.shape[1])
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet([images], across=len(images), tile=tile)).save(buffer, "PNG", optimize=True)
    return _data_uri("image/png", buffer.getvalue())


def _figures(results: Results, settings: Settings) -> list[dict[str, str]]:
    """Title, caption, protocol and picture of every figure but the gallery, which the strips replace."""
    found = []
    for name in FiguresSettings.model_fields:
        if name == "gallery":
            continue
        svg = present(results.layout.figure(name)).read_bytes()
        found.append(
            {
                "name": name,
                "title": getattr(settings.figures, name).title,
                "caption": CAPTIONS[name],
                "protocol": protocol(name, results, settings),
                "image": _data_uri("image/svg+xml", svg),
            }
        )
    return found


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
    kept = {key: first.get(key) for key in ("version", "device", "threads", "precision", "seed")}
    libraries = ", ".join(f"{name} {version}" for name, version in first["libraries"].items())
    return {"report commit": commit, "training commit": first.get("commit"), **kept, "libraries": libraries}


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.1f} %"


def _decimals(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"
