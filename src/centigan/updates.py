"""How optimisers are moved: shared by families, whose `step` says what they are moved by."""

from collections.abc import Callable, Iterable, Mapping
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Adam, Optimizer

from centigan.nets.historical_averaging import trained
from centigan.settings.descent import SgdSettings, TwoForms


def ascend(objective: Tensor, optimizer: Optimizer) -> Tensor:
    """One optimiser step up the objective, for that optimiser's parameters only; their gradient's norm."""
    (norm,) = ascend_together((objective, optimizer))
    return norm


def ascend_together(*moves: tuple[Tensor, Optimizer]) -> list[Tensor]:
    """Each optimiser a step up its own objective, all from the same parameters; their gradients' norms."""
    norms = []
    for left, (objective, optimizer) in enumerate(moves, 1 - len(moves)):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad(set_to_none=True)
        (-objective).backward(inputs=parameters, retain_graph=left < 0)
        norms.append(get_total_norm([p.grad for p in parameters if p.grad is not None]))
    for _, optimizer in moves:
        optimizer.step()
    return norms


def means_over(updates: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Of each value () that the updates of a step tell, the mean over them."""
    return {name: torch.stack([each[name] for each in updates]).mean() for name in updates[0]}


class ScheduledSGD(Optimizer):
    """Gradient descent with momentum, whose rate and momentum follow the iteration n, from 1 (SgdSettings).

        v <- m(n) v - r(n) g;  w <- w + v

    The velocity v is made of steps, not of gradients, as in pylearn2, the GAN authors' library: the rates of
    the past are in it. torch.optim.SGD's is of gradients, and takes no momentum that lies on a GPU.
    """

    rate: Tensor  # r(n) over its first value
    momentum: Tensor  # m(n)

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, settings: SgdSettings) -> None:
        super().__init__(parameters, {"lr": lr})
        self.lr, self.settings = lr, settings

    def at(self, iteration: Tensor) -> None:
        """Take rate and momentum of an iteration, () int64."""
        settings, past = self.settings, (iteration - 1).float()
        self.rate = torch.exp(-log(settings.decay) * past).clamp(min=settings.least / self.lr)
        risen = (past / settings.momentum_rise).clamp(max=1)
        self.momentum = settings.momentum + (settings.final_momentum - settings.momentum) * risen

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"])

    def _move(self, parameter: Tensor, gradient: Tensor, lr: float) -> None:
        state: dict[str, Any] = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        parameter.add_(state["velocity"].mul_(self.momentum).addcmul_(gradient, -lr * self.rate))


class ShortenedAdam(Adam):
    """Adam whose step is shortened to a share r(n) of itself, by the iteration n, from 1.

    The share is a tensor, which a recorded step reads; Adam takes no step size that changes on every device.
    """

    rate: Tensor  # r(n)

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        super().__init__(parameters, lr, betas, weight_decay=weight_decay, fused=True)

    def at(self, iteration: Tensor) -> None:
        """Take the rate of an iteration, () int64."""
        raise NotImplementedError

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        assert closure is None
        moved = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [parameter.clone() for parameter in moved]
        super().step()
        for parameter, old in zip(moved, before, strict=True):
            parameter.lerp_(old, 1 - self.rate)


class FallingAdam(ShortenedAdam):
    """Its step size is constant for half of `zero_at` iterations, then falls in a line to 0.

    r(n) = 2 - 2 (n - 1) / zero_at, within 0 and 1
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float],
        weight_decay: float,
        *,
        zero_at: int,
    ) -> None:
        super().__init__(parameters, lr, betas, weight_decay)
        self.zero_at = zero_at

    def at(self, iteration: Tensor) -> None:
        """Take the rate of an iteration, () int64."""
        self.rate = (2 - 2 * (iteration - 1).float() / self.zero_at).clamp(0, 1)


class DecayingAdam(ShortenedAdam):
    """Its step size is constant for `constant_for` iterations, then decays to `last` of it within `over`.

    r(n) = last^((n - constant_for) / over), within last and 1
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float],
        weight_decay: float,
        *,
        constant_for: int,
        over: int,
        last: float,
    ) -> None:
        super().__init__(parameters, lr, betas, weight_decay)
        self.constant_for, self.over, self.last = constant_for, over, last

    def at(self, iteration: Tensor) -> None:
        """Take the rate of an iteration, () int64."""
        share = ((iteration - self.constant_for) / self.over).clamp(0, 1)
        self.rate = torch.exp(log(self.last) * share)


class FadingAdam(ShortenedAdam):
    """Its step size is multiplied by the same factor at each iteration: r(n) = factor^n."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float], *, factor: float
    ) -> None:
        super().__init__(parameters, lr, betas, weight_decay=0.0)
        self.factor = factor

    def at(self, iteration: Tensor) -> None:
        """Take the rate of an iteration, () int64."""
        self.rate = torch.exp(log(self.factor) * iteration.float())


class HalvingAdam(ShortenedAdam):
    """Its step size is halved after every so many iterations: r(n) = 2^-floor((n - 1) / every)."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float], *, every: int
    ) -> None:
        super().__init__(parameters, lr, betas, weight_decay=0.0)
        self.every = every

    def at(self, iteration: Tensor) -> None:
        """Take the rate of an iteration, () int64."""
        self.rate = torch.exp2(-((iteration - 1) // self.every).float())


class GatedAdam(Adam):
    """Fused Adam that may be told to leave an update out, by a tensor that stays on the device.

    Then neither parameters, nor moments, nor its count of steps change: it is told of it in the way in which
    a gradient scaler tells it of infinite gradients.
    """

    found_inf: Tensor | None = None

    def only_if(self, moves: Tensor) -> None:
        """Let the next updates count where `moves`, () bool, is true."""
        # on meta there is no value to look at, and Adam that is not fused refuses it
        self.found_inf = None if moves.is_meta else (~moves).float()


def adams(
    networks: Mapping[str, nn.Module],
    rates: Mapping[str, float],
    betas: tuple[float, float],
    weight_decay: float = 0.0,
) -> dict[str, Optimizer]:
    """An Adam a network, each with a rate of its own: of parameters that are trained."""
    return {
        name: Adam(trained(networks[name]), rate, betas, weight_decay=weight_decay, fused=True)
        for name, rate in rates.items()
    }


def optimizers_of(
    config: TwoForms, networks: dict[str, nn.Module], *, adam: bool = False
) -> dict[str, Optimizer]:
    """For G and for D: scheduled descent for dense networks, Adam for convolutional ones, or `adam`."""
    descends = config.net == "dense" and not adam
    of = config.sgd if descends else config
    rates = {"generator": of.generator_lr, "discriminator": of.discriminator_lr}
    if descends:
        return {
            name: ScheduledSGD(networks[name].parameters(), rate, config.sgd) for name, rate in rates.items()
        }
    return adams(networks, rates, (config.beta1, config.beta2), config.weight_decay)


def decay_linearly(optimizers: Iterable[Optimizer], iteration: Tensor, over: int) -> None:
    """Step sizes of an iteration, () int64: the first at iteration 1, 0 from `over` + 1, on a line between.

    They become tensors, which a recorded step computes anew each time.
    """
    share = (1 - (iteration - 1) / over).clamp(min=0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * share


def follow_schedules(optimizers: Iterable[Optimizer], iteration: Tensor) -> None:
    """Let those optimisers that follow the iteration take their values of it."""
    for optimizer in optimizers:
        if isinstance(optimizer, ScheduledSGD | ShortenedAdam):
            optimizer.at(iteration)
