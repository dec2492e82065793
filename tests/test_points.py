"""A model of points from raw data to its page, by the rooms themselves."""

import re
from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.points import put_in_place
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.loading import load
from centigan.metrics import circles, density, energy, field, modes
from centigan.metrics.field import grid_around
from centigan.params import parse
from centigan.preflight import of_all
from centigan.preflight.counts import Counts, OfClass
from centigan.preflight.networks import still_wanted
from centigan.reporting.comparison import write_comparison
from centigan.reporting.figures import draw
from centigan.reporting.scores import circles_summary, density_summary
from centigan.reporting.site import write_report
from centigan.reporting.tables import write_tables
from centigan.sampling import sample_split
from centigan.settings import Settings
from centigan.settings.stages import ArraysStage, SampleStage, TrainStage
from centigan.training.loop import train_split

CPU = torch.device("cpu")
VALUES = {
    "experiment": "ring/gan",
    "data": {"source": "ring", "classes": 8, "split_size": 8},
    "model": {"family": "gan", "latent": 1, "update": "alternating"},
    "train": {
        "batch_size": 16,
        "iterations": 4,
        "log_every": 2,
        "snapshot_every": 2,
        "snapshot_per_class": 2,
    },
    "sample": {"per_class": 4, "fresh_per_class": 2},
}


def trained_and_sampled(layout: Layout, source: str, settings: Settings) -> None:
    """From the points of a source to samples of a model of them."""
    root = Path(settings.data.root)
    put_in_place(source, root)
    build_index(layout.shared, settings.data)
    build_arrays(layout.shared, "00", ArraysStage(arrays=settings.arrays), root)
    train_split(layout, "00", TrainStage(model=settings.model, train=settings.train), device=CPU)
    sample_split(layout, "00", SampleStage(model=settings.model, sample=settings.sample), device=CPU)


def measured(layout: Layout, source: str, settings: Settings) -> None:
    """What every source of points is measured by, and the tables."""
    energy.measure(layout, ["00"], settings.distribution.model_copy(update={"neighbours": 2}))
    energy.measure_real(layout, ["00"], settings.distribution)
    if source == "ring":
        modes.measure(layout, "00", settings.modes)
        modes.measure_real(layout, "00", settings.modes)
    write_tables(layout, ["00"], resolution=32, neighbours=settings.neighbours)
    write_comparison(layout, ["00"], network="judge")


def settings_of(**changes: object) -> Settings:
    return parse(Settings, VALUES | changes, "here")


@pytest.mark.parametrize(("source", "dimensions"), [("ring", 2), ("line", 1)])
def test_points_go_through_every_room(source: str, dimensions: int, tmp_path: Path) -> None:
    classes = {"ring": 8, "line": 1}[source]
    root = tmp_path / "raw"
    settings = settings_of(
        data={"source": source, "root": str(root), "classes": classes, "split_size": classes}
    )
    layout = Layout("ring/gan", root=tmp_path)
    trained_and_sampled(layout, source, settings)
    stage = TrainStage(model=settings.model, train=settings.train)
    assert np.load(layout.samples("00") / "images.npy").shape == (4 * classes, dimensions)
    drawn_at_once = load("ring/gan", root=tmp_path).sample([0] * 3, seed=1)
    assert (drawn_at_once.dtype, drawn_at_once.shape) == (np.float32, (3, dimensions))
    snapshots = load_file(layout.train("00") / "snapshots.safetensors")["images"]
    assert snapshots.dtype == np.float32
    assert snapshots.shape[0] == 2

    field.measure(layout, "00", stage)
    measured(layout, source, settings)
    drawn = ("plane", "plane_in_training", "training_curves")
    for name in drawn:
        draw(name, layout, getattr(settings.figures, name), ["00"])
    write_report(layout, settings, None)
    page = layout.report.read_text()
    assert "of points" in page
    assert "Energy distance" in page
    assert not any(words in page for words in ("Of the paper", 'id="paper"', "#paper"))  # it has images alone
    assert "Odena" not in page
    assert "docs/families/gan.md" in page
    assert not re.search(r"<td[^>]*>None<", page)
    assert 'href="tables/absent.csv"' in page
    assert "tables/by_class.csv" not in page  # of a header alone
    assert all(f"figures/{name}.html" in page for name in drawn)
    assert ("Modes covered" in page) == (source == "ring")


DENSE = {
    ("ring", 2): {"family": "real_nvp", "points": {"units": 8}},
    ("line", 1): {"family": "cq", "latent": 1, "quality_weight": 0},
}


