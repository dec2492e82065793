"""BiGAN (Donahue, Kraehenbuehl & Darrell, 2017; arXiv:1605.09782): dense as for MNIST, or convolutional."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class BiganConfig(FamilySettings):
    """Model and optimisers of BiGAN."""

    title: ClassVar[str] = "BiGAN"
    implementation: ClassVar[str] = "bigan.BiGAN"
    fights: ClassVar[bool] = False  # D judges pairs; in training one with a code of E is always real
    panels: ClassVar[Panels] = {
        "loss": {"loss_discriminator": "discriminator", "loss_generator": "encoder and generator"},
        "D tells the source": {"source_real": "of real pairs", "source_fake": "of generated"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128}
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "generator")  # each the inverse of the other as it is

    family: Literal["bigan"] = "bigan"
    net: Literal["dense", "convolution"] = Field("dense", description="dense: the authors' for MNIST")
    latent: Count = Field(50, description="dimensions of z; for ImageNet 200")
    prior: Literal["normal", "uniform"] = Field(
        "normal", description="z ~ N(0, I); uniform: U(-1, 1), as the authors have it, and codes lie within"
    )
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's first step size for E and G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's first step size for D")
    constant_for: int = Field(
        78_200, ge=0, description="iterations before step sizes fall: 200 epochs of MNIST"
    )
    decay_over: Count = Field(78_200, description="iterations in which they fall to `last_rate`")
    last_rate: float = Field(0.01, gt=0, le=1, description="of the first step sizes; 1: they stay")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    weight_decay: float = Field(2.5e-5, ge=0, description="L2 in Adam's gradient")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; E finds codes and has features; D tells how real image and code are."""
        return frozenset({"latent", "encodes", "reconstructs", "represents", "discriminates", "demonstrates"})
