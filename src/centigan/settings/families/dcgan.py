"""DCGAN (Radford, Metz & Chintala, 2015; arXiv:1511.06434): all layers convolutional, features of images."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count
from centigan.settings.techniques import Techniques


class DcganConfig(FamilySettings):
    """Model and optimiser of DCGAN."""

    title: ClassVar[str] = "DCGAN"
    implementation: ClassVar[str] = "dcgan.DCGAN"
    panels: ClassVar[Panels] = ADVERSARIAL
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128}

    family: Literal["dcgan"] = "dcgan"
    net: Literal["halving", "imagenet"] = Field(
        "halving", description="5x5 layers that halve the side each; imagenet: 3x3, every second halves it"
    )
    latent: Count = Field(100, description="dimensions of z; the authors' for ImageNet: 256")
    prior: Literal["uniform", "normal"] = Field(
        "uniform", description="z ~ U(-1, 1), or N(0, 1) as the authors have it for SVHN"
    )
    generator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for G; for SVHN 5e-4")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D; for SVHN 5e-4")
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")
    weight_decay: float = Field(1.0e-5, ge=0, description="L2 in Adam's gradient")
    techniques: Techniques = Field(Techniques(), description="of Salimans et al. (2016); none in the paper")

    @property
    def abilities(self) -> frozenset[Ability]:
        """Walks through its latents; D's maps are features, and it tells how real an image looks."""
        return frozenset({"latent", "represents", "discriminates", "demonstrates"})

    @property
    def batches(self) -> int:
        """A minibatch for D; another for the features that G matches."""
        return 2 if self.techniques.feature_matching else 1

    @model_serializer(mode="wrap")
    def _techniques_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Trainings from before there were techniques are those without any."""
        written: dict[str, Any] = values(self)
        if self.techniques == Techniques():
            written.pop("techniques", None)
        return written
