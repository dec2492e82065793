"""What is trained on, and how raw images become arrays."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from centigan.settings.families.contract import Kind
from centigan.settings.frozen import Count, Frozen, Line
from centigan.settings.sources import POINTS, Source

ResolutionChoice = Literal[8, 32, 48, 64, 128]
STORED_SIDE, STORED_LEVELS = 8, 17  # of the digits
HAS_ATTRIBUTES: Source = "celeba"
MOST_DOWN = 10_000  # pixels
MOST_CLASSES = 1_000_000  # every split has files of its own


class ContentSettings(Frozen):
    """What is trained on, wherever it lies."""

    source: Source = Field(
        "auto",
        description="auto: recognised by what lies at `root`; points: points.csv there, not images",
    )
    classes: Count = Field(1000, le=MOST_CLASSES, description="classes that must be there")
    order: Line = Field(
        "sorted",
        description="order of the classes: sorted | devkit (ILSVRC2012_ID) | a file with one class a line, "
        "which also chooses among the classes",
    )
    attribute: Line | None = Field(
        None,
        description="of celeba: an attribute, such as Smiling, with and without which faces are of two "
        "classes; null: all are of one, face",
    )
    split_size: Count = Field(10, description="classes a model learns; contiguous in that order")
    per_class: Count | None = Field(
        None, description="use only the first so many training images of a class; null: all"
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of each class held out where the source holds nothing out itself"
    )
    on_bad_image: Literal["auto", "error", "reject"] = Field(
        "auto",
        description="a damaged image stops the run or is left out and listed; auto: error for data that is "
        "published with checksums (ILSVRC2012 archives, CIFAR, STL-10, MNIST, SVHN and alike), else reject",
    )
    checksums: bool = Field(False, description="read every image once and keep its sha256 in the index")

    @field_validator("attribute")
    @classmethod
    def _attributes_are_of_celeba(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("source", HAS_ATTRIBUTES) != HAS_ATTRIBUTES:
            raise ValueError(f"only data.source: {HAS_ATTRIBUTES} has attributes; name that, or leave it out")
        return value

    @property
    def kind(self) -> Kind:
        """What models learn."""
        return "points" if self.source in POINTS else "images"

    @property
    def judged(self) -> bool:
        """Whether there are classes of images, which a judge can tell apart."""
        return self.kind == "images" and self.classes > 1


class DataSettings(ContentSettings):
    """What is trained on, and how its classes are grouped."""

    root: Line = Field("data/raw/imagenet", description="folder of the raw images or archives")


class ArraySettings(Frozen):
    """How raw images become uint8 arrays."""

    resolution: ResolutionChoice = Field(128, description="side of the training images, pixels")
    dct_scaling: bool = Field(
        True, description="decode JPEGs at 1/2, 1/4 or 1/8 where it cannot be seen (docs/protocols.md)"
    )
    channels: Literal["auto", 1, 3] = Field(
        "auto",
        description="of the images that networks see; auto: 1 of digits, noise, mnist and fashion_mnist, "
        "whose three channels in files are equal, else 3. A density of equal channels is none of the image",
    )
    levels: Literal["auto", 17, 256] = Field(
        "auto",
        description="values of a pixel, for likelihoods; auto: 17 of the digits at 8 px, as they are stored, "
        "else 256",
    )

    crop: Count | None = Field(
        None,
        description="side of the square that is cut of each image before it is resized, pixels; null: the "
        "largest one (docs/protocols.md; of CelebA papers have 108, 128, 140 and 148)",
    )
    crop_down: int = Field(
        0,
        ge=-MOST_DOWN,
        le=MOST_DOWN,
        description="how many pixels the centre of that square lies below the image's",
    )

    @field_validator("crop_down")
    @classmethod
    def _down_is_of_a_crop(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("crop", True) is None:  # a wrong crop is told by itself
            raise ValueError("it moves the square of arrays.crop, which is null; set both, or none")
        return value

    @property
    def as_stored(self) -> bool:
        """Whether images are neither enlarged nor shrunk, held-out ones included."""
        return self.resolution == STORED_SIDE
