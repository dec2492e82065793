"""The smallest of every family, or of each of its forms, and what it is trained and asked with."""

import torch

from centigan.families import build
from centigan.settings.families.aae import AaeConfig
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.families.batchgan import BatchganConfig
from centigan.settings.families.bigan import BiganConfig
from centigan.settings.families.catgan import CatganConfig
from centigan.settings.families.cdcgan import CdcganConfig
from centigan.settings.families.cgan import CganConfig
from centigan.settings.families.cq import CqConfig, FlowSettings
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
from centigan.settings.techniques import Techniques
from centigan.types import (
    Batch,
    BinaryLikelihood,
    Classifies,
    Clusters,
    Discriminates,
    Encodes,
    Family,
    Given,
    Latent,
    Likelihood,
    Matches,
    Noisy,
    Reconstructs,
    Represents,
    TellsDensity,
    Weighs,
    to_network,
)

CONFIGS = {
    "aae": AaeConfig(width=0.01),
    "aae-mixture": AaeConfig(width=0.01, prior="mixture", label_aware=True),
    "aae-swiss_roll": AaeConfig(width=0.01, prior="swiss_roll", normalised=False),
    "aae-style": AaeConfig(width=0.01, use="style", latent=3),
    "aae-semi_supervised": AaeConfig(width=0.01, use="semi_supervised", latent=3, input_dropout=0.2),
    "aae-clustering": AaeConfig(width=0.01, use="clustering", latent=3, clusters=4),
    "aae-reduction": AaeConfig(width=0.01, use="reduction"),
    "aae-reduction-clusters": AaeConfig(width=0.01, use="reduction", from_labels=False, clusters=4),
    "acgan": AcganConfig(width=0.1),
    "batchgan": BatchganConfig(width=0.05, discriminator_steps=2),
    "batchgan-batch": BatchganConfig(width=0.05, prediction="batch", spectral=False),
    "bigan": BiganConfig(width=0.05, latent=8),
    "bigan-convolution": BiganConfig(width=0.05, latent=8, net="convolution", prior="uniform"),
    "catgan": CatganConfig(width=0.05, clusters=4, rate="falls"),
    "catgan-convolution": CatganConfig(width=0.05, clusters=4, net="convolution"),
    "catgan-semi_supervised": CatganConfig(width=0.05, semi_supervised=True),
    "cdcgan": CdcganConfig(width=0.05, label_dropout=0.5),
    "cgan": CganConfig(width=0.05),
    "cgan-dense": CganConfig(width=0.05, net="dense"),
    "cq": CqConfig(width=0.05, latent=4, flow=FlowSettings(maps=80, blocks=1)),
    "cq-vae": CqConfig(net="dense", units=8, latent=4, quality_weight=0, posterior="iaf"),
    "cq-gan": CqConfig(net="residual", width=0.05, latent=4, coverage_weight=0),
    "cq-noisy": CqConfig(net="dense", units=8, latent=4, noisy=True, flow=FlowSettings(maps=4, blocks=1)),
    "dcgan": DcganConfig(width=0.02),
    "dcgan-imagenet": DcganConfig(width=0.02, net="imagenet", prior="normal"),
    "dcgan-techniques": DcganConfig(
        width=0.02,
        techniques=Techniques(
            feature_matching=True,
            minibatch_kernels=3,
            historical_averaging=0.1,
            smoothing=0.1,
            virtual_batch_norm=2,
        ),
    ),
    "draw": DrawConfig(width=0.05, steps=3, latent=4),
    "draw-bytes": DrawConfig(width=0.05, steps=3, latent=4, decoder="gaussian", start="zero"),
    "draw-whole": DrawConfig(width=0.05, steps=3, latent=4, attention=False, clip=None),
    "frozen_decoder": FrozenDecoderConfig(
        net="dense", units=8, decoder=BatchganConfig(width=0.05, latent=4).model_dump()
    ),
    "frozen_decoder-iaf": FrozenDecoderConfig(
        width=0.05, net="residual", posterior="iaf", decoder=SnganConfig(width=0.05, latent=4).model_dump()
    ),
    "gan": GanConfig(width=0.05, steps=2),
    "gan-convolution": GanConfig(width=0.05, net="convolution", update="alternating"),
    "gan_cls": GanClsConfig(width=0.05, text_units=8),
    "gan_cls-int": GanClsConfig(width=0.05, text_units=8, cls=0, interpolation=1, halve_every=1),
    "gran": GranConfig(width=0.02, latent=8, steps=2),
    "infogan": InfoganConfig(width=0.05, categorical_codes=2, learn_deviation=True),
    "pixelcnn": PixelcnnConfig(width=0.02, blocks=1, sides=2, components=2),
    "progressive": ProgressiveConfig(width=0.02, latent=8),
    "real_nvp": RealNvpConfig(maps=4, blocks=1, scales=2),
    "real_nvp-plain": RealNvpConfig(maps=4, blocks=1, scales=1, norm="none", clip=0, decay=0),
    "sngan": SnganConfig(width=0.05, discriminator_steps=2),
    "sngan-convolution": SnganConfig(width=0.05, net="convolution", loss="standard", discriminator_steps=1),
    "style_encoder": StyleEncoderConfig(
        width=0.05, decoder=GanClsConfig(width=0.05, text_units=8, latent=4).model_dump()
    ),
    "lapgan": LapganConfig(width=0.05),
    "lapgan-conditional": LapganConfig(width=0.05, conditional=True, optimizer="adam"),
    "improved": ImprovedConfig(
        width=0.05,
        feature_matching=False,
        minibatch_kernels=3,
        virtual_batch_norm=2,
        historical_averaging=0.1,
    ),
    "improved-dense": ImprovedConfig(width=0.05, net="dense"),
    "unrolled": UnrolledConfig(width=0.25, latent=8, steps=2, discriminator_lr=0.01),
    "vae": VaeConfig(width=0.05, latent=8),
    "vae-plane": VaeConfig(width=0.05, latent=2),
    "vae_gan": VaeGanConfig(width=0.05, latent=8),
    "vae_gan-gated": VaeGanConfig(width=0.05, latent=2, gated=True, saturating=False),
    "vae_iaf": VaeIafConfig(width=0.05, latent=2, blocks=1, steps=2),
    "vae_iaf-diagonal": VaeIafConfig(
        width=0.05, latent=2, blocks=1, posterior="diagonal", bidirectional=False
    ),
    "wgan": WganConfig(width=0.05, critic_steps=2),
    "wgan-dense": WganConfig(width=0.05, net="dense", critic_steps=2),
    "wgan_gp": WganGpConfig(width=0.05, critic_steps=2),
}
BATCH, EMBEDDING = 4, 8
CAPTIONS = torch.randn(3 + 1, EMBEDDING, generator=torch.Generator().manual_seed(0))  # of classes; of none
BY_CAPTION = [name for name, config in CONFIGS.items() if "by_caption" in config.abilities]
BY_PIXELS = {"pixelcnn"}  # drawn in a loop over pixels: small images, where the side is of no account


