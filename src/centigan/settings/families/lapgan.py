"""LAPGAN (Denton et al., 2015; arXiv:1506.05751): a Laplacian pyramid of adversarial networks."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.descent import SgdSettings
from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class LapganSgdSettings(SgdSettings):
    """Section 3, in iterations: an epoch of the authors' code for CIFAR-10 has 704, of 64 real images."""

    generator_lr: float = Field(0.02, gt=0, description="first step size for G")
    discriminator_lr: float = Field(0.02, gt=0, description="first step size for D, up the mean over images")
    decay: float = Field(1.0000000568, ge=1, description="divides the step size; 1 + 4e-5 an epoch")
    final_momentum: float = Field(0.8, ge=0, lt=1, description="reached by a straight line; their code: .7")
    momentum_rise: Count = Field(264_000, description="iterations that it takes: .0008 an epoch, 375 epochs")


class LapganConfig(FamilySettings):
    """Model and optimiser of LAPGAN, without classes or with them (CC-LAPGAN)."""

    title: ClassVar[str] = "LAPGAN"
    implementation: ClassVar[str] = "lapgan.LAPGAN"
    panels: ClassVar[Panels] = {
        "loss": {
            "loss_discriminator": "discriminators, mean over levels",
            "loss_generator": "generators, mean over levels",
        },
    } | {
        f"D tells the source, {side} px": {
            f"level_{side}_source_real": "of real images",
            f"level_{side}_source_fake": "of generated",
        }
        for side in (
            8,
            16,
            32,
        )  # those that images of every resolution have; the journal holds the others too
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64, "iterations": 264_000}

    family: Literal["lapgan"] = "lapgan"
    conditional: bool = Field(False, description="every network is told the class: CC-LAPGAN")
    latent: Count = Field(100, description="dimensions of z at the coarsest level; others have a plane each")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="sgd: the paper's")
    sgd: LapganSgdSettings = Field(LapganSgdSettings(), description="optimizer: sgd")
    generator_lr: float = Field(
        2.0e-4, gt=0, description="Adam's step size for G above the coarsest level; optimizer: adam"
    )
    discriminator_lr: float = Field(2.0e-4, gt=0, description="the same for D")
    coarsest_lr: float = Field(
        1.0e-3, gt=0, description="Adam's for G and D of the coarsest level, in their place"
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Without classes the finest D tells how real an image looks; else it judges an image of a class."""
        return frozenset({"latent", "demonstrates", "by_class" if self.conditional else "discriminates"})
