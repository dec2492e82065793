"""CatGAN (Springenberg, 2015; arXiv:1511.06390): the dense networks for MNIST, or those for CIFAR-10."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, OfPointsToo, Panels, PointNetworks
from centigan.settings.frozen import Count, Several


class CatganConfig(OfPointsToo):
    """Model and optimiser of CatGAN."""

    title: ClassVar[str] = "CatGAN"
    implementation: ClassVar[str] = "catgan.catgan"
    panels: ClassVar[Panels] = {
        "loss": {"loss_discriminator": "discriminator", "loss_generator": "generator"},
        "entropy of D's answers": {"entropy_real": "of real images", "entropy_fake": "of generated"},
        "entropy of their mean": {"spread_real": "of real images", "spread_fake": "of generated"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 100}
    # D too: its clusters are what is measured, so that train.ema averages it
    sampled: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    family: Literal["catgan"] = "catgan"
    net: Literal["dense", "convolution"] = Field("dense", description="dense: for MNIST; the other: CIFAR-10")
    clusters: Several = Field(20, description="K; with semi_supervised as many as there are classes instead")
    semi_supervised: bool = Field(False, description="D also names the class of labelled images")
    supervised_weight: float = Field(1.0, ge=0, description="weight of that, the paper's lambda")
    latent: Count = Field(128, description="dimensions of z")
    noise: float = Field(0.3, ge=0, description="std of the noise in D")
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    weight_decay: float = Field(1.0e-5, ge=0, description="L2 in Adam's gradient")
    rate: Literal["constant", "falls"] = Field(
        "constant", description="falls: constant for half of rate_zero_at, then a straight line to 0"
    )
    rate_zero_at: Count = Field(5000, description="iteration at which the step sizes are 0; rate: falls")
    points: PointNetworks = Field(
        PointNetworks(generator_units=100, discriminator_units=100, discriminator_layers=3),
        description="networks under a protocol of points",
    )

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws without classes; D tells clusters apart, which are the classes where it is told some."""
        own: frozenset[Ability] = frozenset({"latent", "clusters"})
        return own | {"classifies"} if self.semi_supervised else own

    @property
    def takes_labelled_apart(self) -> bool:
        """Among all images too few of a minibatch may be labelled."""
        return self.semi_supervised
