"""A look at a training while it runs: sheets of samples, their diversity, warnings of collapse.

Diversity is measured as in the report, on the same pairs unless the experiment changes `ms_ssim`, and judged
by `collapse`; but a training knows the classes of its split alone.
"""

import logging
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.atomic import atomic_path
from centigan.collapse import is_less_diverse
from centigan.errors import UserError
from centigan.journal import Journal, Line, text_until, whole_lines
from centigan.layout import WHOLE
from centigan.settings.evaluation import MsSsimSettings
from centigan.sheets import Images, contact_sheet
from centigan.similarity import ms_ssim_within

MS_SSIM = MsSsimSettings()
SMALLEST_TILE = 64  # pixels
log = logging.getLogger(__name__)


class Watch:
    """The snapshots of one split, in `folder`, beside its training images, in `arrays`."""

    def __init__(self, folder: Path, arrays: Path, split: str, groups: list[str], *, since: int) -> None:
        """`groups`: the classes, or one of all images; warnings begin after iteration `since`.

        At first the samples of every class are alike.
        """
        self.folder, self.arrays, self.split, self.groups = folder, arrays, split, groups
        self.since = since

    def look(self, images: Images, iteration: int) -> None:
        """Write the sheet of samples (G, n, H, W, 3) and their diversity; warn of classes, or take it back.

        They only inform: what cannot be written is told, and the training goes on.
        """
        try:
            self._write_sheet(images, iteration)
        except (UserError, OSError) as error:
            log.warning("split %s: no sheet of samples at iteration %d: %s", self.split, iteration, error)
        rows = np.arange(images.shape[1])
        named = zip(self.groups, images, strict=True)
        values = {name: _mean(own, rows, name, "training") for name, own in named}
        values = {name: value for name, value in values.items() if np.isfinite(value)}
        path = self.folder / "ms_ssim.jsonl"
        before = text_until(path, iteration - 1)
        with closing(Journal(path, before, needed=False)) as journal:
            journal.write(iteration, values)
        if iteration > self.since:
            self._tell(values, whole_lines(before.encode())[-1:], iteration)

    def _write_sheet(self, images: Images, iteration: int) -> None:
        tile = max(images.shape[2], SMALLEST_TILE)
        sheet = contact_sheet(list(images), across=images.shape[1], tile=tile)
        with atomic_path(self.folder / f"{iteration:08d}.png") as temporary:
            Image.fromarray(sheet).save(temporary)

    def _tell(self, values: dict[str, float], last: list[Line], iteration: int) -> None:
        """Say which classes became less diverse since the last look, or recovered; a restart forgets none."""
        told = [line for line in last if line["iteration"] > self.since]
        whole = self.groups == [WHOLE]
        before = {name: value for line in told for name, value in line.items() if name in self.groups}
        for name, value in values.items():
            is_now = is_less_diverse(value, self.most_uniform)
            if is_now == (name in before and is_less_diverse(before[name], self.most_uniform)):
                continue
            log.warning(
                "split %s: %s %s: at iteration %d the mean MS-SSIM of samples is %.2f, that of %s %.2f",
                self.split,
                "samples are" if whole else f"class {name} is",
                "less diverse so far" if is_now else "diverse again",
                iteration,
                value,
                "training images" if whole else "the split's most uniform class of training images",
                self.most_uniform,
            )

    @cached_property
    def most_uniform(self) -> float:
        """Greatest mean MS-SSIM of any of the split's classes of training images."""
        images = np.load(self.arrays / "images.npy", mmap_mode="r")
        labels = np.load(self.arrays / "labels.npy")
        if self.groups == [WHOLE]:
            labels = np.zeros_like(labels)
        return max(
            _mean(images, np.flatnonzero(labels == label), name, "real")
            for label, name in enumerate(self.groups)
        )


def _mean(images: Images, rows: NDArray[np.int64], class_id: str, source: str) -> float:
    return float(ms_ssim_within(images, rows, MS_SSIM, class_id, source).mean())
