"""Two circles, one within the other: how k-means, RIM and CatGAN divide them (Springenberg 2015, section 4).

Each sees the points alone. k-means cuts the plane in half. RIM (Krause et al. 2010) ascends the terms of
CatGAN's discriminator that are of real points, with the same network from the same kind of first weights,

    M(x) - mean H(x) - lambda |w|^2

which any cut through a sparse place fulfils. CatGAN, which is handed in trained, must be unsure wherever its
generator draws. Of two clusterings the one with the greater M(x) - mean H(x) is chosen, without labels.

Clusters are called by the labels of the points (`confusion`): what is compared is how a cut goes, not how it
does on other points.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.datasets import make_circles
from torch import Generator, Tensor, nn
from torch.optim import Adam

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.families.catgan import point_networks
from centigan.layout import Layout
from centigan.losses import entropy_of_mean, mean_entropy
from centigan.metrics.confusion import classes_of_clusters, confusion, share_right
from centigan.nets.points import initialise_points
from centigan.settings.families.catgan import CatganConfig
from centigan.settings.families.contract import FamilySettings
from centigan.sheets import evenly
from centigan.trained import trained_family
from centigan.types import Clusters, Shape
from centigan.updates import ascend

K_MEANS, RIM = "k-means", "RIM"
MOST, SIDE = 1000, 120  # points that are divided, the paper's number; places of the plane a side
CPU = torch.device("cpu")
Clustering = Callable[[Tensor], Tensor]  # points (N, d) -> cluster (N,)


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/circles/{split}.parquet: method, x1, x2, cluster, accuracy, information.

    A row a method and place of the plane. information: M(x) - mean H(x) of the trained model, nats.

    Raises:
        UserError: for a family that finds no clusters.
    """
    family, _, _ = trained_family(layout, split, model, device)
    if not isinstance(family, Clusters):
        raise UserError(f"split {split}: {model.title} finds no clusters")
    folder = layout.arrays(split)
    rows = evenly(len(np.load(folder / "labels.npy", mmap_mode="r")), MOST)
    points = torch.from_numpy(np.load(folder / "images.npy")[rows])
    labels = np.load(folder / "labels.npy")[rows].astype(np.int64)
    config = model if isinstance(model, CatganConfig) else CatganConfig(clusters=2)
    found = divisions(config, family, points, labels, seed=0, side=SIDE)
    places = plane_around(points, SIDE).numpy()
    told = float(information(family.cluster_logits(points)))
    frames = [
        pd.DataFrame(
            {
                "method": "model" if one.method == config.title else one.method,
                "x1": places[:, 0],
                "x2": places[:, 1],
                "cluster": one.plane.ravel(),
                "accuracy": one.accuracy,
                "information": told,
            }
        )
        for one in found
    ]
    with atomic_path(layout.metric("circles", split)) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)


class Division(NamedTuple):
    """How one method divides points and the plane around them."""

    method: str
    found: NDArray[np.int64]  # (N,) the cluster of each point
    plane: NDArray[np.int64]  # (S, S) of the places of `plane_around`, row by row
    accuracy: float  # share of the points whose cluster is called by their label


def two_circles(count: int = 1000, seed: int = 0) -> tuple[Tensor, NDArray[np.int64]]:
    """Points (N, 2) over their standard deviation, on circles of radius 1 and .5 with noise; labels (N,)."""
    points, labels = make_circles(count, noise=0.05, factor=0.5, random_state=seed)
    return torch.from_numpy((points / points.std()).astype(np.float32)), labels


def divisions(
    config: CatganConfig,
    family: Clusters,
    points: Tensor,
    labels: NDArray[np.int64],
    *,
    seed: int,
    side: int = 200,
    iterations: int = 1000,
) -> list[Division]:
    """Of k-means, of RIM with the networks and the learning rate of these settings, of a trained family.

    `side`: places of the plane a side; `iterations`: of RIM.
    """
    network = rim(config, points, Generator().manual_seed(seed), iterations=iterations)
    methods: dict[str, Clustering] = {
        K_MEANS: k_means(points, config.clusters, seed),
        RIM: of_network(network),
        config.title: lambda x: family.cluster_logits(x).argmax(dim=1),
    }
    plane = plane_around(points, side)
    found = {name: (find(points).numpy(), find(plane).numpy()) for name, find in methods.items()}
    return [
        _division(name, at_points, around.reshape(side, side), labels, config.clusters)
        for name, (at_points, around) in found.items()
    ]


def _division(
    method: str, found: NDArray[np.int64], plane: NDArray[np.int64], labels: NDArray[np.int64], clusters: int
) -> Division:
    counts = confusion(labels, found, int(labels.max()) + 1, clusters)
    return Division(method, found, plane, share_right(counts, classes_of_clusters(counts)))


def plane_around(points: Tensor, side: int, margin: float = 1.2) -> Tensor:
    """(side^2, 2): places of a square grid, the lowest row first, so much wider than the points."""
    steps = torch.linspace(-1, 1, side) * points.abs().max() * margin
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y], dim=-1).view(-1, 2)


def k_means(points: Tensor, clusters: int, seed: int) -> Clustering:
    """Fitted to points (N, d), the best of ten beginnings."""
    fitted = KMeans(clusters, n_init=10, random_state=seed).fit(points.numpy())
    return lambda x: torch.from_numpy(fitted.predict(x.numpy()).astype(np.int64))


def rim(
    config: CatganConfig,
    points: Tensor,
    rng: Generator,
    *,
    iterations: int,
    batch_size: int = 300,
    penalty: float = 1e-4,
) -> nn.Module:
    """CatGAN's discriminator without a generator: points (N, d) -> logits (N, K), trained on (N, d)."""
    shape = Shape(0, 0, dimensions=points.shape[1])
    network = point_networks(config, shape, config.clusters)["discriminator"]
    initialise_points(network, rng)
    adam = Adam(network.parameters(), config.discriminator_lr, (config.beta1, config.beta2), fused=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.initial_seed())  # the noise within
        for _ in range(iterations):
            logits = network(points[torch.randperm(len(points), generator=rng)[:batch_size]])
            weights = [w.square().sum() for w in network.parameters() if w.ndim > 1]
            ascend(information(logits) - penalty * torch.stack(weights).sum(), adam)
    return network.eval()


def of_network(network: nn.Module) -> Clustering:
    """The clusters of a network's greatest logits."""

    @torch.no_grad()
    def find(points: Tensor) -> Tensor:
        found: Tensor = network(points).argmax(dim=1)
        return found

    return find


def information(logits: Tensor) -> Tensor:
    """M - mean H of logits (N, K), nats: how much a cluster tells of which point it is."""
    return entropy_of_mean(logits) - mean_entropy(logits)
