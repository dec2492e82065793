"""Time and size of the report site of as many classes as ImageNet has, and how fast Chromium opens it.

    python benchmarks/report.py [--classes 1000] [--side 128]

Metrics are random numbers; images are crops of the photographs that ship with scikit-image, with noise as
samples have it. All splits share one folder of images by links: the site reads and encodes as many as if each
had its own. Figures are small stand-ins, since what they weigh is no matter of the site.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from skimage import data

from centigan.catalogue import METRICS, files
from centigan.layout import WHOLE, Layout, split_names
from centigan.metrics.accuracy import ladder
from centigan.reporting.comparison import write_comparison
from centigan.reporting.site import write_report
from centigan.reporting.tables import write_tables
from centigan.settings import Settings
from centigan.settings.figures import FiguresSettings
from centigan.settings.training import LatentSettings

SPLIT = 10  # classes
IMAGES = 24  # of a class
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "cat")
NOISE = 6  # levels; a generator's samples are no smoother than that
MOST_LISTED = 8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--side", type=int, default=128, choices=(32, 64, 128))
    parser.add_argument("--place", type=Path, default=None, help="folder on the disk to measure; kept")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        layout = Layout("bench", words.place or Path(name))
        settings = Settings.model_validate(
            {
                "experiment": "bench",
                "data": {"classes": words.classes, "split_size": SPLIT},
                "arrays": {"resolution": words.side},
            }
        )
        write_experiment(layout, settings)
        start, worked = time.perf_counter(), time.process_time()
        write_report(layout, settings, None)
        took, worked = time.perf_counter() - start, time.process_time() - worked
        print(f"{words.classes} classes at {words.side} px: {took:.0f} s, {worked:.0f} s of a processor")
        tell_sizes(layout.report.parent)
        tell_opening(layout.report.parent)


def write_experiment(layout: Layout, settings: Settings) -> None:
    """Everything that the site is made from."""
    count, side = settings.data.classes, settings.arrays.resolution
    splits = split_names(count, SPLIT)
    ids = [f"n{number:08d}" for number in range(count)]
    rows = [(n, c, f"thing {n}, synonym {n}", splits[n // SPLIT], 1300, 50) for n, c in enumerate(ids)]
    columns = ["label", "class_id", "words", "split", "train", "held_out"]
    layout.results.mkdir(parents=True)
    pd.DataFrame(rows, columns=columns).to_csv(layout.classes, index=False)
    layout.source.write_text(
        json.dumps({"source": "none", "found": [], "published": {}, "wrong_counts": [], "rejected": []})
    )
    layout.judge.mkdir()
    (layout.judge / "facts.json").write_text(json.dumps({"name": "small-cnn"}))
    judge = {"requested": "small-cnn", "candidates": {}}
    judge["held_out"] = {"images": 50 * count, "side": side, "noise": "none", "blur": "none"}
    (layout.judge / "manifest.json").write_text(json.dumps(judge))
    rng = np.random.default_rng(0)
    for split in splits:
        own = ids[splits.index(split) * SPLIT :][:SPLIT]
        write_metrics(layout, split, own, rng, ladder(side))
        write_images(layout, split, own, rng, side=side, like=None if split == splits[0] else splits[0])
    write_metrics_of_all(layout, ids)
    write_tables(layout, splits, resolution=side, neighbours=settings.neighbours)
    write_comparison(layout, splits, network=settings.features.network)
    write_figures(layout)


def write_metrics(
    layout: Layout, split: str, ids: list[str], rng: np.random.Generator, rungs: tuple[int, ...]
) -> None:
    """The metrics of one split, in the shapes that they have."""

    def save(metric: str, keys: list[tuple[str, list]], values: dict[str, NDArray]) -> None:
        index = pd.MultiIndex.from_product([v for _, v in keys], names=[k for k, _ in keys])
        frame = index.to_frame(index=False).assign(**values)
        real = METRICS[metric].baseline
        is_real = frame["source"] == real if real else np.zeros(len(frame), bool)
        paths = {layout.metric(metric, split): frame[~is_real]}
        paths |= {layout.real_metric(metric, split): frame[is_real]} if real else {}
        for path, own in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            own.to_parquet(path)

    classes, baselined = ("class_id", ids), ("source", ["held_out", "generated"])
    trained_on = ("source", ["training", "generated"])
    n = len(ids)
    keys = [classes, baselined, ("resolution", list(rungs)), ("subset", list(range(10)))]
    cells = 2 * n * len(rungs) * 10
    correct = rng.integers(0, 6, cells)
    counts = {"count": 5, "asked": n, "known": n}
    counts = {name: np.full(cells, number) for name, number in counts.items()}
    save("accuracy", keys, counts | {"correct": correct, "correct_of_known": correct})
    right = {"correct": rng.integers(0, 51, 2 * n), "count": np.full(2 * n, 50)}
    save("class_output", [classes, ("named_by", ["model", "classifier"])], right)
    save("ms_ssim", [classes, trained_on, ("pair", list(range(100)))], {"ms_ssim": rng.random(n * 200)})
    keys = [classes, ("iteration", list(range(0, 50_000, 5000)))]
    save("ms_ssim_in_training", keys, {"ms_ssim": rng.random(n * 10)})
    values = {name: rng.random(n * 2) for name in ("fid", "precision", "recall", "density", "coverage")}
    counts = {"training": np.full(n * 2, 1300), "images": np.full(n * 2, 50)}
    save("intra_class", [classes, baselined], values | counts)
    keys = [classes, ("path", ["linear", "spherical"]), ("walk", list(range(4)))]
    steps = {name: rng.random(n * 8) for name in ("length", "largest_step", "largest_over_mean")}
    save("smoothness", keys, steps)
    keys = [baselined, classes, ("image", list(range(20)))]
    keys += [("metric", ["l1", "ms_ssim"]), ("scope", ["class", "split"])]
    sought = n * 2 * 20 * 4
    found = {"neighbour": rng.integers(0, IMAGES, sought), "neighbour_class": rng.choice(ids, sought)}
    save("neighbours", keys, found | {"distance": 100 * rng.random(sought)})


def write_metrics_of_all(layout: Layout, ids: list[str]) -> None:
    frames = {
        "inception_score": pd.DataFrame({"set": ["fresh"], "group": 0, "images": 5000, "score": 8.0}),
        "distribution": pd.DataFrame(
            {
                "source": ["generated"],
                "metric": "fid",
                "value": 50.0,
                "std": np.nan,
                "training": 1,
                "images": 1,
            }
        ),
        "classification": pd.DataFrame(
            {"class_id": ids * 2, "trained_on": np.repeat(["generated", "training"], len(ids))}
        ).assign(correct=1, count=2),
    }
    for metric, frame in frames.items():
        for path, own in zip(files(metric, layout, WHOLE), (frame, frame[:0]), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            own.to_parquet(path)


def write_images(
    layout: Layout, split: str, ids: list[str], rng: np.random.Generator, *, side: int, like: str | None
) -> None:
    manifest = {"libraries": {}, "commit": None, "images": {"train": 1, "held_out": 1}}
    manifest |= {"rejected": {"train": [], "held_out": []}, "converted": {"train": {}, "held_out": {}}}
    manifest |= {"settings": {"model": {"family": "acgan"}}, "engine": {"precision": "torch.float32"}}
    for of in (layout.arrays, layout.samples, layout.latent, layout.train):
        folder = of(split)
        folder.mkdir(parents=True)
        (folder / "facts.json").write_text(json.dumps({"classes": ids, "resolution": side}))
        (folder / "manifest.json").write_text(json.dumps(manifest))
        if like is not None:
            for file in of(like).iterdir():
                if not (folder / file.name).exists():
                    os.link(file, folder / file.name)
    if like is None:
        labels = np.repeat(np.arange(SPLIT), IMAGES)
        for of in (layout.arrays, layout.samples):
            np.save(of(split) / "images.npy", crops(rng, len(labels), side))
            np.save(of(split) / "labels.npy", labels)
        shape = (SPLIT, 2, 16, side, side, 3)
        walk = crops(rng, int(np.prod(shape[:3])), side).reshape(shape)
        square = mixed(crops(rng, SPLIT * 4, side).reshape(SPLIT, 2, 2, *walk.shape[3:]), rng)
        tensors = {"linear": walk, "spherical": walk, "square": square}
        save_file(tensors, layout.latent(split) / "images.safetensors")
        line = {"iteration": 50_000, "loss_discriminator": 1.0, "loss_generator": 1.0}
        (layout.train(split) / "history.jsonl").write_text(json.dumps(line) + "\n")


def mixed(corners: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """uint8 (K, N, N, R, R, 3) between corners (K, 2, 2, R, R, 3), with noise of their own as all images."""
    share = np.linspace(0, 1, LatentSettings().square)
    ends = np.stack([1 - share, share], axis=1)
    images = np.einsum("ia,jb,kabyxc->kijyxc", ends, ends, corners, optimize=True)
    return np.clip(images + rng.normal(0, NOISE, images.shape), 0, 255).astype(np.uint8)


def crops(rng: np.random.Generator, count: int, side: int) -> NDArray[np.uint8]:
    """uint8 (count, side, side, 3)."""
    photographs = [getattr(data, name)() for name in PHOTOGRAPHS]
    found = []
    for _ in range(count):
        photograph = photographs[rng.integers(len(photographs))]
        width = int(rng.integers(side, min(photograph.shape[:2])))
        top, left = (int(rng.integers(0, room - width + 1)) for room in photograph.shape[:2])
        crop = Image.fromarray(photograph[top : top + width, left : left + width, :3])
        found.append(np.asarray(crop.resize((side, side), Image.Resampling.LANCZOS)))
    images = np.stack(found) + rng.normal(0, NOISE, (count, side, side, 3))
    return np.clip(images, 0, 255).astype(np.uint8)


def write_figures(layout: Layout) -> None:
    figure = Figure(figsize=(6, 4))
    figure.subplots().plot([0, 1])
    for name in FiguresSettings.model_fields:
        for suffix in ("svg", "png"):
            layout.figure(name, suffix).parent.mkdir(exist_ok=True)
            figure.savefig(layout.figure(name, suffix))


def tell_sizes(site: Path) -> None:
    sizes = Counter[str]()
    files = [path for path in site.rglob("*") if path.is_file()]
    for path in files:
        kind = path.name.split(".")[-2] if path.parent.name == "images" else path.parent.name
        sizes[f"{kind} {path.suffix}" if path.parent != site else path.name] += path.stat().st_size
    print(f"{sum(sizes.values()) / 1e6:.0f} MB in {len(files)} files")
    for kind, size in sizes.most_common(MOST_LISTED):
        print(f"  {size / 1e6:8.1f} MB  {kind}")


def tell_opening(site: Path) -> None:
    """From the click to the page drawn and its script done, in a Chromium without a window."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        print("no chromium and chromedriver here: opening not measured")
        return
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for word in ("headless", "no-sandbox", "disable-gpu", "window-size=1280,900"):
        options.add_argument(f"--{word}")
    browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    timing = """const [page] = performance.getEntriesByType("navigation");
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        return [page.domContentLoadedEventEnd, page.loadEventEnd, paint ? paint.startTime : NaN,
                document.querySelectorAll("*").length,
                [...document.images].filter((image) => image.complete).length, document.images.length]"""
    sorting = """const sort = document.getElementById("sort"), start = performance.now();
        sort.value = "fid"; sort.dispatchEvent(new Event("change")); document.body.offsetHeight;
        return performance.now() - start"""
    try:
        for page in ("index.html", "classes.html", "classes.html", "classes/n00000005.html"):
            browser.get((site / page).resolve().as_uri())
            time.sleep(1)
            ready, loaded, painted, nodes, begun, images = browser.execute_script(timing)
            print(f"{page}: ready after {ready:.0f} ms, painted {painted:.0f}, loaded {loaded:.0f}", end="")
            print(f"; {nodes} elements, {begun} of {images} images loaded")
        browser.get((site / "classes.html").resolve().as_uri())
        print(f"sorting all classes: {browser.execute_script(sorting):.0f} ms")
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
