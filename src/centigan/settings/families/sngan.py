"""SNGAN (Miyato et al., 2018; arXiv:1802.05957): plain or residual networks, hinge or standard loss."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, OfPointsToo, Panels
from centigan.settings.frozen import Count


class SnganConfig(OfPointsToo):
    """Model and optimiser of SNGAN; the defaults are those of the residual networks for CIFAR-10."""

    title: ClassVar[str] = "SNGAN"
    implementation: ClassVar[str] = "sngan.SNGAN"
    resolutions: ClassVar[frozenset[int]] = frozenset({32, 48, 64, 128})
    panels: ClassVar[Panels] = ADVERSARIAL
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64}

    family: Literal["sngan"] = "sngan"
    net: Literal["convolution", "residual"] = Field("residual", description="convolution: table 3")
    loss: Literal["hinge", "standard"] = Field("hinge", description="standard: non-saturating, as GAN's")
    latent: Count = Field(128, description="dimensions of z")
    discriminator_steps: Count = Field(5, description="updates of D for one of G, each on its minibatch")
    generator_batches: Count = Field(
        1, description="images of G's update, over those of D's; 2 in the authors' code for residual networks"
    )
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    decay_over: int = Field(
        0,
        ge=0,
        description="iterations over which both step sizes fall to 0 on a straight line; 0: they stay",
    )
    beta1: float = Field(0.0, ge=0, lt=1)
    beta2: float = Field(0.9, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; D tells how real an image looks."""
        return frozenset({"latent", "decodes", "discriminates"})

    @property
    def batches(self) -> int:
        """One for each update of D."""
        return self.discriminator_steps
