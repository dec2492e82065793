"""Losses as pure functions of logits: likelihoods (AC-GAN, 2 and 3), entropies (CatGAN), hinges (SNGAN, 16).

Each returns a scalar; a log-likelihood is to be *maximised*, and a family negates the sum it descends. All
work in float32 on logits: a softmax or sigmoid fed into a log would lose the small probabilities.
"""

from math import log
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from centigan.types import UNLABELLED


def log_real(source_logits: Tensor) -> Tensor:
    """Mean log P(S = real | x) of source logits (N,)."""
    return F.logsigmoid(source_logits.float()).mean()


def log_fake(source_logits: Tensor) -> Tensor:
    """Mean log P(S = fake | x) of source logits (N,)."""
    return F.logsigmoid(-source_logits.float()).mean()


def hinge_real(logits: Tensor) -> Tensor:
    """Mean min(0, f(x) - 1) of logits (N,): real images on the right side of the margin add nothing."""
    return -F.relu(1 - logits.float()).mean()


def hinge_fake(logits: Tensor) -> Tensor:
    """Mean min(0, -1 - f(x)) of logits (N,), of generated images."""
    return -F.relu(1 + logits.float()).mean()


def log_smoothly_real(source_logits: Tensor, smoothing: float) -> Tensor:
    """Mean log-likelihood of source logits (N,) for a label `real` of which a share is `fake`.

    One-sided label smoothing (Salimans et al. 2016, section 3.4): 0.9 instead of 1 is a smoothing of 0.1;
    what is generated keeps its label 0, so that the best D is (1 - smoothing) p / (p + q).
    """
    real = log_real(source_logits)
    return (1 - smoothing) * real + smoothing * log_fake(source_logits) if smoothing else real


def logits_of_source(class_logits: Tensor) -> Tensor:
    """Source logits (N,) of K class logits (N, K), where a class K + 1, generated, has the logit 0.

    P(real) = Z / (Z + 1) with Z the sum of the exponentials (Salimans et al. 2016, section 5).
    """
    return class_logits.float().logsumexp(1)


def feature_distance(real: Tensor, fake: Tensor, kind: Literal["squared", "absolute"]) -> Tensor:
    """Mean over the features of the distance of their means over (N, F) and (N, F): feature matching."""
    apart = fake.float().mean(0) - real.float().mean(0)
    return apart.square().mean() if kind == "squared" else apart.abs().mean()


def class_log_likelihood(class_logits: Tensor, labels: Tensor) -> Tensor:
    """Mean log P(C = c | x) of class logits (N, K) at labels (N,), over the labelled images.

    A label of -1 means that the class is not known: the image has no class term (section 5). Without
    any labelled image the mean is 0.
    """
    logits = class_logits.float()
    total = F.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return -total / (labels != UNLABELLED).sum().clamp(min=1)


def mean_entropy(logits: Tensor) -> Tensor:
    """Mean over the rows of H(p), nats, of p = softmax of logits (N, K): 0 where each is sure of one."""
    log_p = F.log_softmax(logits.float(), dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean()


def entropy_of_mean(logits: Tensor) -> Tensor:
    """H of the mean over the rows of softmax of logits (N, K), nats: log K where all are used alike."""
    log_p = F.log_softmax(logits.float(), dim=1)
    log_mean = log_p.logsumexp(dim=0) - log(len(logits))
    return -(log_mean.exp() * log_mean).sum()
