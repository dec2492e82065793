"""GRAN (Im et al., 2016; arXiv:1602.05110): a recurrent generator that draws an image in steps."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class GranConfig(FamilySettings):
    """Model and optimiser of GRAN."""

    title: ClassVar[str] = "GRAN"
    implementation: ClassVar[str] = "gran.GRAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {"drawing": {"first_step": "share of the first step"}}
    paper: ClassVar[dict[str, Any]] = {"batch_size": 100}

    family: Literal["gran"] = "gran"
    steps: Count = Field(3, description="T, additions to the canvas; the paper's: 1, 3, 5")
    latent: Count = Field(100, description="dimensions of z, which is drawn once")
    generator_lr: float = Field(1.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(4.0e-5, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.9, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")
    weight_decay: float = Field(5.0e-6, ge=0, description="L2 in the gradient of D's dense layers")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Walks through its latents, tells how real an image looks, shows its drawing step by step."""
        return frozenset({"latent", "discriminates", "demonstrates"})
