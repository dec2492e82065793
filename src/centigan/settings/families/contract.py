"""What a family says of itself before it is built: no torch here, so that the workflow reads it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from centigan.layout import WHOLE
from centigan.settings.frozen import Count, Frozen

Ability = Literal[
    "by_class",  # draws images of a class that is asked for
    "by_caption",  # draws what a caption says, and learns it from captions
    "latent",  # draws an image from each point of a latent space
    "encodes",  # finds the point that an image comes from
    "reconstructs",  # draws an image again
    "likelihood",  # tells a density of images, or a bound on it
    "binary_likelihood",  # tells one of binarised images
    "noisy",  # draws images with its decoder's noise, too
    "classifies",  # names the class of an image
    "clusters",  # tells groups of images apart that no label named
    "represents",  # has features of an image that a linear classifier may learn from
    "decodes",  # its images follow from z ~ N(0, I) alone, by networks that can be differentiated
    "discriminates",  # tells how real an image looks
    "matches",  # tells whether an image is what a caption says
    "density",  # tells the density of a point, or a bound on it
    "demonstrates",  # draws what its paper shows
]
Panels = dict[str, dict[str, str]]
ADVERSARIAL: Panels = {  # of a generator and a discriminator
    "loss": {"loss_discriminator": "discriminator", "loss_generator": "generator"},
    "D tells the source": {"source_real": "of real images", "source_fake": "of generated"},
}


Kind = Literal["images", "points"]


class PointNetworks(Frozen):
    """Fully connected networks for points, in the place of those for images."""

    generator_units: Count = 128
    generator_layers: Count = Field(2, description="hidden layers, each with so many units and a ReLU")
    discriminator_units: Count = 128
    discriminator_layers: Count = 2
    scale: float = Field(1.0, gt=0, description="D sees points divided by it")


class PointCouplings(Frozen):
    """Affine couplings of points, in the place of those of images."""

    couplings: Count = Field(6, description="each keeps every second coordinate, in turn")
    units: Count = Field(64, description="of each hidden layer of a coupling's network")
    layers: Count = Field(2, description="hidden layers of a coupling's network, with ReLUs")


class FamilySettings(Frozen):
    """Settings of a model and its optimisers; each family has a subclass in a file of its own.

    A subclass names itself in a field `family`, and says what stands here as class variables.
    """

    title: ClassVar[str]  # as its paper writes it
    implementation: ClassVar[str]  # <module>.<class> within centigan.families
    panels: ClassVar[Panels]  # of the figure of its training: label -> journal's key -> label of the curve
    paper: ClassVar[dict[str, Any]] = {}  # its own values of `train`, over those of params.yaml
    fights: ClassVar[bool] = True  # in a battle: D's logit of any image is 0 between real and generated
    learns: ClassVar[frozenset[Kind]] = frozenset({"images"})  # what its networks are made for
    weighs: ClassVar[bool] = True  # where it tells a likelihood: importance samples make its bound tighter
    resolutions: ClassVar[frozenset[int]] = frozenset({32, 64, 128})  # that it has networks for
    sampled: ClassVar[tuple[str, ...]] = ("generator",)  # networks that draw, and are averaged by train.ema

    width: float = Field(1.0, gt=0, le=64, description="multiplier on every feature-map count; 1: paper")
    revision: int = Field(1, description="raise it when a change of code must retrain every split")

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the trained family can do; decides which measurements and figures apply to it."""
        return frozenset({"latent"})

    @property
    def draws_classes(self) -> bool:
        """Whether a class may be asked for: as such, or by captions of its images."""
        return not {"by_class", "by_caption"}.isdisjoint(self.abilities)

    @property
    def curves(self) -> Panels:
        """The panels of this model: the family's, unless its settings leave some out."""
        return self.panels

    @property
    def halvings(self) -> tuple[str, int]:
        """A setting by which the side of images is halved, and how often; networks of other families fit."""
        return "", 0

    @property
    def needs_a_plane(self) -> bool:
        """Whether points must have two coordinates, since a coupling keeps one and moves the other."""
        return False

    @property
    def parent(self) -> str | None:
        """The experiment that trained the networks which this model begins with."""
        return None

    @property
    def batches(self) -> int:
        """Real minibatches that a step takes, each another."""
        return 1

    @property
    def takes_labelled_apart(self) -> bool:
        """Whether a step is given a further minibatch, all of known class: in another few may be labelled."""
        return False

    def groups(self, classes: Sequence[str]) -> list[str]:
        """What is drawn apart: each of a split's classes, or all together by a family without classes.

        A split of one class is that class, whatever the family.
        """
        return list(classes) if self.draws_classes or len(classes) == 1 else [WHOLE]


class ByCaption(FamilySettings):
    """A family whose step is given captions."""

    captions_averaged: Count = Field(
        4, description="captions of an image, the mean of whose embeddings a step is given"
    )


class StartingFromAnother(FamilySettings):
    """A family that begins with networks which another experiment trained.

    A subclass says what that experiment's family must be able to do, and what is wrong with one that is not.
    """

    asked_of_parent: ClassVar[Ability]
    lacking: ClassVar[str]  # after "is a <title>, "; families that are able follow

    starts_from: str
    decoder: dict[str, Any] = Field(
        default_factory=dict, description="that experiment's model; filled in, never written"
    )

    @property
    def parent(self) -> str | None:
        """The experiment whose networks this one begins with."""
        return self.starts_from


class WithPoints(FamilySettings):
    """A family that learns images, and points by networks of their own, of any settings."""

    learns: ClassVar[frozenset[Kind]] = frozenset({"images", "points"})

    points: Frozen

    @model_serializer(mode="wrap")
    def _points_go_without_saying(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Trainings from before points were there are those without their networks."""
        written: dict[str, Any] = values(self)
        if self.points == type(self).model_fields["points"].default:
            written.pop("points", None)
        return written


class OfPointsToo(WithPoints):
    """The same with a generator and a discriminator."""

    points: PointNetworks = Field(PointNetworks(), description="networks under a protocol of points")
