"""The section `model`: settings of one family, told apart by the key `family`; a file a family.

Nothing but this list and a family's two files knows its name: adding one changes no other result.
"""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from centigan.settings.families.aae import AaeConfig
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.families.batchgan import BatchganConfig
from centigan.settings.families.bigan import BiganConfig
from centigan.settings.families.catgan import CatganConfig
from centigan.settings.families.cdcgan import CdcganConfig
from centigan.settings.families.cgan import CganConfig
from centigan.settings.families.contract import FamilySettings
from centigan.settings.families.cq import CqConfig
from centigan.settings.families.dcgan import DcganConfig
from centigan.settings.families.draw import DrawConfig
from centigan.settings.families.frozen_decoder import FrozenDecoderConfig
from centigan.settings.families.gan import GanConfig
from centigan.settings.families.gan_cls import GanClsConfig
from centigan.settings.families.gran import GranConfig
from centigan.settings.families.improved import ImprovedConfig
from centigan.settings.families.infogan import InfoganConfig
from centigan.settings.families.lapgan import LapganConfig
from centigan.settings.families.pixelcnn import PixelcnnConfig
from centigan.settings.families.progressive import ProgressiveConfig
from centigan.settings.families.real_nvp import RealNvpConfig
from centigan.settings.families.sngan import SnganConfig
from centigan.settings.families.style_encoder import StyleEncoderConfig
from centigan.settings.families.unrolled import UnrolledConfig
from centigan.settings.families.vae import VaeConfig
from centigan.settings.families.vae_gan import VaeGanConfig
from centigan.settings.families.vae_iaf import VaeIafConfig
from centigan.settings.families.wgan import WganConfig
from centigan.settings.families.wgan_gp import WganGpConfig
from centigan.settings.frozen import Frozen

DEFAULT = "acgan"


def family_of(model: Any) -> Any:
    """The family that a section names, as a mapping or as settings."""
    return model.get("family", DEFAULT) if isinstance(model, dict) else getattr(model, "family", None)


ModelConfig = Annotated[
    Annotated[AaeConfig, Tag("aae")]
    | Annotated[AcganConfig, Tag("acgan")]
    | Annotated[BatchganConfig, Tag("batchgan")]
    | Annotated[BiganConfig, Tag("bigan")]
    | Annotated[CatganConfig, Tag("catgan")]
    | Annotated[CdcganConfig, Tag("cdcgan")]
    | Annotated[CganConfig, Tag("cgan")]
    | Annotated[CqConfig, Tag("cq")]
    | Annotated[DcganConfig, Tag("dcgan")]
    | Annotated[DrawConfig, Tag("draw")]
    | Annotated[FrozenDecoderConfig, Tag("frozen_decoder")]
    | Annotated[GanConfig, Tag("gan")]
    | Annotated[GanClsConfig, Tag("gan_cls")]
    | Annotated[GranConfig, Tag("gran")]
    | Annotated[ImprovedConfig, Tag("improved")]
    | Annotated[InfoganConfig, Tag("infogan")]
    | Annotated[LapganConfig, Tag("lapgan")]
    | Annotated[PixelcnnConfig, Tag("pixelcnn")]
    | Annotated[ProgressiveConfig, Tag("progressive")]
    | Annotated[RealNvpConfig, Tag("real_nvp")]
    | Annotated[SnganConfig, Tag("sngan")]
    | Annotated[StyleEncoderConfig, Tag("style_encoder")]
    | Annotated[UnrolledConfig, Tag("unrolled")]
    | Annotated[VaeConfig, Tag("vae")]
    | Annotated[VaeGanConfig, Tag("vae_gan")]
    | Annotated[VaeIafConfig, Tag("vae_iaf")]
    | Annotated[WganConfig, Tag("wgan")]
    | Annotated[WganGpConfig, Tag("wgan_gp")],
    Discriminator(family_of),
]
FAMILIES: dict[str, type[FamilySettings]] = {
    "aae": AaeConfig,
    "acgan": AcganConfig,
    "batchgan": BatchganConfig,
    "bigan": BiganConfig,
    "catgan": CatganConfig,
    "cdcgan": CdcganConfig,
    "cgan": CganConfig,
    "cq": CqConfig,
    "dcgan": DcganConfig,
    "draw": DrawConfig,
    "frozen_decoder": FrozenDecoderConfig,
    "gan": GanConfig,
    "gan_cls": GanClsConfig,
    "gran": GranConfig,
    "improved": ImprovedConfig,
    "infogan": InfoganConfig,
    "lapgan": LapganConfig,
    "pixelcnn": PixelcnnConfig,
    "progressive": ProgressiveConfig,
    "real_nvp": RealNvpConfig,
    "sngan": SnganConfig,
    "style_encoder": StyleEncoderConfig,
    "unrolled": UnrolledConfig,
    "vae": VaeConfig,
    "vae_gan": VaeGanConfig,
    "vae_iaf": VaeIafConfig,
    "wgan": WganConfig,
    "wgan_gp": WganGpConfig,
}


class OfModel(Frozen):
    """The section alone."""

    model: ModelConfig
