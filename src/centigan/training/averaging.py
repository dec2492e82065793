"""Exponential moving average of the weights that are sampled (off in the paper)."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from centigan.types import Family


class Averages:
    """The moving averages of a family's sampled networks; without a decay there are none."""

    def __init__(self, family: Family, decay: float | None) -> None:
        self.family = family
        self.networks: dict[str, nn.Module] = {}
        if decay is not None:
            average = get_ema_multi_avg_fn(decay)
            for name in family.sampled:
                # buffers too: batch norm's statistics belong to the weights that they were taken under
                self.networks[name] = AveragedModel(
                    family.networks[name], multi_avg_fn=average, use_buffers=True
                )

    def update(self) -> None:
        """Move the averages towards the present weights: w' <- decay w' + (1 - decay) w.

        Buffers that a network calls `unaveraged` are its present ones.
        """
        for name, average in self.networks.items():
            assert isinstance(average, AveragedModel)
            network = self.family.networks[name]
            average.update_parameters(network)
            for buffer in getattr(network, "unaveraged", ()):
                average.module.get_buffer(buffer).copy_(network.get_buffer(buffer))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The family's sampled networks are their averages while the block runs."""
        trained = dict(self.family.networks)
        for name, average in self.networks.items():
            self.family.networks[name] = average.module  # type: ignore[assignment]
        try:
            yield
        finally:
            self.family.networks.update(trained)
