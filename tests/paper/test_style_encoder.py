"""The style encoder (Reed et al., 2016, section 4.4): equation 6 by algebra, what it sees, what rests."""

import pytest
import torch
from torch import Tensor, nn

from centigan.families.gan_cls import GANCLS
from centigan.families.style_encoder import StyleEncoding
from centigan.nets.described import StyleEncoder
from centigan.settings.families.gan_cls import GanClsConfig
from centigan.settings.families.style_encoder import StyleEncoderConfig
from centigan.types import Batch, Given, Shape

SHAPE, COUNT, LATENT = Shape(3, 32, embedding=6), 8, 4
GAN = GanClsConfig(width=0.05, text_units=5, latent=LATENT)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> StyleEncoding:
    config = StyleEncoderConfig.model_validate({"width": 0.05, "decoder": GAN.model_dump()} | change)
    return StyleEncoding(config, SHAPE, rng())


def batch() -> Batch:
    images = torch.rand(COUNT, 3, 32, 32, generator=rng(1)) * 2 - 1
    captions = torch.randn(COUNT, SHAPE.embedding, generator=rng(2))
    return Batch(images, Given(torch.arange(COUNT) % 3, captions), torch.tensor(1))


class Told(nn.Module):
    """An S that knows z and says a share of it, and remembers what it saw."""

    def __init__(self, z: Tensor, share: float) -> None:
        super().__init__()
        self.z, self.share, self.seen = z, nn.Parameter(torch.tensor(share)), list[Tensor]()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.share * self.z


def with_told(made: StyleEncoding, share: float) -> Told:
    """Its step draws z by the generator of seed 3."""
    told = Told(made.latent(COUNT, rng(3)), share)
    made.networks["style"].encoder = told
    made.optimizers["style"].param_groups[0]["params"] = [told.share]
    return told


@pytest.mark.parametrize(("share", "left"), [(0.0, 1.0), (0.5, 0.25), (1.0, 0.0), (2.0, 1.0)])
def test_of_z_itself_nothing_is_lost_and_of_a_share_the_square_of_the_rest(share: float, left: float) -> None:
    """E |z - c z|^2 = (1 - c)^2 E |z|^2, where |z|^2 is a sum over L."""
    made = family()
    told = with_told(made, share)
    losses = made.step(batch(), rng(3))
    square = told.z.square().sum() / COUNT
    assert losses["loss_style"].item() == pytest.approx(left * square.item(), abs=1e-6)
    assert losses["found"].item() == pytest.approx(1 - left, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_s_moves_towards_z(share: float) -> None:
    made = family()
    told = with_told(made, share)
    made.step(batch(), rng(3))
    assert abs(told.share.item() - 1) < abs(share - 1)


def test_s_sees_what_g_draws_of_z_and_the_batch_s_captions_and_no_real_image() -> None:
    made = family()
    told = with_told(made, 1.0)
    made.step(batch(), rng(3))
    (seen,) = told.seen
    assert torch.equal(seen, made.other.generate(told.z, batch().given))
    assert not seen.requires_grad


def test_s_moves_and_g_rests_with_all_its_statistics() -> None:
    made = family()
    network = made.networks["style"]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for n in range(2):
        made.step(batch(), rng(n))
    moved = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == {key for key in before if key.startswith("encoder.")}
    assert not any(parameter.requires_grad for parameter in made.started["generator"].parameters())
    assert any(key.startswith("networks.generator.") and "running_mean" in key for key in before)


def test_what_is_drawn_is_what_the_gan_draws() -> None:
    gan, made, wanted = GANCLS(GAN, SHAPE, rng(5)), family(), batch().given
    assert made.started.keys() == {"generator"}
    made.started["generator"].load_state_dict(gan.networks["generator"].state_dict())
    assert torch.equal(made.sample(wanted, rng(7)), gan.sample(wanted, rng(7)))


def test_s_learns_to_find_z() -> None:
    made = family(lr=2e-3, width=0.25)
    nn.init.normal_(made.started["generator"].layers[0].weight, generator=rng())  # images that z decides
    found = [made.step(batch(), rng(n))["found"].item() for n in range(60)]
    assert sum(found[-10:]) / 10 > 0.3 > found[0]


def test_the_network_has_d_s_layers_for_images_and_z_behind_them() -> None:
    encoder = StyleEncoder(Shape(0, 64), 100, 1.0)
    halvings = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
    refined = 512 * 128 + 9 * 128 * 128 + 9 * 128 * 512 + 2 * (128 + 128 + 512)
    assert sum(p.numel() for p in encoder.parameters()) == halvings + refined + 16 * 512 * 100


def test_the_sheet_has_styles_across_and_captions_down() -> None:
    made, (images, (_, captions), *_) = family(), batch()
    assert captions is not None
    for weight in made.networks["style"].parameters():  # codes and images that differ
        weight.data.mul_(8)
    texts = [f"text {n}" for n in range(COUNT)]
    (sheet,) = made.demonstrate_captions(images, captions, texts, rng())
    assert torch.equal(sheet.images[0], images)
    codes, rows = made.encode(images), [0, 1, 3, 4, 6, 7]
    transferred = made.generate(codes[[5]], Given(torch.tensor([-1]), captions[[rows[2]]]))
    torch.testing.assert_close(sheet.images[1 + 2, 5], transferred[0], rtol=0, atol=1e-5)
    assert (sheet.images[1 + 2, 4] - transferred[0]).abs().max() > 1e-3
    assert sheet.rows == ["style", *(texts[n] for n in rows)]
