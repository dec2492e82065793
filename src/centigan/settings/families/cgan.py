"""Conditional GAN (Mirza & Osindero, 2014; arXiv:1411.1784), in the convolutional form of DCGAN's authors."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class CganConfig(FamilySettings):
    """Model and optimiser of the conditional GAN."""

    title: ClassVar[str] = "CGAN"
    implementation: ClassVar[str] = "cgan.CGAN"
    panels: ClassVar[Panels] = ADVERSARIAL

    family: Literal["cgan"] = "cgan"
    latent: Count = Field(100, description="dimensions of z")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    weight_decay: float = Field(2.5e-5, ge=0, description="L2 in the gradient, as DCGAN's authors have it")
    saturating: bool = Field(False, description="G descends log D's complement, as the paper prints it")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws images of a class."""
        return frozenset({"by_class", "latent"})
