"""What a family says of itself before it is built: no torch here, so that the workflow reads it."""

from typing import ClassVar

from pydantic import Field

from centigan.settings.frozen import Frozen

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

    width: float = Field(1.0, gt=0, le=64, description="multiplier on every feature-map count; 1: paper")
    revision: int = Field(1, description="raise it when a change of code must retrain every split")
