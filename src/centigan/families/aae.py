"""Adversarial autoencoder (Makhzani et al., 2015; arXiv:1511.05644), in its five uses.

An encoder q(z|x) and a decoder draw images again, while a discriminator D tells codes from draws of a prior
p(z). Three updates a step, in this order (section 2); a fourth where labels teach:

    reconstruction    encoder and decoder descend   1/2 |x - x~|^2
    regularisation    D ascends                     log D(z') + log(1 - D(q(x))),   z' ~ p(z)
                      the encoder ascends           log D(q(x))
    labels            the encoder ascends           log q(y|x)                      of labelled images (5)

  unsupervised       z alone, of a prior of one's choice; D may be told the class (2.3)
  style              the decoder is told the class y, z has what is left (4)
  semi_supervised    the encoder finds y, too; a second D tells its softmax from one-hot draws (5)
  clustering         the same without labels, with more clusters than classes (6)
  reduction          the code is W_c y + z, in few dimensions; y from few labels, or a cluster (7)

Departures and decisions
    1. q is deterministic, as in all results of the paper; its Gaussian q is not built.
    2. Adam in place of descent with momentum, with moments of its own for each of the phases, since a network
       moves up several objectives. The rates are constant.
    3. Batch norm in the encoder's hidden layers, and without gain on (logits of y, z), there with the
       prior's moments (`nets.autoencoder`). Without it clusters stay empty.
    4. D sees codes and draws through noise of std .3: a softmax is never one-hot.
    5. The decoder is given the softmax of y, of labelled images too. Where the class is told and not
       known, y = 0.
    6. The decoder ends in a sigmoid of pixels in [0, 1]. Errors are sums over pixels, means over images.
    7. Weights begin as He et al. (2015) draw them, not as N(0, .01^2).
    8. One draw of the prior serves each update of D. The encoder moves by codes from after the first update,
       which D was just shown.
    9. W_c begins at random; heads nearer than `head_distance` are pushed apart, at a weight of 1.
    10. `width` scales the 1000 units of each hidden layer; paper: 3 for clusters and SVHN.
    11. Constants of the mixture and of the roll are not the paper's, which has none (`nets.priors`).
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.losses import class_log_likelihood, log_fake, log_real
from centigan.nets.autoencoder import CodeDiscriminator, Decoder, Encoder, initialise_heads
from centigan.nets.blocks import evaluated, evaluating, initialise_by_fan_in, scaled, without_statistics
from centigan.nets.priors import Gaussian, Mixture, Prior, SwissRoll
from centigan.settings.families.aae import AaeConfig as Config
from centigan.shown import drawn
from centigan.types import UNLABELLED, Batch, Given, Latent, Shape, Sheet, one_hot
from centigan.updates import ascend

UNITS = 1000
STYLES, MOST = 10, 10  # of a sheet: rows of styles, classes or members in a row
WHITE = 1.0


class Autoencoder(Latent):
    """What all uses share: encoder, decoder, D of z, and another D of y where the encoder finds it."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.sampled, self.classes = config, config.sampled, shape.classes
        self.by_class, self.prior = "by_class" in config.abilities, prior_of(config, shape.classes)
        told = config.use == "style"
        self.content = shape.classes if told or config.names else config.clusters
        if config.use == "unsupervised":
            self.content = 0
        units, found = scaled(UNITS, config.width), 0 if told else self.content
        self.encoder_finds = found > 0
        of_d = {"discriminator_z": (config.latent, (shape.classes + 1) * config.label_aware)}
        if found:
            of_d["discriminator_y"] = (found, 0)
        self.networks: dict[str, nn.Module] = {
            "encoder": Encoder(
                shape,
                units,
                found,
                self.prior,
                dropout=config.input_dropout,
                normalised=config.normalised,
                sharpness=config.sharpness,
            ),
            "decoder": Decoder(shape, units, self.content, config.latent, added=config.use == "reduction"),
        } | {name: CodeDiscriminator(*sizes, units, config.noise) for name, sizes in of_d.items()}
        for network in self.networks.values():
            initialise_by_fan_in(network, rng)
        initialise_heads(self.decoder, config.head_distance, rng)
        encoder, both = [self.networks["encoder"]], [self.networks["encoder"], self.networks["decoder"]]
        self.optimizers: dict[str, Optimizer] = {
            "autoencoder": self._adam(config.lr, both),
            **{name: self._adam(config.adversarial_lr, [self.networks[name]]) for name in of_d},
            "regulariser": self._adam(config.adversarial_lr, encoder),
        }
        if config.names:
            self.optimizers["classifier"] = self._adam(config.class_lr, encoder)

    def _adam(self, lr: float, networks: list[nn.Module]) -> Adam:
        parameters = [p for network in networks for p in network.parameters()]
        return Adam(parameters, lr, (self.config.beta1, self.config.beta2), fused=True)

    @property
    def encoder(self) -> nn.Module:
        """The one in use: as trained, or its moving average."""
        return self.networks["encoder"]

    @property
    def decoder(self) -> Decoder:
        """The one in use: as trained, or its moving average."""
        decoder = self.networks["decoder"]
        assert isinstance(decoder, Decoder)
        return decoder

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Reconstruction; regularisation, each D and then the encoder; labels."""
        logits, z = self.encoder(batch.images)
        y = logits.softmax(1) if self.encoder_finds else self.told_class(batch.given)
        error = squared_error(batch.images, self.decoder(self.decoder.joined(y, z)))
        near = self.decoder.closeness(self.config.head_distance)
        gradient_image = ascend(-error - near, self.optimizers["autoencoder"])

        logits, z = self.encoder(batch.images)
        pairs = self._codes_and_draws(logits, z, batch.given, rng)
        answers, values = {}, []
        for name, (code, draw, told) in pairs.items():
            of_draw, of_code = (self.networks[name](each, told) for each in (draw, code.detach()))
            answers[name] = of_draw, of_code
            values.append(log_real(of_draw) + log_fake(of_code))
            ascend(values[-1], self.optimizers[name])
        terms = [log_real(self.networks[name](code, told)) for name, (code, _, told) in pairs.items()]
        judged = torch.stack(terms).sum()
        gradient_encoder = ascend(judged, self.optimizers["regulariser"])

        of_draw, of_code = answers["discriminator_z"]
        return {
            "loss_image": error.detach(),
            "loss_discriminator": -torch.stack(values).sum().detach(),
            "loss_encoder": -judged.detach(),
            **self._taught(batch),
            "source_prior": (of_draw > 0).float().mean(),
            "source_code": (of_code < 0).float().mean(),
            "gradient_image": gradient_image,
            "gradient_encoder": gradient_encoder,
        }

    def _codes_and_draws(
        self, logits: Tensor, z: Tensor, given: Given, rng: Generator
    ) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """For each D its codes of images, as many draws of the prior, and what it is told beside both."""
        nothing = z.new_zeros(len(z), 0)
        parts, told = torch.full_like(given.labels, UNLABELLED), nothing
        if self.config.label_aware:
            parts, told = given.labels, one_hot_or_unknown(given.labels, self.classes)
        pairs = {"discriminator_z": (z, self.prior.draw(parts, rng), told)}
        if self.encoder_finds:
            pairs["discriminator_y"] = (logits.softmax(1), self._one_hot_draws(len(z), rng), nothing)
        return pairs

    def _one_hot_draws(self, count: int, rng: Generator) -> Tensor:
        """y ~ Cat(1/K), one-hot (count, K)."""
        if not self.content:
            return torch.zeros(count, 0, device=rng.device)
        return one_hot(torch.randint(self.content, (count,), generator=rng, device=rng.device), self.content)

    def _taught(self, batch: Batch) -> dict[str, Tensor]:
        """What labels add to the losses; nothing where they teach nothing."""
        return {}

    def told_class(self, given: Given) -> Tensor:
        """y (N, K): one-hot where the class is known, 0 where not; (N, 0) of a code without y."""
        return one_hot(given.labels, self.content)

    def coded(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, K) and z (N, L) of images (N, C, H, W), with running statistics."""
        with evaluating(self.encoder):
            logits, z = self.encoder(images)
        return logits, z

    def encode(self, images: Tensor) -> Tensor:
        """z of images (N, C, H, W), joined with the y that the encoder finds where nobody asks for one."""
        logits, z = self.coded(images)
        return z if self.by_class else self._joined(logits, z)

    @torch.no_grad()
    def latent(self, count: int, rng: Generator) -> Tensor:
        """z of the prior, joined with a y ~ Cat(1/K) where the code has one and nobody asks for it."""
        parts = torch.full((count,), UNLABELLED, device=rng.device)
        z = self.prior.draw(parts, rng)
        return z if self.by_class else self.decoder.joined(self._one_hot_draws(count, rng), z)

    @torch.no_grad()
    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of latents (N, L)."""
        code = self.decoder.joined(self.told_class(wanted), latent) if self.by_class else latent
        return evaluated(self.decoder, code)

    @torch.no_grad()
    def _joined(self, logits: Tensor, z: Tensor) -> Tensor:
        return self.decoder.joined(logits.softmax(1), z)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """What the prior holds (Fig 2, 3), styles by class (Fig 6), or heads with members (Fig 9)."""
        if self.by_class:
            return [self._styles(real, classes[:MOST], rng)]
        return [self._heads(real, classes) if self.content else self._places(real, rng)]

    def _places(self, real: Tensor, rng: Generator) -> Sheet:
        """Images at places of the prior, in its own order."""
        caption, codes = self.prior.shown(rng)
        return Sheet("manifold", "places of the prior", caption, drawn(self, codes.to(real.device)))

    def _styles(self, real: Tensor, classes: Sequence[str], rng: Generator) -> Sheet:
        z = self.latent(STYLES, rng).to(real.device)
        wanted = torch.arange(len(classes), device=real.device).repeat(STYLES)
        images = self.generate(z.repeat_interleave(len(classes), 0), Given(wanted))
        return Sheet(
            "style",
            "style and class",
            "A column is a class that the decoder is told, a row one draw of z: what it has of style stays "
            "along the row.",
            images.unflatten(0, (STYLES, len(classes))),
            columns=classes,
        )

    def _heads(self, real: Tensor, classes: Sequence[str]) -> Sheet:
        eye = torch.eye(self.content, device=real.device)
        with torch.no_grad():
            code = self.decoder.joined(eye, eye.new_zeros(self.content, self.config.latent))
        sure = self.coded(real)[0].softmax(1)
        rows = torch.full((self.content, 1 + MOST, *real.shape[1:]), WHITE, device=real.device)
        rows[:, :1] = drawn(self, code[:, None])
        for cluster in range(self.content):
            own = (sure.argmax(1) == cluster).nonzero()[:, 0]
            members = own[sure[own, cluster].argsort(descending=True)][:MOST]
            rows[cluster, 1 : 1 + len(members)] = real[members]
        return Sheet(
            "heads",
            "heads and members",
            "Left, what the decoder draws of a class or cluster alone, with z = 0; beside it the held-out "
            "images that the encoder is most sure of there. None: no image of those handed in falls there.",
            rows,
            rows=classes if self.config.names else [str(cluster) for cluster in range(self.content)],
            columns=["head", *[""] * MOST],
        )


class AAE(Autoencoder):
    """One that draws an image again without being told its class."""

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """Images (N, C, H, W) of the codes that the encoder finds; nothing is drawn."""
        return evaluated(self.decoder, self._joined(*self.coded(images)))


class NamingAAE(AAE):
    """One whose y is the class, which labelled images teach."""

    def _taught(self, batch: Batch) -> dict[str, Tensor]:
        known = batch.labelled or batch
        with without_statistics(self.encoder):  # labelled images are few
            logits, _ = self.encoder(known.images)
        named = class_log_likelihood(logits, known.given.labels)
        ascend(named, self.optimizers["classifier"])
        return {"loss_class": -named.detach()}

    def class_logits(self, images: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        return self.coded(images)[0]

    def class_step(self, batch: Batch) -> Tensor:
        """The encoder ascends the term of labelled images alone: a classifier of the same shape."""
        named = class_log_likelihood(self.encoder(batch.images)[0], batch.given.labels)
        ascend(named, self.optimizers["classifier"])
        return -named.detach()


class ClusteringAAE(AAE):
    """One whose y is a cluster that no label named."""

    def cluster_logits(self, images: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        return self.coded(images)[0]


def aae(config: Config, shape: Shape, rng: Generator) -> Autoencoder:
    """The family in the use that the settings ask for."""
    if config.use == "style":
        return Autoencoder(config, shape, rng)
    if config.names:
        return NamingAAE(config, shape, rng)
    return (AAE if config.use == "unsupervised" else ClusteringAAE)(config, shape, rng)


def prior_of(config: Config, classes: int) -> Prior:
    """The distribution that z is to have."""
    if config.prior == "gaussian":
        return Gaussian(config.latent, config.deviation)
    parts = classes if config.label_aware else config.components
    return Mixture(parts) if config.prior == "mixture" else SwissRoll(parts)


def squared_error(images: Tensor, again: Tensor) -> Tensor:
    """1/2 |x - x~|^2 of images (N, C, H, W) in [-1, 1], as pixels in [0, 1]: their sum, mean over images."""
    return ((images - again).float() / 2).square().flatten(1).sum(1).mean() / 2


def one_hot_or_unknown(labels: Tensor, classes: int) -> Tensor:
    """(N, K + 1) of labels (N,): class K is that of images without a label."""
    return one_hot(torch.where(labels == UNLABELLED, classes, labels), classes + 1)