@pytest.mark.parametrize(("source", "dimensions"), DENSE)
def test_a_density_of_points_is_measured_and_drawn(source: str, dimensions: int, tmp_path: Path) -> None:
    classes = {"ring": 8, "line": 1}[source]
    root = tmp_path / "raw"
    data = {"source": source, "root": str(root), "classes": classes, "split_size": classes}
    settings = settings_of(data=data, model=DENSE[source, dimensions])
    layout = Layout("ring/gan", root=tmp_path)
    trained_and_sampled(layout, source, settings)
    density.measure(layout, "00", settings.model)
    table = pd.read_parquet(layout.metric("density", "00"))
    places = grid_around(np.load(layout.arrays("00") / "images.npy"))
    counts = {"field": len(places), "held_out": 2000, "training": 2000, "gaussian": 2000}
    assert table["kind"].value_counts(sort=False).to_dict() == counts
    assert np.isfinite(table["value"]).all()
    assert set(density_summary(table)) == {
        f"points/log_density/{kind}" for kind in ("held_out", "training", "gaussian")
    }

    measured(layout, source, settings)
    for name in ("density", "plane_in_training", "training_curves"):
        draw(name, layout, getattr(settings.figures, name), ["00"])
    write_report(layout, settings, None)
    page = layout.report.read_text()
    assert "Log density of held-out points" in page
    assert "figures/density.html" in page


def test_a_family_without_a_density_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    settings = settings_of(data={"source": "line", "root": str(root), "classes": 1, "split_size": 1})
    layout = Layout("ring/gan", root=tmp_path)
    put_in_place("line", root)
    build_index(layout.shared, settings.data)
    build_arrays(layout.shared, "00", ArraysStage(arrays=settings.arrays), root)
    train_split(layout, "00", TrainStage(model=settings.model, train=settings.train), device=CPU)
    with pytest.raises(UserError, match="GAN does not tell the density of a point"):
        density.measure(layout, "00", settings.model)


def said(settings: Settings) -> list[str]:
    return [found.text for found in of_all(Layout("ring/gan"), settings, None) if not found.good]


def test_a_family_for_images_alone_is_refused_with_those_that_learn_points() -> None:
    assert said(settings_of()) == []
    (problem,) = said(settings_of(model={"family": "acgan"}))
    assert problem.startswith(
        "model.family: AC-GAN has no networks for points, which data.source: ring holds"
    )
    assert "gan" in problem


@pytest.mark.parametrize("model", [{"family": "real_nvp"}, {"family": "cq", "flow": {}}])
def test_couplings_are_refused_on_a_line_before_any_job(model: dict[str, object]) -> None:
    line = {"source": "line", "classes": 1, "split_size": 1}
    sample = {"per_class": 8}
    (problem,) = said(settings_of(data=line, model=model, sample=sample))
    assert problem.startswith("model.family: ")
    assert "keep a coordinate and move another" in problem
    assert said(settings_of(model=model)) == []
    assert said(settings_of(data=line, model={"family": "cq"}, sample=sample)) == []


def test_what_only_images_know_and_too_few_points_are_told_together() -> None:
    found = said(settings_of(train={"flips": True}, sample={"per_class": 2}, distribution={"neighbours": 20}))
    assert [problem.partition(" ")[0].rstrip(":") for problem in found] == ["train.flips", "sample.per_class"]


@pytest.mark.parametrize(("train", "held_out", "what"), [(5, 6, "trained on"), (6, 5, "held out")])
def test_points_of_ones_own_that_are_too_few_are_told(train: int, held_out: int, what: str) -> None:
    settings = settings_of(data={"source": "points", "classes": 1, "split_size": 1}, sample={"per_class": 6})
    enough = Counts((OfClass("a", "00", 6, 6),), "points of 2 dimensions")
    assert all(found.good for found in of_all(Layout("ring/gan"), settings, enough))
    few = Counts((OfClass("a", "00", train, held_out),), "points of 2 dimensions")
    (problem,) = (found.text for found in of_all(Layout("ring/gan"), settings, few) if not found.good)
    assert problem.startswith("data: precision and recall with distribution.neighbours 5 need 6 points")
    assert f"and 5 are {what}; add some, or lower it" in problem


def test_points_want_no_weights_of_a_network(tmp_path: Path) -> None:
    assert settings_of().features.network == "inception-2015"  # the paper's, which points never ask
    assert list(still_wanted(Layout("ring/gan", root=tmp_path), settings_of())) == []


def test_two_circles_are_divided_by_the_model_and_by_k_means_and_rim(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    settings = settings_of(
        experiment="circles/catgan",
        data={"source": "circles", "root": str(root), "classes": 2, "split_size": 2},
        model={"family": "catgan", "clusters": 2, "latent": 2},
    )
    layout = Layout("circles/catgan", root=tmp_path)
    put_in_place("circles", root)
    build_index(layout.shared, settings.data)
    build_arrays(layout.shared, "00", ArraysStage(arrays=settings.arrays), root)
    train_split(layout, "00", TrainStage(model=settings.model, train=settings.train), device=CPU)
    circles.measure(layout, "00", settings.model)
    table = pd.read_parquet(layout.metric("circles", "00"))
    assert table["method"].unique().tolist() == ["k-means", "RIM", "model"]
    summary = circles_summary(table)
    assert summary["circles/k_means"] < 0.6
    assert 0.5 <= summary["circles/model"] <= 1
    assert 0 <= summary["circles/information"] <= log(2)
