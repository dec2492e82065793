"""Coverage- and quality-driven training (Lucas et al., 2019; arXiv:1901.01091)."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from centigan.settings.families.contract import (
    Ability,
    Panels,
    PointCouplings,
    PointNetworks,
)
from centigan.settings.frozen import Count, Frozen
from centigan.settings.posterior import WithPosterior

ALWAYS = ("bits a dimension",)  # panels of each model


class FlowSettings(Frozen):
    """The invertible map f behind the decoder (real NVP's)."""

    scales: Count = Field(1, le=4, description="each has three couplings by checkerboards, three by channels")
    maps: Count = Field(64, description="of the networks of the first scale; twice as many at each further")
    blocks: Count = Field(2, description="residual blocks of these networks")
    norm: Literal["actnorm", "none"] = Field("actnorm", description="after each coupling")


class CoveringPoints(PointNetworks):
    """Networks of points: encoder and decoder as the generator, D, and f where there is `flow`."""

    flow: PointCouplings = Field(PointCouplings(), description="couplings of the map f, in a plane")


class CqConfig(WithPosterior):
    """Models and optimisers of one generator under two losses; a weight of 0 leaves one of them out."""

    title: ClassVar[str] = "CQ"
    implementation: ClassVar[str] = "cq.cq"
    panels: ClassVar[Panels] = {
        "bits a dimension": {"bits": "of training images", "bits_code": "of their codes alone"},
        "loss": {"loss_discriminator": "discriminator", "loss_quality": "quality"},
        "D tells the source": {"source_real": "of real images", "source_fake": "of generated"},
    }
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 48, 64, 128})
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    family: Literal["cq"] = "cq"
    coverage_weight: float = Field(
        1.0, ge=0, description="of bits a dimension; 0: a GAN, whose encoder follows its decoder"
    )
    quality_weight: float = Field(0.05, ge=0, description="of minus D's mean logit; 0: a VAE, without D")
    flow: FlowSettings | None = Field(None, description="the map f; null: images are the decoder's own space")
    latent: Count = Field(128, description="dimensions of z")
    discriminator_width: float = Field(1.0, gt=0, le=8, description="multiplier on D's maps or units")
    discriminator_blocks: Count = Field(2, description="of D that do not halve; net: residual")
    noisy: bool = Field(
        False, description="D judges draws with the decoder's noise, not means; points are drawn so, too"
    )
    lr: float = Field(2.0e-4, gt=0, description="Adam's step size, of encoder, decoder and f")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    clip: float = Field(50.0, ge=0, description="greatest norm of the gradient of the two losses; 0: any")

    points: CoveringPoints = Field(
        CoveringPoints(), description="networks under a protocol of points, whatever `net` and `units` are"
    )

    @model_validator(mode="after")
    def _something_is_learnt(self) -> Self:
        if not self.coverage_weight and not self.quality_weight:
            raise ValueError("coverage_weight and quality_weight are both 0: nothing is learnt; raise one")
        return self

    @property
    def curves(self) -> Panels:
        """Without D what it tells is left out."""
        return self.panels if self.quality_weight else {name: self.panels[name] for name in ALWAYS}

    @property
    def needs_a_plane(self) -> bool:
        """The map f is of couplings."""
        return self.flow is not None

    @property
    def halvings(self) -> tuple[str, int]:
        """Each scale of the map squeezes."""
        return "flow.scales", self.flow.scales if self.flow else 0

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes, finds codes, bounds the likelihood; a D tells how real an image looks."""
        found: set[Ability] = {"latent", "encodes", "reconstructs", "likelihood", "noisy", "density"}
        found |= {"decodes", "demonstrates"}
        return frozenset(found | {"discriminates"} if self.quality_weight else found)
