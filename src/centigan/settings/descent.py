"""Gradient descent as the first papers on GANs have it: a rate that decays, a momentum that rises."""

from pydantic import Field

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
