"""InfoGAN (Chen et al., 2016; arXiv:1606.03657): the networks of its Table 2, for SVHN."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count, Several


class InfoganConfig(FamilySettings):
    """Model and optimiser of InfoGAN."""

    title: ClassVar[str] = "InfoGAN"
    implementation: ClassVar[str] = "infogan.InfoGAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {
        "nats that Q tells of the codes": {
            "information_categorical": "categorical",
            "information_continuous": "continuous",
        },
    }
    paper: ClassVar[dict[str, Any]] = {"batch_size": 128, "iterations": 5000}

    family: Literal["infogan"] = "infogan"
    noise: Count = Field(62, description="dimensions of z, which no code is; 124 for SVHN")
    categories: Several = Field(10, description="values of a categorical code, all as likely")
    categorical_codes: Count = Field(1, description="independent ones; the first is the cluster of an image")
    continuous_codes: int = Field(2, ge=0, le=1000, description="independent ones, U(-1, 1)")
    lambda_discrete: float = Field(1.0, ge=0, description="weight of what Q tells of categorical codes")
    lambda_continuous: float = Field(0.1, ge=0, description="weight of what Q tells of continuous codes")
    encouraged: bool = Field(
        True, description="G ascends Q's bound; false: a GAN, beside which Q learns what G does anyway"
    )
    learn_deviation: bool = Field(
        False, description="Q tells the deviation of a continuous code too, above exp(-3); false: it is 1"
    )
    slope: float = Field(0.1, ge=0, lt=1, description="of D's and Q's leaky ReLU; the authors' code: .01")
    generator_lr: float = Field(1.0e-3, gt=0, description="Adam's step size for G")
    discriminator_lr: float = Field(2.0e-4, gt=0, description="Adam's step size for D and Q")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Finds clusters without a label; draws what each code does."""
        return frozenset({"latent", "clusters", "discriminates", "demonstrates"})
