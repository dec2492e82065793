"""How DRAW looks at an image and draws on a canvas (Gregor et al., 2015; sections 2 and 3).

Canvases and images stand as (N, H, C, W) within a drawing, in the order of `nets/attention.py`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from centigan.nets.attention import PARAMETERS, Window, look_at, read, write
from centigan.nets.blocks import scaled
from centigan.nets.gaussian import GaussianHead, NoisyDecoder, code_of
from centigan.nets.recurrent import LstmCell, State
from centigan.settings.families.draw import DrawConfig as Config
from centigan.types import Shape


class Encoder(nn.Module):
    """Equations 3 to 5, and the numbers of Q(Z_t): reads an image beside what its canvas lacks."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        units, self.points, self.side = scaled(config.units, config.width), config.read, shape.resolution
        self.attends = config.attention
        if self.attends:
            self.look = nn.Linear(units, PARAMETERS)
            seen = 2 * shape.channels * self.points**2
        else:
            pixels = shape.channels * shape.resolution**2
            self.of_image = nn.Linear(pixels, 4 * units, bias=False)
            self.of_error = nn.Linear(pixels, 4 * units, bias=False)
            seen = 0
        self.cell = LstmCell(seen + units, units, learned=config.start == "learned")
        self.head = GaussianHead(units, config.latent)

    def once(self, x: Tensor) -> Tensor | None:
        """What of x (N, H, C, W) is the same at every step."""
        return None if self.attends else self.of_image(x.flatten(1))

    def forward(
        self, x: Tensor, once: Tensor | None, canvas: Tensor, told: Tensor, state: State
    ) -> tuple[Tensor, Tensor, State, Window | None]:
        """x, canvas (N, H, C, W), h_dec (N, units) -> mean and log variance of z_t; state; window."""
        error = x - canvas.sigmoid()
        window = None
        if once is None:
            look = look_at(self.look(told), self.points, self.side)
            patches = read(torch.cat([x, error], dim=2), look).flatten(1) * look.intensity
            state, window = self.cell([patches, told], state), look.window
        else:
            state = self.cell([told], state, once + self.of_error(error.flatten(1)))
        mean, log_variance = self.head(state.hidden)
        return mean, log_variance, state, window


class Decoder(NoisyDecoder):
    """Equations 7 and 8, with the first canvas."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        units, self.points, self.side = scaled(config.units, config.width), config.write, shape.resolution
        self.attends = config.attention
        self.image = (shape.resolution, shape.channels, shape.resolution)
        learned = config.start == "learned"
        self.cell = LstmCell(config.latent, units, learned=learned)
        if self.attends:
            self.write = nn.Linear(units, PARAMETERS + shape.channels * self.points**2)
        else:
            self.write = nn.Linear(units, shape.channels * shape.resolution**2)
        if learned:
            self.first = nn.Parameter(torch.zeros(self.image))
        else:
            self.register_buffer("first", torch.zeros(self.image))
        if config.decoder == "gaussian":
            self.begin_noise(shape.channels, config.sigma_floor)

    def forward(self, z: Tensor, state: State) -> tuple[Tensor, State, Window | None]:
        """z_t (N, latent) -> what is added to the canvas (N, H, C, W); state; window."""
        state = self.cell([z], state)
        told = self.write(state.hidden)
        if not self.attends:
            return told.view(-1, *self.image), state, None
        look = look_at(told[:, :PARAMETERS], self.points, self.side)
        patches = told[:, PARAMETERS:] / look.intensity
        patches = patches.view(-1, self.points, self.image[1], self.points)
        return write(patches, look), state, look.window


class Step(NamedTuple):
    """One of T steps of N drawings."""

    canvas: Tensor  # c_t (N, H, C, W)
    wrote: Window | None  # none without attention
    read: Window | None
    mean: Tensor  # of Q(Z_t), (N, latent)
    log_variance: Tensor
    z: Tensor


def drawn_again(
    encoder: Encoder, decoder: Decoder, x: Tensor, noises: Sequence[Tensor | None]
) -> Iterator[Step]:
    """Equations 3 to 8 for x (N, C, H, W) in [0, 1]: a step for each noise (N, latent), or for each mean."""
    count, x = len(x), x.transpose(1, 2).contiguous()
    once, looking, drawing = encoder.once(x), encoder.cell.start(count), decoder.cell.start(count)
    canvas = decoder.first.expand(count, -1, -1, -1)
    for noise in noises:
        mean, log_variance, looking, seen = encoder(x, once, canvas, drawing.hidden, looking)
        z = mean if noise is None else code_of(mean, log_variance, noise)
        added, drawing, wrote = decoder(z, drawing)
        canvas = canvas + added
        yield Step(canvas, wrote, seen, mean, log_variance, z)


def drawn_from(decoder: Decoder, codes: Sequence[Tensor]) -> Iterator[tuple[Tensor, Window | None]]:
    """Equations 7 and 8 for z_1 .. z_T (N, latent): canvas and window of each step."""
    count = len(codes[0])
    canvas, drawing = decoder.first.expand(count, -1, -1, -1), decoder.cell.start(count)
    for z in codes:
        added, drawing, wrote = decoder(z, drawing)
        canvas = canvas + added
        yield canvas, wrote


def shown(canvas: Tensor) -> Tensor:
    """sigmoid(c) of a canvas (N, H, C, W), as images (N, C, H, W) in [-1, 1]."""
    return 2 * canvas.float().sigmoid().transpose(1, 2) - 1


def movement(windows: Sequence[Window | None], points: int) -> dict[str, Tensor]:
    """Of windows of T steps: mean side at the first and at the last, and how far a centre wanders, pixels."""
    there = [window for window in windows if window is not None]
    if not there:
        return {}
    first, last = ((points - 1) * window.stride.detach().mean() for window in (there[0], there[-1]))
    centres = torch.stack([window.centre.detach() for window in there])
    path = centres.diff(dim=0).square().sum(2).sqrt().sum(0).mean()
    return {"window_first": first, "window_last": last, "window_path": path}
