"""AC-GAN (Odena, Olah & Shlens, 2017): Tables 1 and 2."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class AcganConfig(FamilySettings):
    """Model and optimiser of AC-GAN."""

    title: ClassVar[str] = "AC-GAN"
    implementation: ClassVar[str] = "acgan.ACGAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {
        "D names the class": {"class_real": "of real images", "class_fake": "of generated"},
    }

    family: Literal["acgan"] = "acgan"
    latent: Count = Field(100, description="dimensions of z")
    activation_noise: float = Field(0.1, ge=0, description="std of the noise on D's activations")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    saturating: bool = Field(False, description="G descends L_S itself, not its non-saturating form")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws images of a class; D names one."""
        return frozenset({"by_class", "latent", "classifies"})