def make(name: str, resolution: int = 32, channels: int = 3) -> Family:
    return build(
        CONFIGS[name],
        classes=3,
        resolution=resolution,
        channels=channels,
        embedding=EMBEDDING if "by_caption" in CONFIGS[name].abilities else 0,
        rng=torch.Generator().manual_seed(0),
    )


def given(*labels: int | torch.Tensor) -> Given:
    """What is known of images of these labels, with a caption that tells the class."""
    known = torch.stack([torch.as_tensor(label) for label in labels])
    return Given(known, CAPTIONS.to(known.device)[known])


def make_quick(name: str) -> Family:
    """One that draws within moments."""
    return make(name, 8 if name in BY_PIXELS else 32)


def batch(seed: int, batches: int = 1) -> Batch:
    rng, count = torch.Generator().manual_seed(seed), BATCH * batches
    images = to_network(torch.randint(0, 256, (count, 32, 32, 3), generator=rng, dtype=torch.uint8))
    real = Batch(images, given(*torch.randint(3, (count,), generator=rng)), torch.tensor(seed))
    known = real._replace(images=images[:BATCH].flip(3), given=given(*real.given.labels[:BATCH]))
    return real._replace(labelled=known)


def step(family: Family, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return family.step(batch(seed, family.config.batches), torch.Generator().manual_seed(seed))


def all_it_can_do(
    family: Family, images: torch.Tensor, wanted: Given, rng: torch.Generator
) -> dict[str, torch.Tensor]:
    """A tensor of as many rows as images for each ability."""
    made = {"sample": family.sample(wanted, rng)}
    if isinstance(family, Latent):
        made["generate"] = family.generate(family.latent(BATCH, rng).to(images.device), wanted)
    if isinstance(family, Encodes):
        made["encode"] = family.encode(images)
    if isinstance(family, Reconstructs):
        made["reconstruct"] = family.reconstruct(images, rng)
    if isinstance(family, Likelihood):
        made["log_likelihood"] = family.log_likelihood(images, rng)
    if isinstance(family, TellsDensity):
        made["log_density"] = family.log_density(images, rng)
    if isinstance(family, Noisy):
        made["sample_noisy"] = family.sample_noisy(wanted, rng)
    if isinstance(family, Weighs):
        made["log_weight"] = family.log_weight(images, rng)
    if isinstance(family, BinaryLikelihood):
        made["binary_log_likelihood"] = family.binary_log_likelihood(images, rng)
        made["binary_log_weight"] = family.binary_log_weight(images, rng)
    if isinstance(family, Clusters):
        made["cluster_logits"] = family.cluster_logits(images)
    if isinstance(family, Represents):
        made["represent"] = family.represent(images)
    if isinstance(family, Discriminates):
        made["realness"] = family.realness(images)
    if isinstance(family, Matches):
        made["matches"] = family.matches(images, wanted.captions)
    if isinstance(family, Classifies):
        made["class_logits"] = family.class_logits(images)
        loss = family.class_step(Batch(images, wanted, torch.tensor(1, device=images.device)))
        made["class_step"] = loss.expand(len(images))
    return made
