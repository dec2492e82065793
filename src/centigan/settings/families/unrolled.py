"""Unrolled GAN (Metz et al., 2016; arXiv:1611.02163): G looks at D as it will be after some steps."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, OfPointsToo, Panels, PointNetworks
from centigan.settings.frozen import Count


class UnrolledConfig(OfPointsToo):
    """Model and optimiser of the unrolled GAN."""

    title: ClassVar[str] = "Unrolled GAN"
    implementation: ClassVar[str] = "unrolled.UnrolledGAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {
        "objective": {"value": "D as it is", "ahead": "after its steps"}
    }

    family: Literal["unrolled"] = "unrolled"
    latent: Count = Field(256, description="dimensions of z")
    steps: int = Field(
        5, ge=0, le=100, description="of D that G looks ahead, the paper's K; 0: the plain GAN"
    )
    saturating: bool = Field(True, description="G descends the objective itself; false: ascends log D(G(z))")
    discriminator_share: float = Field(
        0.25, gt=0, le=64, description="the X of stacked MNIST: D's maps are 8X, 16X, 32X; paper: 1/4 or 1/2"
    )
    generator_lr: float = Field(1.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(1.0e-4, gt=0, description="Adam's step size for D, looked ahead or made")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    points: PointNetworks = Field(
        PointNetworks(discriminator_layers=1, scale=4.0), description="networks under a protocol of points"
    )

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; D tells how real an image looks."""
        return frozenset({"latent", "decodes", "discriminates"})
