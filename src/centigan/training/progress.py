"""How far a training is: a bar on a terminal, a line every few seconds elsewhere."""

import logging
import time

from tqdm import tqdm

EVERY = 15.0  # seconds between lines
log = logging.getLogger(__name__)


class Progress:
    """Iterations a second, time left and the latest losses of one split."""

    def __init__(self, split: str, *, start: int, total: int, bar: bool) -> None:
        self.split, self.start, self.total = split, start, total
        self.began = self.spoke = time.monotonic()
        self.losses = ""
        self.bar = tqdm(
            total=total,
            initial=start,
            unit="it",
            desc=f"split {split}",
            disable=None if bar else True,
        )

    def record(self, means: dict[str, float]) -> None:
        """Show these losses from now on."""
        names = {"loss_discriminator": "L_D", "loss_generator": "L_G"}
        losses = {names.get(k, k): v for k, v in means.items() if k.startswith("loss")}
        self.losses = " ".join(f"{name} {v:.2f}" for name, v in losses.items())
        self.bar.set_postfix_str(self.losses)

    def step(self, iteration: int) -> None:
        """One more iteration is done."""
        self.bar.update()
        now = time.monotonic()
        if self.bar.disable and (now - self.spoke > EVERY or iteration == self.total):
            self.spoke = now
            log.info("%s", self._line(iteration, now - self.began))

    def close(self) -> None:
        self.bar.close()

    def _line(self, iteration: int, elapsed: float) -> str:
        rate = (iteration - self.start) / elapsed
        left = tqdm.format_interval((self.total - iteration) / rate)
        share = iteration / self.total
        done = f"iteration {iteration}/{self.total} ({share:.0%})"
        return f"split {self.split}: {done}, {rate:.1f} it/s, {left} left, {self.losses}".rstrip(", ")
