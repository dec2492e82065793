"""VAE/GAN (Larsen et al., 2016; arXiv:1512.09300): an autoencoder whose error is one of D's features."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class VaeGanConfig(FamilySettings):
    """Model and optimisers of the VAE/GAN."""

    title: ClassVar[str] = "VAE/GAN"
    implementation: ClassVar[str] = "vae_gan.VAEGAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {
        "nats": {"loss_features": "of D's features", "loss_code": "of the code"},
    }
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")  # an image drawn again needs both

    family: Literal["vae_gan"] = "vae_gan"
    latent: Count = Field(128, description="dimensions of z")
    gamma: float = Field(1.0, ge=0, description="weight of D's features, of which it has the mean, for Dec")
    saturating: bool = Field(
        True, description="Dec descends log(1 - Dis), as in the paper; false: ascends log Dis"
    )
    gated: bool = Field(
        False, description="Dis, or Dec, sits an update out where it is far ahead, as in the authors' code"
    )
    encoder_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for Enc")
    decoder_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for Dec")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for Dis")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Finds codes and draws from them; D has features. No density: Dec tells a mean of features alone."""
        return frozenset({"latent", "encodes", "reconstructs", "represents", "discriminates", "demonstrates"})
