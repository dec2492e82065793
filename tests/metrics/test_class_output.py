"""How often a model's own class output is right, and what a classifier of labelled images alone reaches."""

import numpy as np
import pandas as pd
import pytest
import torch
from small import TRAIN
from torch import Tensor

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.class_output import CLASSIFIER, COLUMNS, CPU, MODEL, measure
from centigan.metrics.labels import class_ids_of, right_answers
from centigan.settings.families.cgan import CganConfig
from centigan.settings.stages import TrainStage
from centigan.training.loop import train_split


def with_labels(count: int | None, **train: object) -> TrainStage:
    values = TRAIN.model_dump()
    values["train"] |= train
    values["model"] |= {"activation_noise": 0.0, "discriminator_lr": 1e-3}
    return TrainStage.model_validate(values | {"supervision": {"labelled_per_class": count}})


def measured(layout: Layout, stage: TrainStage) -> pd.DataFrame:
    measure(layout, "00", stage)
    return pd.read_parquet(layout.metric("class_output", "00"))


def test_the_greatest_logit_names_the_class() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0], [5.0, 4.0]])
    named, asked = (
        class_ids_of(x, ["cat", "dog"]) for x in (logits.argmax(1).numpy(), np.array([0, 1, 1, 0]))
    )
    table = right_answers(named, asked).set_index("class_id")
    assert table["correct"].to_dict() == {"cat": 2, "dog": 1}
    assert table["count"].to_dict() == {"cat": 2, "dog": 2}


def test_a_model_that_sees_all_labels_is_measured_alone_and_twice_the_same(layout: Layout) -> None:
    train_split(layout, "00", with_labels(None), device=CPU)
    first = measured(layout, with_labels(None))
    assert tuple(first.columns) == COLUMNS
    assert first["named_by"].unique().tolist() == [MODEL]
    assert first["count"].tolist() == [2, 2]  # held out
    pd.testing.assert_frame_equal(measured(layout, with_labels(None)), first)


def test_few_labels_bring_a_classifier_that_sees_those_alone(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = with_labels(1, iterations=8, batch_size=6, flips=True)
    train_split(layout, "00", stage, device=CPU)
    seen: list[Tensor] = []
    name = "centigan.families.acgan.ACGAN.class_step"
    monkeypatch.setattr(
        name, lambda self, batch: seen.append(torch.cat([batch.images, batch.images.flip(3)]))
    )
    table = measured(layout, stage)
    assert table["named_by"].unique().tolist() == [MODEL, CLASSIFIER]
    assert [len(images) for images in seen] == [12] * 8
    assert len(torch.cat(seen).unique(dim=0)) == 4  # an image of each of two classes, and its mirror image


def test_the_classifier_learns_what_it_is_shown(layout: Layout) -> None:
    folder = layout.arrays("00")
    for prefix in ("", "held_out_"):
        images, labels = (np.load(folder / f"{prefix}{name}.npy") for name in ("images", "labels"))
        images //= 3
        images[labels == 1] += 170  # light, the others dark
        np.save(folder / f"{prefix}images.npy", images)
    stage = with_labels(2, iterations=120)
    train_split(layout, "00", stage, device=CPU)
    table = measured(layout, stage)
    of_classifier = table[table["named_by"] == CLASSIFIER]
    assert of_classifier["correct"].tolist() == of_classifier["count"].tolist()


def test_what_names_no_classes_says_so(layout: Layout) -> None:
    stage = TrainStage(model=CganConfig(width=0.05), train=TRAIN.train)
    train_split(layout, "00", stage, device=CPU)
    with pytest.raises(UserError, match="CGAN names no classes"):
        measured(layout, stage)


def test_a_classifier_whose_weights_begin_with_data_begins_with_labelled_images(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = with_labels(1, iterations=2, batch_size=6).model_dump()
    values["model"] = {"family": "improved", "net": "dense", "width": 0.05}
    stage = TrainStage.model_validate(values)
    train_split(layout, "00", stage, device=CPU)
    calls: list[str] = []
    for name in ("prime", "class_step"):
        monkeypatch.setattr(
            f"centigan.families.improved.ImprovedGAN.{name}",
            lambda _, batch, *rng, name=name: calls.append(name),
        )
    table = measured(layout, stage)
    assert calls == ["prime", "class_step", "class_step"]
    assert sorted(table["named_by"].unique()) == [CLASSIFIER, MODEL]
