"""The settings of an encoder, q(z|x), of the kinds that coverage- and quality-driven training has."""

from typing import Literal

from pydantic import Field

from centigan.settings.families.contract import PointNetworks, WithPoints
from centigan.settings.frozen import Count


class WithPosterior(WithPoints):
    """A family with such an encoder; its points have the encoder that `points` says."""

    net: Literal["dense", "convolution", "residual"] = Field(
        "convolution", description="those of SNGAN; dense: two hidden layers of `units`"
    )
    posterior: Literal["diagonal", "iaf"] = Field(
        "diagonal", description="q: a Gaussian, or one with an inverse autoregressive flow behind it"
    )
    posterior_steps: Count = Field(2, le=16, description="of that flow; posterior: iaf")
    units: Count = Field(256, description="of a hidden layer of net: dense")
    sigma_lr: float = Field(
        1.0e-2, gt=0, description="Adam's step size for the logarithm of the decoder's noise"
    )
    sigma_floor: float = Field(1.0e-3, gt=0, le=1, description="that noise is above it")

    points: PointNetworks = PointNetworks()
