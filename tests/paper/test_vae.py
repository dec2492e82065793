"""VAE by its algebra: a linear one whose bound is known, and its networks against those of its docstring."""

from math import log

import pytest
import torch
from torch import Tensor, nn

from centigan.families.vae import VAE, Decoder, Encoder, plan
from centigan.likelihood import LEVELS, bits_per_dim, importance_bound
from centigan.settings.families.vae import VaeConfig
from centigan.types import Batch, Given, Shape

RIDGES = torch.tensor([[1.0, 0.0], [0.5, 2.0], [-1.0, 0.3]])  # W of the linear model: D = 3, L = 2
OFFSET = torch.tensor([0.1, -0.2, 0.3])
SEEN = torch.tensor([1.0, 2.0, -0.5])
VARIANCE = 0.25
PRECISION = RIDGES.T @ RIDGES + VARIANCE * torch.eye(2)  # M


class LinearEncoder(Encoder):
    """The best q of independent latents: N(M^-1 W'(x - b), s^2 / M_ii), whatever is seen beside x."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
        mean = torch.linalg.solve(PRECISION, RIDGES.T @ (SEEN - OFFSET))
        return mean.expand(len(w), 2), (VARIANCE / PRECISION.diagonal()).log().expand(len(w), 2)


class LinearDecoder(Decoder):
    """W z + b as three channels of one pixel."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.floor = 0.2
        self.log_sigma = nn.Parameter(torch.full((3, 1, 1), log(VARIANCE**0.5 - self.floor)))

    def forward(self, z: Tensor) -> Tensor:
        return (z @ RIDGES.T + OFFSET)[:, :, None, None]


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> VAE:
    """Probabilistic PCA as a VAE; every image is dequantised to SEEN."""
    vae = family(latent=2)
    vae.networks.update(encoder=LinearEncoder(), decoder=LinearDecoder())
    vae.dimensions = 3
    monkeypatch.setattr(
        "centigan.families.vae.dequantised", lambda images, rng: SEEN.view(1, 3, 1, 1).expand_as(images)
    )
    return vae


def family(**change: object) -> VAE:
    config = VaeConfig.model_validate({"width": 0.1, "latent": 8} | change)
    return VAE(config, Shape(3, 32), torch.Generator().manual_seed(0))


def batch(count: int = 4) -> Batch:
    levels = torch.randint(0, 256, (count, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    return Batch(levels / 127.5 - 1, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(1))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_bound_of_a_linear_model_is_what_algebra_gives(linear: VAE) -> None:
    """log p(x) = -4.0399804, of which independent latents lose 1/2 (sum ln M_ii - ln det M) = 0.0231064."""
    images, bin_of_all = torch.zeros(200_000, 3, 1, 1), 3 * log(2 / LEVELS)
    bound = linear.log_likelihood(images, rng()).mean().item() - bin_of_all
    assert bound == pytest.approx(-4.0630869, abs=0.01)
    weights = linear.log_weight(images, rng()) - bin_of_all
    assert weights.mean().item() == pytest.approx(-4.0630869, abs=2e-3)
    assert importance_bound(weights.view(50, -1)).mean().item() == pytest.approx(-4.040, abs=2e-3)


def test_the_losses_are_the_bound_in_bits_a_dimension() -> None:
    vae = family(lr=1e-30, sigma_lr=1e-30)
    decoder = vae.networks["decoder"].eval()  # the same statistics for the step and for the density
    decoder.train = lambda mode=True: decoder  # type: ignore[method-assign]
    losses = vae.step(batch(), rng())
    bound = bits_per_dim(vae.log_likelihood(batch().images, rng()), vae.dimensions).mean()
    torch.testing.assert_close(losses["loss_image"] + losses["loss_code"], bound)


def test_the_encoder_learns_from_the_bound_alone_and_with_the_decoder() -> None:
    vae = family()
    moved = [p for group in vae.optimizers["both"].param_groups for p in group["params"]]
    assert set(moved) == {p for network in vae.networks.values() for p in network.parameters()}
    vae.step(batch(), rng())
    for network in vae.networks.values():
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_terms_are_sums_over_pixels_and_latents_with_no_weight_between() -> None:
    """With the code's mean at 1 and its deviation at 1 each latent costs half a nat."""
    vae = family(lr=1e-30, sigma_lr=1e-30, latent=6)
    head = vae.encoder.head
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([1.0] * 6 + [0.0] * 6))
    losses = vae.step(batch(), rng())
    assert losses["loss_code"].item() == pytest.approx(6 * 0.5 / (vae.dimensions * log(2)), rel=1e-5)


def test_no_likelihood_is_without_end_on_a_constant_background() -> None:
    vae = family(sigma_floor=0.002)
    nn.init.constant_(vae.decoder.log_sigma, -50)
    torch.testing.assert_close(vae.decoder.sigma, torch.full((3, 1, 1), 0.002))


def test_a_code_is_found_whatever_stands_beside_the_image_and_training_does_not_notice() -> None:
    vae, images = family(), batch().images
    vae.step(batch(), rng())
    before = vae.decoder.norms[0].running_mean.clone()
    apart = torch.cat([vae.reconstruct(image, rng()) for image in images.split(1)])
    torch.testing.assert_close(vae.reconstruct(images, rng()), apart, atol=1e-5, rtol=0)
    vae.log_likelihood(images, rng())
    assert torch.equal(vae.decoder.norms[0].running_mean, before)
    assert vae.decoder.training


def test_a_reconstruction_is_what_is_generated_from_the_code() -> None:
    vae, real = family(), batch()
    again = vae.generate(vae.encode(real.images), real.given)
    assert torch.equal(vae.reconstruct(real.images, rng()), again)


@pytest.mark.parametrize(
    ("resolution", "maps"), [(32, [64, 128, 256]), (64, [64, 128, 256, 512]), (128, [64, 128, 256, 512, 512])]
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1) == maps


def test_parameters_at_32_px_are_those_of_the_layers() -> None:
    config, shape = VaeConfig(), Shape(1, 32, 1)
    encoder, decoder = Encoder(config, shape), Decoder(config, shape)
    taps = 16 * (64 + 64 * 128 + 128 * 256)
    assert count(encoder) == taps + 64 + 128 + 256 + (4096 + 1) * 2 * 128
    assert count(decoder) == (128 + 1) * 4096 + taps + 2 * (256 + 128 + 64) + 128 + 64 + 1 + 1


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
