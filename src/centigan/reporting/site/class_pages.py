"""classes/<address>.html and its pictures: everything that was measured of one class."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from jinja2 import Environment

from centigan.reporting.results import Results
from centigan.reporting.site import measured
from centigan.reporting.site.class_pictures import SplitPictures
from centigan.reporting.site.classes import ListedClass
from centigan.reporting.site.curve import accuracy_curve
from centigan.reporting.site.writer import Site
from centigan.settings import Settings

CLOSEST = {"l1": 4, "ms_ssim": 2}  # samples shown with their neighbours


class ClassPages:
    """Pages of all classes; reads what was measured at once and the images split by split."""

    def __init__(self, results: Results, settings: Settings, classes: list[ListedClass]) -> None:
        """Read the metrics, so that a missing file is told before anything is written."""
        self.results = results
        self.settings = settings
        self.classes = classes
        self.addresses = {listed.id: listed.address for listed in classes}
        self.accuracy = measured.accuracy(results)
        self.ms_ssim = measured.ms_ssim(results)
        self.intra_class = measured.intra_class(results)
        self.evenness = measured.evenness(results) if "smoothness" in results.metrics else {}
        self.closest = {name: measured.closest(results, name, count) for name, count in CLOSEST.items()}

    def write(self, site: Site, pages: Environment, split: str, pool: Executor) -> None:
        """Write pages and pictures of one split's classes."""
        template = pages.get_template("class.html.j2")
        pictures = SplitPictures(self.results, split, self.closest)
        write = partial(self._write_class, site, template.render, pictures)
        own = [position for position, listed in enumerate(self.classes) if listed.split == split]
        for _ in pool.map(write, own):
            pass

    def _write_class(
        self,
        site: Site,
        render: Callable[..., str],
        split: SplitPictures,
        position: int,
    ) -> None:
        listed = self.classes[position]
        pictures = split.of(listed.id)
        for kind, made in pictures.items():
            site.write(f"images/{listed.address}.{kind}.webp", made.content)
        captions = {"asked": split.asked.get(listed.id, []), "captions": split.captions}
        page = render(
            root="../",
            listed=listed,
            previous=self.classes[position - 1] if position else None,
            next=self.classes[position + 1] if position + 1 < len(self.classes) else None,
            number=position + 1,
            count=len(self.classes),
            pictures=pictures,
            **captions,
            **self._facts(listed),
        )
        site.write(f"classes/{listed.address}.html", page)

    def _facts(self, listed: ListedClass) -> dict[str, Any]:
        return {
            "resolution": self.results.resolution,
            "chance": 1 / self.results.summary["judge/asked"],
            "judge": self.results.judge["name"],
            "accuracy": self.accuracy[listed.id],
            "curve": accuracy_curve(self.accuracy[listed.id]),
            "ms_ssim": {row["source"]: row for row in self.ms_ssim[listed.id]},
            "intra_class": {row["source"]: row for row in self.intra_class[listed.id]},
            "evenness": {row["path"]: row["largest_over_mean"] for row in self.evenness.get(listed.id, [])},
            "closest": {name: rows.get(listed.id, []) for name, rows in self.closest.items()},
            "duplicate_below": self.settings.neighbours.duplicate_below,
            "addresses": self.addresses,
            "less_diverse": listed.id in self.results.less_diverse,
            "most_uniform": self.results.most_uniform,
        }
