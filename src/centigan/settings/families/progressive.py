"""Progressive growing of GANs (Karras et al., 2018; arXiv:1710.10196): its phases, WGAN-GP with drift."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class ProgressiveConfig(FamilySettings):
    """Model and optimiser of the progressive GAN; lengths of phases are counted in real images."""

    title: ClassVar[str] = "Progressive GAN"
    implementation: ClassVar[str] = "progressive.ProgressiveGAN"
    fights: ClassVar[bool] = False  # a critic
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 64, 128})
    panels: ClassVar[Panels] = {
        "loss": {"loss_critic": "critic", "loss_generator": "generator"},
        "Wasserstein distance": {"wasserstein": "the critic's estimate"},
        "gradient penalty": {"penalty": "before its weight"},
        "growth": {"growth": "doublings of 4 px, the last one by its share"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 16, "iterations": 625_000, "ema": 0.999}

    family: Literal["progressive"] = "progressive"
    latent: Count = Field(512, description="dimensions of z")
    maps: Count = Field(
        16_384, description="feature maps times the side in pixels; at most 512, and `width` scales them"
    )
    steady_images: Count = Field(
        800_000, description="real images between fade-ins; 600,000 in the authors' code for 1024 px"
    )
    fade_images: Count = Field(800_000, description="real images while a doubling fades in")
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty, lambda")
    slope: float = Field(1.0, gt=0, description="gamma: |grad f| that is not penalised; 750 for CIFAR-10")
    drift: float = Field(1.0e-3, ge=0, description="weight of the critic's squares on real images")
    generator_lr: float = Field(1.0e-3, gt=0, description="Adam's step size for G")
    critic_lr: float = Field(1.0e-3, gt=0, description="Adam's step size for the critic")
    beta1: float = Field(0.0, ge=0, lt=1)
    beta2: float = Field(0.99, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; the critic tells how real an image looks."""
        return frozenset({"latent", "discriminates"})
