"""DRAW (Gregor et al., 2015; arXiv:1502.04623), with or without attention."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count, Several


class DrawConfig(FamilySettings):
    """Model and optimiser of DRAW; its defaults are the paper's for MNIST."""

    title: ClassVar[str] = "DRAW"
    implementation: ClassVar[str] = "draw.draw"
    panels: ClassVar[Panels] = {
        "nats of the bound": {"loss_image": "of the image", "loss_code": "of its codes"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128}
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")  # the bound is of both

    family: Literal["draw"] = "draw"
    decoder: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="of images binarised by draws, or of their bytes"
    )
    attention: bool = Field(True, description="reads and writes through windows; false: whole images")
    steps: int = Field(64, ge=1, le=1000, description="T, glimpses of an image")
    units: Count = Field(256, description="of each LSTM; SVHN: 800")
    latent: Count = Field(100, description="dimensions of z_t: a latent has T times as many")
    read: Several = Field(2, description="N of the window that reads, N x N points; SVHN: 12")
    write: Several = Field(5, description="N of the window that writes; SVHN: 12")
    start: Literal["learned", "zero"] = Field("learned", description="first canvas and states")
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size, of encoder and decoder")
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    clip: float | None = Field(5.0, gt=0, description="most norm of the whole gradient; null: any")
    sigma_lr: float = Field(
        1.0e-2, gt=0, description="step size of the logarithm of the decoder's noise; decoder: gaussian"
    )
    sigma_floor: float = Field(
        1.0e-3, gt=0, le=1, description="that noise is above it; levels are 1/128 apart; decoder: gaussian"
    )

    @property
    def abilities(self) -> frozenset[Ability]:
        """Bounds the likelihood of bytes or of binarised images, by its decoder."""
        own: frozenset[Ability] = frozenset({"latent", "encodes", "reconstructs", "demonstrates"})
        return own | {"likelihood" if self.decoder == "gaussian" else "binary_likelihood"}
