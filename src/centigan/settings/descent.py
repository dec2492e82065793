"""Gradient descent as the first papers on GANs have it: a rate that decays, a momentum that rises."""

from typing import Literal

from pydantic import Field

from centigan.settings.families.contract import FamilySettings
from centigan.settings.frozen import Count, Frozen


class SgdSettings(Frozen):
    """Goodfellow et al. (2014), for MNIST: mnist.yaml of their code, whose epochs have 500 iterations."""

    generator_lr: float = Field(0.1, gt=0, description="first step size for G")
    discriminator_lr: float = Field(0.05, gt=0, description="first step size for D, up V; theirs: .1, up V/2")
    decay: float = Field(1.000004, ge=1, description="divides the step size after every iteration")
    least: float = Field(1.0e-6, ge=0, description="step size that decays no more")
    momentum: float = Field(0.5, ge=0, lt=1, description="of the first iteration")
    final_momentum: float = Field(0.7, ge=0, lt=1, description="reached by a straight line")
    momentum_rise: Count = Field(125_000, description="iterations that it takes: 250 epochs")


class TwoForms(FamilySettings):
    """A family with a dense form, moved by gradient descent, and a convolutional one, moved by Adam."""

    net: Literal["dense", "convolution"]
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G; net: convolution")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D; net: convolution")
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")
    weight_decay: float = Field(2.5e-5, ge=0, description="L2 in Adam's gradient, as DCGAN's authors have it")
    sgd: SgdSettings = Field(SgdSettings(), description="optimiser of net: dense")
