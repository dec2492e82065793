"""PixelCNN++ (Salimans et al., 2017; arXiv:1701.05517)."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count


class PixelcnnConfig(FamilySettings):
    """Model and optimiser of PixelCNN++; its defaults are the paper's for CIFAR-10."""

    title: ClassVar[str] = "PixelCNN++"
    implementation: ClassVar[str] = "pixelcnn.PixelCNN"
    panels: ClassVar[Panels] = {"bits a dimension": {"bits": "of training images"}}
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128, "ema": 0.9995}
    weighs: ClassVar[bool] = False
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 48, 64, 128})
    sampled: ClassVar[tuple[str, ...]] = ("network",)

    family: Literal["pixelcnn"] = "pixelcnn"
    maps: Count = Field(160, description="of every block, before `width`")
    blocks: int = Field(5, ge=1, le=100, description="gated residual blocks of a side, down and back each")
    sides: int = Field(3, ge=1, le=8, description="the image's side and smaller ones, each half the last")
    components: Count = Field(10, description="K, logistics of a pixel's mixture")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of maps that a block leaves out in training")
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size")
    lr_decay: float = Field(0.999995, gt=0, le=1, description="its factor from one iteration to the next")
    beta1: float = Field(0.95, ge=0, lt=1)
    beta2: float = Field(0.9995, ge=0, lt=1)

    @property
    def halvings(self) -> tuple[str, int]:
        """Each side but the first is half of the one before."""
        return "sides", self.sides - 1

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes, tells the likelihood of bytes exactly."""
        return frozenset({"latent", "likelihood", "demonstrates"})
