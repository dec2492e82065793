"""Conditional GAN (Mirza & Osindero, 2014; arXiv:1411.1784): dense, or as DCGAN's authors have it."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from centigan.settings.descent import SgdSettings, TwoForms
from centigan.settings.families.contract import ADVERSARIAL, Ability, Panels
from centigan.settings.frozen import Count

OF_THE_DENSE_FORM = ("net", "input_dropout", "hidden_dropout", "sgd")


class CganSgdSettings(SgdSettings):
    """As for GAN, but the rate decays ten times as fast (section 4.1)."""

    decay: float = Field(1.00004, ge=1, description="divides the step size after every iteration")


class CganConfig(TwoForms):
    """Model and optimiser of the conditional GAN."""

    title: ClassVar[str] = "CGAN"
    implementation: ClassVar[str] = "cgan.CGAN"
    panels: ClassVar[Panels] = ADVERSARIAL

    family: Literal["cgan"] = "cgan"
    net: Literal["dense", "convolution"] = Field("convolution", description="dense: the paper's")
    latent: Count = Field(100, description="dimensions of z")
    saturating: bool = Field(False, description="G descends log D's complement, as the paper prints it")
    input_dropout: float = Field(0.0, ge=0, lt=1, description="share of D's pixels, GAN's .2; net: dense")
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="share of hidden units of both; net: dense")
    sgd: CganSgdSettings = Field(CganSgdSettings(), description="optimiser of net: dense")

    @model_serializer(mode="wrap")
    def _convolution_goes_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Trainings from before the dense form was there are those without its settings."""
        written: dict[str, Any] = values(self)
        if self.net == "convolution":
            for key in OF_THE_DENSE_FORM:
                if getattr(self, key) == type(self).model_fields[key].default:
                    written.pop(key, None)
        return written

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws images of a class."""
        return frozenset({"by_class", "latent"})
