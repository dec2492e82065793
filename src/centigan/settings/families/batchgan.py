"""BatchGAN (Lucas et al., 2018; arXiv:1806.07185): D predicts the share of real images of a mixed batch."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, OfPointsToo, Panels
from centigan.settings.frozen import Count


class BatchganConfig(OfPointsToo):
    """Model and optimiser of BatchGAN."""

    title: ClassVar[str] = "BatchGAN"
    implementation: ClassVar[str] = "batchgan.BatchGAN"
    resolutions: ClassVar[frozenset[int]] = frozenset({32, 48, 64, 128})
    panels: ClassVar[Panels] = {
        "loss": {"loss_discriminator": "discriminator", "loss_generator": "generator"},
        "nats above the least loss": {"excess": "of the share of real images, by D"},
    }

    family: Literal["batchgan"] = "batchgan"
    prediction: Literal["image", "batch"] = Field(
        "image", description="beside each image a prediction with a loss, M-BGAN; or one of the batch, BGAN"
    )
    spectral: bool = Field(True, description="D's weights are divided by their greatest singular values")
    latent: Count = Field(128, description="dimensions of z")
    discriminator_steps: Count = Field(1, description="updates of D for one of G, each on its minibatch")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def batches(self) -> int:
        """One for each update of D."""
        return self.discriminator_steps

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes."""
        return frozenset({"latent", "decodes"})
