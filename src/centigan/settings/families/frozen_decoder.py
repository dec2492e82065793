"""Bits of a generator that is frozen, by an encoder for it (Wu et al., 2017; arXiv:1611.04273)."""

from typing import ClassVar, Literal

from pydantic import Field

from centigan.settings.families.contract import Ability, Panels, StartingFromAnother
from centigan.settings.posterior import WithPosterior


class FrozenDecoderConfig(WithPosterior, StartingFromAnother):
    """An encoder, the noise of a decoder, and their optimiser; the decoder is another experiment's."""

    title: ClassVar[str] = "Frozen decoder"
    implementation: ClassVar[str] = "frozen_decoder.FrozenDecoder"
    panels: ClassVar[Panels] = {
        "bits a dimension": {"bits": "of training images", "bits_code": "of their codes alone"},
        "noise around what G draws": {"sigma": "standard deviation"},
    }
    resolutions: ClassVar[frozenset[int]] = frozenset({8, 32, 48, 64, 128})
    sampled: ClassVar[tuple[str, ...]] = ("encoder", "decoder")
    asked_of_parent: ClassVar[Ability] = "decodes"
    lacking: ClassVar[str] = (
        "whose images do not follow from z ~ N(0, I) alone, or by nothing that can be differentiated; these "
        "families' do"
    )

    family: Literal["frozen_decoder"] = "frozen_decoder"
    starts_from: str = Field(
        "", description="an experiment of the same protocol, whose decoder this is, such as digits8/gan"
    )
    lr: float = Field(1.0e-3, gt=0, description="Adam's step size for the encoder")
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)

    @property
    def abilities(self) -> frozenset[Ability]:
        """Draws what the decoder draws; finds codes and bounds the likelihood."""
        return frozenset({"latent", "encodes", "reconstructs", "likelihood", "noisy", "density"})
