"""Variational autoencoder (Kingma & Welling, 2014; arXiv:1312.6114), convolutional."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class VaeConfig(FamilySettings):
    """Model and optimiser of the VAE."""

    title: ClassVar[str] = "VAE"
    implementation: ClassVar[str] = "vae.VAE"
    panels: ClassVar[Panels] = {
        "loss": {"loss_image": "of the image, bits a dimension", "loss_code": "of its code"},
    }
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")  # the bound is of both

    family: Literal["vae"] = "vae"
    latent: Count = Field(128, description="dimensions of z")
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size, of encoder and decoder")
    sigma_lr: float = Field(1.0e-2, gt=0, description="the same, of the logarithm of the decoder's noise")
    sigma_floor: float = Field(
        1.0e-3, gt=0, le=1, description="that noise is above it; levels are 1/128 apart: 0.1 is 13 of them"
    )
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes, finds codes, bounds the likelihood from below."""
        return frozenset({"latent", "encodes", "reconstructs", "likelihood", "demonstrates"})
