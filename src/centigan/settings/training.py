"""The training loop, and what is drawn from a trained generator."""

from typing import Literal, Self

from pydantic import Field, model_validator

from centigan.settings.frozen import Count, Frozen, Seed, Several


class TrainSettings(Frozen):
    """The training loop."""

    seed: Seed = 0
    batch_size: Several = Field(100, description="real images an iteration; batch norm needs two")
    iterations: Count = 50_000
    flips: bool = Field(False, description="mirror each image with probability 1/2; the paper names none")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the processor multiplies it natively"
    )
    channels_last: Literal["auto"] | bool = Field(
        "auto", description="activations (N, H, W, C) in memory; auto: on a CPU, and with bfloat16 on a GPU"
    )
    compile: Literal["auto", "none", "graph", "default", "reduce-overhead", "max-autotune"] = Field(
        "auto",
        description="graph: the step recorded as one CUDA graph, the same bytes in less time; the others are "
        "modes of torch.compile; auto: graph on a GPU, none on a CPU (benchmarks/numerics.py)",
    )
    tf32: Literal["auto"] | bool = Field(
        "auto",
        description="float32 products with 10 bits of mantissa on a GPU; auto: if precision is auto",
    )
    deterministic: bool = Field(
        False, description="the same bytes twice on a GPU too, at some cost; a CPU gives them anyway"
    )
    ema: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="decay of G's moving average, which is then sampled and saved; null: paper",
    )
    on_divergence: Literal["stop", "halve"] = Field(
        "stop",
        description="a loss that is not finite stops the run; halve: it goes back to the last checkpoint "
        "with half the learning rates, up to five times",
    )
    log_every: Count = Field(100, description="iterations between lines of the journal")
    checkpoint_every: Count = Field(1000, description="iterations between checkpoints, at most")
    checkpoint_minutes: float = Field(10.0, gt=0, description="minutes between checkpoints, at most")
    snapshot_every: Count = Field(5000, description="iterations between samples (Fig 5 right)")
    snapshot_per_class: Several = Field(20, description="samples of each class in a snapshot")

    @model_validator(mode="after")
    def _journal_has_a_line(self) -> Self:
        if self.log_every > self.iterations:
            raise ValueError(f"log_every {self.log_every} exceeds iterations {self.iterations}; lower it")
        return self


class SupervisionSettings(Frozen):
    """How many of the training images tell their class; measurements know the classes of all."""

    labelled_per_class: Count | None = Field(
        None, description="images of a class whose label a training sees; null: all"
    )
    seed: Seed = Field(0, description="which images these are")


class SampleSettings(Frozen):
    """Images drawn from each trained generator."""

    seed: Seed = 0
    per_class: Several = 1000
    fresh_per_class: Count = Field(
        50, description="further samples, that nothing was chosen by: the Inception score is reported on them"
    )


class LatentSettings(Frozen):
    """Walks through the latent space, squares of it, and grids of one z for every class (Fig 8)."""

    walks: Count = Field(4, description="walks of a class, each both linear and spherical")
    steps: Count = Field(16, ge=3, description="images of a walk, ends included")
    square: Count = Field(7, ge=2, le=32, description="images a side of the square between four latents")
    styles: Count = Field(8, description="rows of the grid: one z each, shown for every class")
    seed: Seed = 0


class ReconstructionSettings(Frozen):
    """Held-out images that are drawn again, and walks between the codes of two of them."""

    images: Several = Field(64, description="held-out images of a split, at most, evenly from their list")
    walks: Count = Field(4, description="walks, each from one of these images to another")
    steps: Count = Field(10, ge=3, description="images of a walk, ends included")
    seed: Seed = 0


class DemonstrationSettings(Frozen):
    """Held-out images handed to a family that draws what its paper shows."""

    images: Count = Field(64, description="held-out images of a split, at most, evenly from their list")
    seed: Seed = 0
