"""A style encoder for a generator that is told captions (Reed et al., 2016; arXiv:1605.05396)."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, ByCaption, Panels, StartingFromAnother


class StyleEncoderConfig(ByCaption, StartingFromAnother):
    """An encoder and its optimiser; the generator is another experiment's."""

    title: ClassVar[str] = "Style encoder"
    implementation: ClassVar[str] = "style_encoder.StyleEncoding"
    panels: ClassVar[Panels] = {
        "loss": {"loss_style": "squared distance of z"},
        "z of drawn images": {"found": "share that is found"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 64}
    sampled: ClassVar[tuple[str, ...]] = ("style",)
    asked_of_parent: ClassVar[Ability] = "by_caption"
    lacking: ClassVar[str] = "which is told no captions; these families are"

    family: Literal["style_encoder"] = "style_encoder"
    starts_from: str = Field(
        "",
        description="an experiment of the same protocol, whose generator it is for: captioned_shapes/gan_cls",
    )
    lr: float = Field(2.0e-4, gt=0, description="Adam's step size")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws what the generator draws of a caption; finds the latent of an image."""
        return frozenset({"by_caption", "latent", "encodes", "demonstrates"})
