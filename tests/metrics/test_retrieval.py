"""Captions: samples found by what was asked, and pairs that D prefers, on constructed embeddings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from centigan.layout import Layout
from centigan.metrics.matched import others
from centigan.metrics.retrieval import retrieved, seen
from centigan.reporting.scores import matched_summary, retrieval_summary

CLASSES = torch.eye(3)
NAMES = ["a", "b", "c"]


def test_an_image_is_found_where_it_fits_its_class_best() -> None:
    images = torch.tensor([[2.0, 1, 0], [0, 1, 2], [0, 3, 1], [0, 0, 1]])
    counts = retrieved(images, CLASSES, torch.tensor([0, 0, 1, 2]), NAMES, {"c"})
    assert counts.set_index("class_id")["retrieved"].to_dict() == {"a": 1, "b": 1, "c": 1}
    assert counts.set_index("class_id")["count"].to_dict() == {"a": 2, "b": 1, "c": 1}
    numbers = retrieval_summary(counts.assign(source="generated"))
    assert numbers == {"retrieval/generated/seen": pytest.approx(3 / 4), "retrieval/generated/unseen": 1}


def test_unseen_classes_may_take_what_was_asked_of_others() -> None:
    images = torch.tensor([[1.0, 0, 2]])
    counts = retrieved(images, CLASSES, torch.tensor([0]), NAMES, {"c"})
    assert counts["retrieved"].tolist() == [0]


def test_a_wrong_image_is_of_another_class_where_there_is_one() -> None:
    labels = torch.tensor([0, 0, 1, 2, 2, 2]).repeat(50)
    wrong = others(labels, torch.Generator().manual_seed(0))
    assert (labels[wrong] != labels).all()
    assert set(wrong[labels == 0].tolist()) <= set((labels != 0).nonzero()[:, 0].tolist())
    assert len(set(wrong.tolist())) > 100


def test_of_one_class_a_wrong_image_is_another_one() -> None:
    wrong = others(torch.zeros(50_000, dtype=torch.int64), torch.Generator().manual_seed(0))  # as COCO has
    assert (wrong != torch.arange(50_000)).all()
    assert len(set(wrong.tolist())) > 30_000


def test_pairs_are_counted_by_class() -> None:
    counts = pd.DataFrame(
        {"class_id": NAMES, "unseen": [False, False, True], "matched": [3, 1, 2], "count": [4, 4, 2]}
    )
    assert matched_summary(counts) == {"matched/seen": 0.5, "matched/unseen": 1}


@pytest.mark.parametrize("shape", [[2, 2, 3], [4]])
def test_theta_sees_images_at_its_size_or_their_features(shape: list[int], tmp_path: Path) -> None:
    layout = Layout("captioned/gan", root=tmp_path)
    layout.text.mkdir(parents=True)
    (layout.text / "facts.json").write_text(json.dumps({"encoder": "bow", "longest": 3, "images": shape}))
    images, features = tmp_path / "images.npy", tmp_path / "features.npy"
    np.save(images, np.full((5, 4, 4, 3), 7, np.uint8))
    np.save(features, np.arange(20, dtype=np.float32).reshape(5, 4))
    found = seen(layout, images, features)
    assert found.shape == (5, *shape)
    assert torch.equal(found, torch.from_numpy(np.load(features)) if len(shape) == 1 else found * 0 + 7)
