"""Real NVP (Dinh et al., 2017; arXiv:1605.08803): couplings whose inverse and determinant are known."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, Panels, PointCouplings, WithPoints
from centigan.settings.frozen import Count


class RealNvpConfig(WithPoints):
    """Model and optimiser of real NVP."""

    title: ClassVar[str] = "Real NVP"
    implementation: ClassVar[str] = "real_nvp.RealNvp"
    panels: ClassVar[Panels] = {
        "bits a dimension": {"bits": "of training images"},
        "scale": {"scale": "standard deviation of y"},
    }
    weighs: ClassVar[bool] = False
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 48, 64, 128})
    sampled: ClassVar[tuple[str, ...]] = ("flow",)

    family: Literal["real_nvp"] = "real_nvp"
    maps: Count = Field(64, description="of the networks of the first scale; twice as many at each further")
    blocks: Count = Field(8, description="residual blocks of these networks")
    scales: Count = Field(2, le=5, description="the last has checkerboards alone, the others a squeeze each")
    norm: Literal["actnorm", "none"] = Field("actnorm", description="after each coupling")
    temperature: float = Field(1.0, gt=0, le=2, description="standard deviation of z where images are drawn")
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size")
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    decay: float = Field(5.0e-5, ge=0, description="weight of the squares of lengths of weights and of g")
    clip: float = Field(100.0, ge=0, description="greatest norm of the gradient; 0: any")

    points: PointCouplings = Field(
        PointCouplings(), description="couplings under a protocol of points, in a plane"
    )

    @property
    def needs_a_plane(self) -> bool:
        """Couplings are all there is."""
        return True

    @property
    def halvings(self) -> tuple[str, int]:
        """Each scale but the last squeezes; its checkerboards need two pixels."""
        return "scales", self.scales

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes, finds the code of an image, tells its likelihood; the density of a point."""
        return frozenset({"latent", "encodes", "likelihood", "density", "demonstrates"})
