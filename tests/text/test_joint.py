"""Equations of the structured joint embedding, then what trains by them."""

import pytest
import torch
from torch import Generator, nn

from centigan.nets.captions import Linear
from centigan.settings.text import TextSettings
from centigan.text.joint import Drawer, Pairs, joint_loss, learn_jointly


@pytest.mark.parametrize("classes", [2, 5, 40])
def test_equal_scores_lose_k_less_one_of_k_a_side(classes: int) -> None:
    loss = joint_loss(torch.full((classes, classes), 0.7))
    assert loss == pytest.approx(2 * (classes - 1) / classes)


def test_scores_that_are_right_by_one_lose_nothing_and_by_less_what_lacks() -> None:
    assert joint_loss(torch.eye(4)) == 0
    assert joint_loss(3 * torch.eye(4) - 7) == 0
    assert joint_loss(0.75 * torch.eye(4)) == pytest.approx(2 * 0.25 * 3 / 4)


def test_images_and_captions_may_swap_roles() -> None:
    scores = torch.randn(6, 6, generator=Generator().manual_seed(0))
    assert joint_loss(scores.T) == pytest.approx(joint_loss(scores).item())


def test_the_loss_is_the_papers_sum_written_out() -> None:
    scores = torch.randn(3, 3, generator=Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for i in range(3):
        for j in (other for other in range(3) if other != i):
            total += max(0.0, 1 + float(scores[i, j] - scores[i, i]))
            total += max(0.0, 1 + float(scores[j, i] - scores[i, i]))
    assert joint_loss(scores) == pytest.approx(total / 9)


def test_a_caption_that_all_images_prefer_is_lost_by_the_captions_alone() -> None:
    """Image 0 scores 2 more than every other with any caption: images tell captions, captions no images."""
    scores = 5 * torch.eye(3) + torch.tensor([[9.0], [0.0], [0.0]])
    assert joint_loss(scores) == pytest.approx(2 * 5 / 9)  # captions 1 and 2: 1 + 9 - 5 each


def test_both_encoders_are_taught() -> None:
    rng = Generator().manual_seed(0)
    images, captions = (torch.randn(4, 3, generator=rng, requires_grad=True) for _ in range(2))
    joint_loss(images @ captions.T).backward()
    for each in (images, captions):
        assert each.grad is not None
        assert each.grad.abs().sum() > 0


def pairs(images: int = 12, classes: int = 3) -> Pairs:
    """Features of images, one-hot by class, and one-hot codes of captions, 1 to 3 an image."""
    rng = Generator().manual_seed(0)
    of_class = torch.tensor([images // classes] * classes)
    labels = torch.arange(classes).repeat_interleave(of_class)
    of_image = torch.tensor([1, 2, 3] * (images // 3))
    seen = torch.eye(classes)[labels] + 0.1 * torch.randn(images, classes, generator=rng)
    return Pairs(seen, torch.eye(classes)[labels.repeat_interleave(of_image)], of_class, of_image)


def test_a_minibatch_has_different_classes_and_captions_of_its_very_images() -> None:
    known = pairs()
    drawer = Drawer(known, 2, Generator().manual_seed(0))
    owner = torch.arange(12).repeat_interleave(known.of_image)  # image of each caption
    drawn = [drawer.draw() for _ in range(300)]
    for images, captions in drawn:
        assert len(set((images // 4).tolist())) == 2
        assert owner[captions].tolist() == images.tolist()
    assert set(torch.cat([images for images, _ in drawn]).tolist()) == set(range(12))
    assert set(torch.cat([captions for _, captions in drawn]).tolist()) == set(range(24))


def test_of_fewer_classes_than_a_minibatch_asks_for_all_are_in_it() -> None:
    images, _ = Drawer(pairs(), 40, Generator().manual_seed(0)).draw()
    assert sorted((images // 4).tolist()) == [0, 1, 2]


def networks(seed: int = 0) -> tuple[nn.Module, nn.Module]:
    rng = Generator().manual_seed(seed)
    return Linear(3, 4, rng), Linear(3, 4, rng)


def test_training_tells_classes_apart_and_leaves_networks_at_rest() -> None:
    known, (seen_by, read_by) = pairs(), networks()
    learn_jointly(seen_by, read_by, known, TextSettings(iterations=150, lr=1e-2), Generator().manual_seed(0))
    found = (seen_by(known.images) @ read_by(torch.eye(3)).T).argmax(1)
    assert found.tolist() == torch.arange(3).repeat_interleave(4).tolist()
    for network in (seen_by, read_by):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(("decay", "alike"), [(1.0, False), (1e-9, True)])
def test_the_step_size_falls_after_every_pass_over_the_images(decay: float, alike: bool) -> None:
    """12 images, 3 a minibatch: with a decay to nothing the 5th step and later ones change no weight."""
    weights = []
    for iterations in (4, 30):
        seen_by, read_by = networks()
        settings = TextSettings(iterations=iterations, lr=1e-3, decay=decay)
        learn_jointly(seen_by, read_by, pairs(), settings, Generator().manual_seed(0))
        weights.append(torch.cat([seen_by.weight, read_by.weight]))
    assert torch.allclose(*weights, atol=1e-6) is alike


def test_the_first_step_of_both_networks_is_of_the_whole_step_size() -> None:
    """RMSprop's first step is lr / sqrt(1 - 0.99) of every weight with a gradient."""
    pair = networks()
    before = [network.weight.clone() for network in pair]
    learn_jointly(*pair, pairs(), TextSettings(iterations=1, lr=1e-3), Generator().manual_seed(0))
    for network, first in zip(pair, before, strict=True):
        moved = (network.weight - first).abs()
        assert (moved > 1e-6).sum() > 4
        assert torch.allclose(moved[moved > 1e-6], torch.tensor(1e-2), rtol=1e-3)
