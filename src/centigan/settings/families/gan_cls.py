"""Text to image (Reed et al., 2016; arXiv:1605.05396): GAN, GAN-CLS, GAN-INT and GAN-INT-CLS."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, ByCaption, Panels
from centigan.settings.frozen import Count

PAIRS = "D tells pairs"


class GanClsConfig(ByCaption):
    """Model and optimiser; `cls` and `interpolation` make the four variants, by default GAN-CLS."""

    title: ClassVar[str] = "GAN-CLS"
    implementation: ClassVar[str] = "gan_cls.GANCLS"
    panels: ClassVar[Panels] = ADVERSARIAL | {
        PAIRS: {
            "source_wrong": "mismatched pairs told as such",
            "matched": "matching above mismatched ones",
        }
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64}
    fights: ClassVar[bool] = False  # its D judges pairs

    family: Literal["gan_cls"] = "gan_cls"
    cls: float = Field(0.5, ge=0, le=1, description="weight of mismatched pairs; 0: GAN or GAN-INT")
    interpolation: float = Field(
        0.0, ge=0, description="weight of captions between two; 1: GAN-INT, GAN-INT-CLS"
    )
    beta: float = Field(0.5, ge=0, le=1, description="share of the first caption of two in one between them")
    latent: Count = Field(100, description="dimensions of z")
    text_units: Count = Field(128, description="that an embedding is projected to, in G as in D")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    halve_every: int = Field(
        0,
        ge=0,
        description="iterations after which both step sizes are halved, again and again; 0: they stay",
    )
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws what a caption says; D tells whether an image is what one says."""
        return frozenset({"by_caption", "latent", "matches", "demonstrates"})

    @property
    def curves(self) -> Panels:
        """Without mismatched pairs there is nothing to show of them."""
        return self.panels if self.cls else {name: of for name, of in self.panels.items() if name != PAIRS}
