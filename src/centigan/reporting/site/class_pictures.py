"""Which pictures a class's page shows: real images, samples, nearest training images, walks, a square."""

from centigan.reporting.results import Images, Results
from centigan.reporting.site.measured import Rows
from centigan.reporting.site.pictures import QUALITY, Picture, in_rows, picture
from centigan.sheets import evenly

ACROSS, DOWN = 4, 3  # samples and real images of a class, at most
WALKS, STEPS, STEP_SIDE = 2, 16, 64  # of either path; pixels of a step, at most
PATHS = ("linear", "spherical")
# of a square's WebP, up to a million pixels: 40 and 66 KB at 64 and 128 px, where it would have 65 and 200
SQUARE_QUALITY = {64: 60, 128: 30}


class SplitPictures:
    """The images of one split, opened once for all its classes."""

    def __init__(self, results: Results, split: str, closest: dict[str, dict[str, Rows]]) -> None:
        """`closest`: the samples shown with their neighbours, by metric and class."""
        self.side = results.resolution
        self.closest = closest
        self.first = {
            "training": results.training_images(split, per_class=ACROSS * DOWN),
            "samples": results.samples(split, per_class=ACROSS * DOWN),
        }
        has_latent = "latent" in results.subject.has
        self.walks = [results.walks(split, path) for path in PATHS] if has_latent else []
        self.squares = results.squares(split) if has_latent else {}
        by_caption = "by_caption" in results.subject.has
        self.captions = results.captions_of_samples(split) if by_caption else []  # of each sample
        self.asked = results.asked(split, per_class=ACROSS * DOWN) if by_caption else {}
        self.generated = results.images(split, "generated")
        self.training = results.images(split, "training")

    def of(self, class_id: str) -> dict[str, Picture]:
        """The pictures of one class, by kind."""
        most = max(len(images[class_id]) for images in self.first.values())
        rows = -(-most // ACROSS)  # the same for both, which stand side by side
        pictures = {
            kind: picture(in_rows(images[class_id], rows=rows, across=ACROSS), across=ACROSS, tile=self.side)
            for kind, images in self.first.items()
        }
        for metric, of_classes in self.closest.items():
            if found := of_classes.get(class_id):
                pictures[metric] = self._nearest(found)
        if not self.walks:
            return pictures
        walks = [of_path[class_id] for of_path in self.walks]
        pictures["walks"] = _walks(walks, tile=min(self.side, STEP_SIDE))
        return pictures | {"square": self._square(class_id)}

    def _square(self, class_id: str) -> Picture:
        """One file for the page's script to cut images out of, and to look at without it."""
        rows = self.squares[class_id]
        quality = SQUARE_QUALITY.get(self.side, QUALITY)
        return picture(list(rows), across=len(rows), tile=self.side, quality=quality)

    def _nearest(self, found: Rows) -> Picture:
        """Samples, below each its nearest training image of the class and of the split."""
        chosen = {name: [row[name] for row in found] for name in found[0]}
        rows = [
            self.generated[chosen["image"]],
            self.training[chosen["neighbour_class"]],
            self.training[chosen["neighbour_split"]],
        ]
        return picture(rows, across=len(found), tile=self.side)


def _walks(paths: list[Images], *, tile: int) -> Picture:
    """Linear above spherical walk, pair by pair: each pair has the same ends."""
    steps = paths[0].shape[1]
    kept = evenly(steps, STEPS)
    rows = [path[walk][kept] for walk in range(min(len(paths[0]), WALKS)) for path in paths]
    return picture(rows, across=len(kept), tile=tile)
