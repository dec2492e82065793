"""A look at a training while it runs: sheets of samples, their diversity, warnings of collapse."""

import logging
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.journal import Journal, text_until
from centigan.seeds import counter_seed
from centigan.sheets import Images, contact_sheet
from centigan.similarity import ms_ssim, random_pairs

PAIRS = 25  # of a class; at 128 px ten classes take a second
SEED = 0
SMALLEST_TILE = 64  # pixels
log = logging.getLogger(__name__)


class Watch:
    """The snapshots of one split, in `folder`, beside its training images, in `arrays`."""

    def __init__(self, folder: Path, arrays: Path, split: str, classes: list[str], *, since: int) -> None:
        """Warnings begin after iteration `since`: at first the samples of every class are alike."""
        self.folder, self.arrays, self.split, self.classes = folder, arrays, split, classes
        self.since = since
        self.collapsed: set[str] = set()

    def look(self, images: Images, iteration: int) -> None:
        """Write the sheet of samples (K, n, H, W, 3) and their diversity; warn of each class once.

        They only inform: what cannot be written is told, and the training goes on.
        """
        try:
            self._write_sheet(images, iteration)
        except (UserError, OSError) as error:
            log.warning("split %s: no sheet of samples at iteration %d: %s", self.split, iteration, error)
        values = {name: self._diversity(own, name) for name, own in zip(self.classes, images, strict=True)}
        path = self.folder / "ms_ssim.jsonl"
        with closing(Journal(path, text_until(path, iteration - 1), needed=False)) as journal:
            journal.write(iteration, {name: value for name, value in values.items() if np.isfinite(value)})
        self._warn(values, iteration)

    def _write_sheet(self, images: Images, iteration: int) -> None:
        tile = max(images.shape[2], SMALLEST_TILE)
        sheet = contact_sheet(list(images), across=images.shape[1], tile=tile)
        with atomic_path(self.folder / f"{iteration:08d}.png") as temporary:
            Image.fromarray(sheet).save(temporary)

    def _warn(self, values: dict[str, float], iteration: int) -> None:
        for name, value in values.items() if iteration > self.since else ():
            if value > self.threshold and name not in self.collapsed:
                self.collapsed.add(name)
                log.warning(
                    "split %s: class %s collapses: by iteration %d its samples have a mean MS-SSIM of %.2f, "
                    "the most uniform class of training images has %.2f",
                    self.split,
                    name,
                    iteration,
                    value,
                    self.threshold,
                )

    @cached_property
    def threshold(self) -> float:
        """Greatest mean MS-SSIM of any class of training images (the red line of Fig 5)."""
        images = np.load(self.arrays / "images.npy", mmap_mode="r")
        labels = np.load(self.arrays / "labels.npy")
        own = (np.flatnonzero(labels == label) for label in range(len(self.classes)))
        return max(
            self._diversity(images[rows[:100]], name) for rows, name in zip(own, self.classes, strict=True)
        )

    def _diversity(self, images: Images, name: str) -> float:
        rng = np.random.default_rng(counter_seed(SEED, name, "watch"))
        pairs = random_pairs(len(images), PAIRS, rng)
        return float(ms_ssim(images[pairs[:, 0]], images[pairs[:, 1]]).mean())
