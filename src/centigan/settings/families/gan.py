"""GAN (Goodfellow et al., 2014; arXiv:1406.2661): the paper's dense networks, or convolutional ones."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.descent import TwoForms
from centigan.settings.families.contract import ADVERSARIAL, Ability, OfPointsToo, Panels
from centigan.settings.frozen import Count


class GanConfig(OfPointsToo, TwoForms):
    """Model and optimiser of the GAN."""

    title: ClassVar[str] = "GAN"
    implementation: ClassVar[str] = "gan.GAN"
    panels: ClassVar[Panels] = ADVERSARIAL

    family: Literal["gan"] = "gan"
    net: Literal["dense", "convolution"] = Field("dense", description="convolution: that of DCGAN's authors")
    latent: Count = Field(100, description="dimensions of z")
    saturating: bool = Field(False, description="G descends equation 1 itself, log(1 - D(G(z)))")
    update: Literal["simultaneous", "alternating"] = Field(
        "simultaneous", description="G moves by the D before its update, as in the authors' code, or after"
    )
    steps: Count = Field(
        1, description="k of algorithm 1: updates of D, each by another minibatch, to one of G"
    )
    input_dropout: float = Field(0.2, ge=0, lt=1, description="share of D's pixels; net: dense")
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="share of D's hidden units; net: dense")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; D tells how real an image looks."""
        return frozenset({"latent", "discriminates"})

    @property
    def batches(self) -> int:
        """Real minibatches that a step takes: one for each update of D."""
        return self.steps
