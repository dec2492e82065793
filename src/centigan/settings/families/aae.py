"""Adversarial autoencoder (Makhzani et al., 2015; arXiv:1511.05644), in its five uses."""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from centigan.settings.families.contract import Ability, FamilySettings, Panels
from centigan.settings.frozen import Count, Several

Use = Literal["unsupervised", "style", "semi_supervised", "clustering", "reduction"]
OF_ALL: frozenset[Ability] = frozenset({"latent", "encodes", "demonstrates"})
OF_USE: dict[Use, frozenset[Ability]] = {
    "unsupervised": frozenset({"reconstructs"}),
    "style": frozenset({"by_class"}),  # it draws an image again where its class is told
    "semi_supervised": frozenset({"reconstructs", "by_class", "classifies"}),
    "clustering": frozenset({"reconstructs", "clusters"}),
    "reduction": frozenset({"reconstructs"}),
}


class AaeConfig(FamilySettings):
    """Model and optimisers of the adversarial autoencoder."""

    title: ClassVar[str] = "AAE"
    implementation: ClassVar[str] = "aae.aae"
    panels: ClassVar[Panels] = {
        "loss": {
            "loss_image": "of the image drawn again",
            "loss_discriminator": "discriminators",
            "loss_encoder": "encoder",
        },
        "D tells codes z from the prior": {"source_prior": "of the prior", "source_code": "of images"},
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 100}
    # what images fall under, and are called, is measured by the encoder
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    family: Literal["aae"] = "aae"
    use: Use = Field(
        "unsupervised",
        description="unsupervised: a code z alone, of a chosen prior; style: the decoder is told the "
        "class; semi_supervised: the encoder finds the class, too, by few labels; clustering: a cluster, "
        "without any; reduction: class or cluster and z are added in one small code",
    )
    latent: Count = Field(
        2, description="dimensions of z; paper: style 15, semi_supervised 10, clustering 5, reduction 2 or 10"
    )
    prior: Literal["gaussian", "mixture", "swiss_roll"] = Field(
        "gaussian", description="of z; the last two for use: unsupervised, and latent: 2"
    )
    deviation: float = Field(
        1.0, gt=0, description="of each dimension of the Gaussian prior; paper: 5 for likelihoods"
    )
    components: Several = Field(10, description="Gaussians of prior: mixture; with label_aware: the classes")
    label_aware: bool = Field(
        False, description="D is told the class, and each class has its part of the mixture or the roll"
    )
    clusters: Several = Field(
        16, description="K of clustering, and of reduction without labels; paper: 16, 30"
    )
    from_labels: bool = Field(
        True, description="use: reduction: labels teach the classes; false: it finds clusters"
    )
    head_distance: float = Field(
        4.0, ge=0, description="use: reduction: classes or clusters nearer to each other are pushed apart"
    )
    normalised: bool = Field(
        True, description="batch norm in the encoder, and of codes; false: paper; clusters may stay empty"
    )
    sharpness: float = Field(3.0, gt=0, description="std of each logit of y over a minibatch; normalised")
    input_dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the encoder's pixels; paper: .2, few labels"
    )
    noise: float = Field(0.3, ge=0, description="std of the noise on what D sees")
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size for what draws images again")
    adversarial_lr: float = Field(
        5.0e-4, gt=0, description="for discriminators, and the encoder against them"
    )
    class_lr: float = Field(1.0e-3, gt=0, description="for the encoder, by labels")
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")

    @model_validator(mode="after")
    def _a_prior_in_a_plane_is_of_codes_alone(self) -> "AaeConfig":
        if self.prior != "gaussian" and (self.use != "unsupervised" or self.latent != 2):
            raise ValueError(f"prior: {self.prior} needs use: unsupervised and latent: 2")
        if self.label_aware and self.prior == "gaussian":
            raise ValueError("label_aware needs a prior with a part for each class: mixture or swiss_roll")
        return self

    @property
    def names(self) -> bool:
        """Whether the encoder names classes, which few labels teach."""
        return self.use == "semi_supervised" or (self.use == "reduction" and self.from_labels)

    @property
    def abilities(self) -> frozenset[Ability]:
        """A space of codes, and what this use adds."""
        own = OF_ALL | OF_USE[self.use]
        if self.use != "reduction":
            return own
        return own | {"classifies"} if self.from_labels else own | {"clusters"}

    @property
    def takes_labelled_apart(self) -> bool:
        """Among all images too few of a minibatch may be labelled."""
        return self.names
