"""VAE with inverse autoregressive flow (Kingma et al., 2016; arXiv:1606.04934)."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class VaeIafConfig(FamilySettings):
    """Model and optimiser of VAE-IAF; its defaults are the authors' code's for CIFAR-10."""

    title: ClassVar[str] = "VAE-IAF"
    implementation: ClassVar[str] = "vae_iaf.VaeIaf"
    panels: ClassVar[Panels] = {
        "loss": {"loss_image": "of the image, bits a dimension", "loss_code": "of its code"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128, "ema": 0.999}
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 48, 64, 128})
    sampled: ClassVar[tuple[str, ...]] = ("ladder",)

    family: Literal["vae_iaf"] = "vae_iaf"
    posterior: Literal["iaf", "diagonal"] = Field(
        "iaf", description="q of each block: a Gaussian with a flow behind it, or without"
    )
    bidirectional: bool = Field(True, description="q sees the way down, too; false: the way up alone")
    scales: int = Field(2, ge=1, le=6, description="sides of maps, each half of the last, from R/2 on")
    blocks: Count = Field(10, description="blocks a scale, each with a z of its own")
    maps: Count = Field(160, description="feature maps of a block")
    latent: Count = Field(32, description="maps of z of a block")
    steps: int = Field(1, ge=1, le=64, description="of a flow; posterior: iaf")
    autoregressive_layers: int = Field(2, ge=1, le=16, description="hidden layers of a step; posterior: iaf")
    gate_bias: float = Field(2.0, description="what is added to s_t before the sigmoid; posterior: iaf")
    free_bits: float = Field(0.25, ge=0, description="lambda, nats that a map of z may cost for nothing")
    lr: float = Field(2.0e-3, gt=0, description="Adamax's step size")
    scale_lr: float = Field(1.0e-2, gt=0, description="the same, of ln s of the discretised logistic")
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def halvings(self) -> tuple[str, int]:
        """The first scale is of half the side."""
        return "scales", self.scales

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes, finds codes, bounds the likelihood from below."""
        return frozenset({"latent", "encodes", "reconstructs", "likelihood", "demonstrates"})
