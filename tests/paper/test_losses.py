"""Equations 2 and 3 at points where algebra gives the value."""

import math

import torch

from centigan.losses import class_log_likelihood, log_fake, log_real


def test_an_undecided_discriminator_earns_minus_log_two_on_each_side() -> None:
    logits = torch.zeros(5)
    assert math.isclose(log_real(logits), -math.log(2), rel_tol=1e-6)
    assert math.isclose(log_fake(logits), -math.log(2), rel_tol=1e-6)


def test_a_uniform_classifier_earns_minus_log_k() -> None:
    value = class_log_likelihood(torch.zeros(4, 10), torch.tensor([0, 3, 6, 9]))
    assert math.isclose(value, -math.log(10), rel_tol=1e-6)


def test_odds_of_three_to_one_give_the_log_of_three_quarters() -> None:
    logits = torch.full((2,), math.log(3))
    assert math.isclose(log_real(logits), math.log(3 / 4), rel_tol=1e-6)
    assert math.isclose(log_fake(logits), math.log(1 / 4), rel_tol=1e-6)


def test_a_certain_mistake_keeps_a_finite_value_and_gradient() -> None:
    logits = torch.tensor([-200.0], requires_grad=True)
    value = log_real(logits)
    value.backward()
    assert math.isclose(value.item(), -200.0, rel_tol=1e-6)
    assert logits.grad is not None
    assert math.isclose(logits.grad.item(), 1.0, rel_tol=1e-6)


def test_an_image_without_label_has_no_class_term() -> None:
    """The value and the gradient are those of the labelled part alone (section 5)."""
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=rng, requires_grad=True)
    labels = torch.tensor([2, -1, 0, -1, -1, 3])
    known = labels >= 0
    mixed, alone = class_log_likelihood(logits, labels), class_log_likelihood(logits[known], labels[known])
    assert math.isclose(mixed.item(), alone.item(), rel_tol=1e-6)
    (of_mixed,) = torch.autograd.grad(mixed, logits)
    (of_alone,) = torch.autograd.grad(alone, logits)
    assert torch.allclose(of_mixed, of_alone)
    assert (of_mixed[~known] == 0).all()


def test_a_batch_without_any_label_has_no_class_term_at_all() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    value = class_log_likelihood(logits, torch.full((3,), -1))
    assert value == 0
    assert (torch.autograd.grad(value, logits)[0] == 0).all()
