"""What a family says of itself before it is built: no torch here, so that the workflow reads it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from centigan.layout import WHOLE
from centigan.settings.frozen import Frozen

Ability = Literal[
    "by_class",  # draws images of a class that is asked for
    "latent",  # draws an image from each point of a latent space
    "encodes",  # finds the point that an image comes from
    "reconstructs",  # draws an image again
    "likelihood",  # tells a density of images, or a bound on it
    "classifies",  # names the class of an image
    "clusters",  # tells groups of images apart that no label named
    "represents",  # has features of an image that a linear classifier may learn from
    "discriminates",  # tells how real an image looks
    "demonstrates",  # draws what its paper shows
]
Panels = dict[str, dict[str, str]]
ADVERSARIAL: Panels = {  # of a generator and a discriminator
    "loss": {"loss_discriminator": "discriminator", "loss_generator": "generator"},
    "D tells the source": {"source_real": "of real images", "source_fake": "of generated"},
}


class FamilySettings(Frozen):
    """Settings of a model and its optimisers; each family has a subclass in a file of its own.

    A subclass names itself in a field `family`, and says what stands here as class variables.
    """

    title: ClassVar[str]  # as its paper writes it
    implementation: ClassVar[str]  # <module>.<class> within centigan.families
    panels: ClassVar[Panels]  # of the figure of its training: label -> journal's key -> label of the curve
    paper: ClassVar[dict[str, Any]] = {}  # its own values of `train`, over those of params.yaml
    sampled: ClassVar[tuple[str, ...]] = ("generator",)  # networks that draw, and are averaged by train.ema

    width: float = Field(1.0, gt=0, le=64, description="multiplier on every feature-map count; 1: paper")
    revision: int = Field(1, description="raise it when a change of code must retrain every split")

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the trained family can do; decides which measurements and figures apply to it."""
        return frozenset({"latent"})

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
        return list(classes) if "by_class" in self.abilities or len(classes) == 1 else [WHOLE]
