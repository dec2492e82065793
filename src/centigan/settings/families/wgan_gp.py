"""WGAN-GP (Gulrajani et al., 2017; arXiv:1704.00028): Algorithm 1, networks of the authors' CIFAR-10 code."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, OfPointsToo, Panels
from centigan.settings.frozen import Count


class WganGpConfig(OfPointsToo):
    """Model and optimiser of WGAN-GP."""

    title: ClassVar[str] = "WGAN-GP"
    implementation: ClassVar[str] = "wgan_gp.WGANGP"
    fights: ClassVar[bool] = False  # a critic
    panels: ClassVar[Panels] = {
        "loss": {"loss_critic": "critic", "loss_generator": "generator"},
        "Wasserstein distance": {"wasserstein": "the critic's estimate"},
        "gradient penalty": {"penalty": "before its weight"},
        "gradient norm": {"norm": "of the critic, between real and generated"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64, "iterations": 200_000}

    family: Literal["wgan_gp"] = "wgan_gp"
    latent: Count = Field(128, description="dimensions of z")
    critic_steps: Count = Field(5, description="updates of the critic for one of G, each on its minibatch")
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty, the paper's lambda")
    generator_lr: float = Field(1.0e-4, gt=0, description="Adam's step size for G")
    critic_lr: float = Field(1.0e-4, gt=0, description="Adam's step size for the critic")
    beta1: float = Field(0.0, ge=0, lt=1, description="0.5 in the authors' code for CIFAR-10")
    beta2: float = Field(0.9, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; the critic tells how real an image looks."""
        return frozenset({"latent", "decodes", "discriminates"})

    @property
    def batches(self) -> int:
        """One for each update of the critic."""
        return self.critic_steps
