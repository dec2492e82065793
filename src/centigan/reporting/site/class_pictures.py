"""Which pictures a class's page shows: real images, samples, nearest training images, walks."""

from centigan.reporting.results import Images, Results
from centigan.reporting.site.measured import Rows
from centigan.reporting.site.pictures import Picture, in_rows, picture
from centigan.sheets import evenly

ACROSS, DOWN = 4, 3  # samples and real images of a class, at most
WALKS, STEPS, STEP_SIDE = 2, 16, 64  # of either path; pixels of a step, at most
PATHS = ("linear", "spherical")


class SplitPictures:
    """The images of one split, opened once for all its classes."""

    def __init__(self, results: Results, split: str, closest: dict[str, dict[str, Rows]]) -> None:
        """`closest`: the samples shown with their neighbours, by metric and class."""
        self.side = results.resolution
        self.closest = closest
        self.first = {
            "real": results.training_images(split, per_class=ACROSS * DOWN),
            "samples": results.samples(split, per_class=ACROSS * DOWN),
        }
        self.walks = [results.walks(split, path) for path in PATHS]
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
        walks = [of_path[class_id] for of_path in self.walks]
        return pictures | {"walks": _walks(walks, tile=min(self.side, STEP_SIDE))}

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
