"""WGAN (Arjovsky et al., 2017; arXiv:1701.07875): Algorithm 1, networks of the authors' code."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, OfPointsToo, Panels
from centigan.settings.frozen import Count


class WganConfig(OfPointsToo):
    """Model and optimiser of WGAN."""

    title: ClassVar[str] = "WGAN"
    implementation: ClassVar[str] = "wgan.WGAN"
    fights: ClassVar[bool] = False  # a critic
    panels: ClassVar[Panels] = {
        "loss": {"loss_critic": "critic", "loss_generator": "generator"},
        "Wasserstein distance": {"wasserstein": "the critic's estimate, up to a factor"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64}

    family: Literal["wgan"] = "wgan"
    net: Literal["convolution", "dense"] = Field(
        "convolution", description="G's: DCGAN's, or four layers without a convolution; the critic is DCGAN's"
    )
    latent: Count = Field(100, description="dimensions of z")
    critic_steps: Count = Field(5, description="updates of the critic for one of G, each on its minibatch")
    clip: float = Field(0.01, gt=0, description="each number of the critic lies within it, the paper's c")
    generator_lr: float = Field(5.0e-5, gt=0, description="RMSprop's step size for G")
    critic_lr: float = Field(5.0e-5, gt=0, description="RMSprop's step size for the critic")
    smoothing: float = Field(0.99, ge=0, lt=1, description="decay of RMSprop's mean square")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; the critic tells how real an image looks."""
        return frozenset({"latent", "decodes", "discriminates"})

    @property
    def batches(self) -> int:
        """One for each update of the critic."""
        return self.critic_steps
