"""Does an image find its class by captions, and a caption by images? (Reed et al., 2016, equations 1 and 2)

A class is the mean of what it is known by, since F is linear in either side:

    image v   -> argmax_c theta(v)' mean_{t in c} phi(t)
    caption t -> argmax_c mean_{v in c} theta(v)' phi(t)
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Embedded(NamedTuple):
    """Images or captions of known class, embedded."""

    vectors: Tensor  # (N, E)
    labels: Tensor  # (N,) int64


def retrieved(asked: Embedded, known_by: Embedded, candidates: Sequence[int]) -> Tensor:
    """The class (N,) that each one asked finds among the candidates, each known by its mean vector."""
    means = torch.stack([known_by.vectors[known_by.labels == label].mean(0) for label in candidates])
    return torch.tensor(candidates)[(asked.vectors @ means.T).argmax(1)]


def share(found: Tensor, labels: Tensor, groups: Sequence[object]) -> float:
    """Share of found classes in the group of the right one; `groups` names that of every class."""
    number = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    group_of = torch.tensor([number[group] for group in groups])
    return float((group_of[found] == group_of[labels]).double().mean())


def chance(labels: Tensor, groups: Sequence[object], candidates: Sequence[int]) -> float:
    """What `share` is on average where a candidate is guessed, each as likely."""
    counts: dict[object, int] = {}
    for label in candidates:
        counts[groups[label]] = counts.get(groups[label], 0) + 1
    return sum(counts.get(groups[label], 0) for label in labels.tolist()) / len(candidates) / len(labels)


def retrieval(
    images: Embedded, captions: Embedded, classes: Sequence[str], unseen: Sequence[int], names: Sequence[str]
) -> dict[str, Any]:
    """Shares that are right: of seen classes among the seen, of unseen ones among the unseen and among all.

    Args:
        images, captions: held out, of any of the classes.
        unseen: positions of the classes that were not trained on.
        names: of the attributes that class ids are of, joined by `_`; none: they are not.

    Returns:
        {"seen", "unseen", "unseen_among_all": {"candidates", "images", "captions", "chance",
        "images_to_text", "text_to_images"}}, and for each attribute the last three again, under
        "attributes". Groups without classes are left out.
    """
    seen = [label for label in range(len(classes)) if label not in unseen]
    grouped: dict[str, Sequence[object]] = {"class": list(classes)}
    for at, name in enumerate(names):
        grouped[name] = [class_id.split("_")[at] for class_id in classes]
    asked = {"seen": (seen, seen), "unseen": (unseen, unseen), "unseen_among_all": (unseen, [*seen, *unseen])}
    found = {}
    for group, (of, among) in asked.items():
        of_group = tuple(_of_classes(each, of) for each in (images, captions))
        present = {int(label) for each in (images, captions) for label in each.labels}
        candidates = [label for label in sorted(among) if label in present]
        if all(len(each.labels) for each in of_group):
            found[group] = _measured(of_group, (captions, images), candidates, grouped)
    return found


def _of_classes(embedded: Embedded, classes: Sequence[int]) -> Embedded:
    chosen = torch.isin(embedded.labels, torch.tensor(classes, dtype=torch.int64))
    return Embedded(embedded.vectors[chosen], embedded.labels[chosen])


def _measured(
    asked: tuple[Embedded, ...],
    known_by: tuple[Embedded, Embedded],
    candidates: list[int],
    grouped: dict[str, Sequence[object]],
) -> dict[str, Any]:
    """`asked` are images and captions, `known_by` captions and images."""
    finds = [retrieved(each, by, candidates) for each, by in zip(asked, known_by, strict=True)]
    numbers = {
        name: {
            "chance": chance(asked[0].labels, groups, candidates),
            "images_to_text": share(finds[0], asked[0].labels, groups),
            "text_to_images": share(finds[1], asked[1].labels, groups),
        }
        for name, groups in grouped.items()
    }
    counts = {"candidates": len(candidates), "images": len(finds[0]), "captions": len(finds[1])}
    return {**counts, **numbers.pop("class"), "attributes": numbers}
