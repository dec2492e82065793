"""Conditional DCGAN, an experiment on CIFAR-100: what an image owes to its label, and what to its noise."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class CdcganConfig(FamilySettings):
    """Model and optimiser of the conditional DCGAN."""

    title: ClassVar[str] = "Conditional DCGAN"
    implementation: ClassVar[str] = "cdcgan.CDCGAN"
    panels: ClassVar[Panels] = ADVERSARIAL
    # 200 epochs of CIFAR-100's 50,000 images
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128, "iterations": 78_125}

    family: Literal["cdcgan"] = "cdcgan"
    latent: Count = Field(100, description="dimensions of z")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's first step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's first step size for D")
    rate_zero_at: Count = Field(
        78_125, description="iteration at which the step sizes, constant for half of them, are 0: 200 epochs"
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")
    weight_decay: float = Field(2.5e-5, ge=0, description="L2 in Adam's gradient, as DCGAN's authors have it")
    label_dropout: float = Field(
        0.0, ge=0, lt=1, description="share of labels that a training takes for the zero vector"
    )

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws images of a class, and the three panels."""
        return frozenset({"by_class", "latent", "demonstrates"})
