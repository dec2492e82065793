"""Improved techniques for training GANs (Salimans et al., 2016; arXiv:1606.03498), and their classifier."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import ADVERSARIAL, Ability, FamilySettings, Panels
from centigan.settings.frozen import Count, Frozen
from centigan.settings.techniques import Techniques

Distance = Literal["squared", "absolute"]


class DenseForm(Frozen):
    """What the authors' code has for MNIST."""

    lr: float = Field(3.0e-3, gt=0, description="Adam's step size for both")
    distance: Distance = Field("squared", description="of mean features, in feature matching")
    input_noise: float = Field(0.3, ge=0, description="std of the noise on D's pixels, of 0..1")
    hidden_noise: float = Field(0.5, ge=0, description="std of the noise on D's hidden units")


class ConvolutionForm(Frozen):
    """What the authors' code has for CIFAR-10 and SVHN."""

    lr: float = Field(3.0e-4, gt=0, description="Adam's step size for both")
    distance: Distance = Field("absolute", description="of mean features, in feature matching")
    input_noise: float = Field(0.0, ge=0, description="std of the noise on D's pixels, of -1..1")
    input_dropout: float = Field(0.2, ge=0, lt=1, description="share of D's pixels")
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="share of D's hidden maps' values")


class ImprovedConfig(FamilySettings, Techniques):
    """Model and optimiser; each of the five techniques is a switch."""

    title: ClassVar[str] = "Improved GAN"
    implementation: ClassVar[str] = "improved.ImprovedGAN"
    panels: ClassVar[Panels] = ADVERSARIAL | {"D names the class": {"class_real": "of labelled images"}}
    paper: ClassVar[dict[str, Any]] = {"batch_size": 100, "iterations": 600_000}

    family: Literal["improved"] = "improved"
    net: Literal["dense", "convolution"] = Field("convolution", description="dense: the authors' for MNIST")
    latent: Count = Field(100, description="dimensions of z")
    feature_matching: bool = Field(
        True, description="G matches the means of D's features; else it moves by D's judgement"
    )
    saturating: bool = Field(
        True, description="without feature matching: G descends log(1 - D), as in the authors' code"
    )
    unlabelled_weight: float = Field(1.0, ge=0, description="of what D tells of the source; 1 is of labels")
    polyak: float = Field(
        1.0e-4, gt=0, le=1, description="rate at which the average of D that is tested follows D"
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="of Adam")
    beta2: float = Field(0.999, ge=0, lt=1, description="of Adam")
    dense: DenseForm = Field(DenseForm(), description="net: dense")
    convolution: ConvolutionForm = Field(ConvolutionForm(), description="net: convolution")

    @property
    def form(self) -> DenseForm | ConvolutionForm:
        """The settings of the form that is built."""
        return self.dense if self.net == "dense" else self.convolution

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws images without classes; D names classes, and has features."""
        return frozenset({"latent", "classifies", "represents", "discriminates"})

    @property
    def batches(self) -> int:
        """Unlabelled minibatches: one for D; another for the features that G matches."""
        return 2 if self.feature_matching else 1

    @property
    def takes_labelled_apart(self) -> bool:
        """The class term has a minibatch of its own."""
        return True
