"""The training of one split: load, resume, step, record, save.

Everything random is a function of (seed, split, iteration): a run that was killed and resumed writes
the same bytes as one that was not.
"""

import logging
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from centigan.atomic import remove_halves
from centigan.data.batches import Batches, Placement
from centigan.data.caption_vectors import class_vectors
from centigan.errors import UserError
from centigan.families import build
from centigan.journal import Journal, text_until
from centigan.layout import Layout
from centigan.manifest import (
    channels_of,
    levels_of,
    read_facts,
    sha256,
)
from centigan.seeds import counter_seed
from centigan.settings.stages import TrainStage
from centigan.trained import load_networks
from centigan.training.averaging import Averages
from centigan.training.beginning import captions_learnt_by, networks_begun_with
from centigan.training.checkpoint import Checkpoint, Checkpoints
from centigan.training.engine import Engine, peak_memory
from centigan.training.export import export
from centigan.training.lock import only_writer
from centigan.training.progress import Progress
from centigan.training.snapshots import snapshot, snapshot_iterations
from centigan.training.stopping import Stop, Stopped
from centigan.training.watch import Watch
from centigan.types import Grows, Primes, Starts, TakesClassCaptions

# settings that may change between an interrupted run and its continuation
FREE = {"train": {"iterations", "checkpoint_every", "checkpoint_minutes", "on_divergence"}}
MOST_HALVINGS = 5  # of the learning rates, before a training that diverges is given up
log = logging.getLogger(__name__)


class Diverged(Exception):  # noqa: N818
    """A value of the journal is not finite, after so many halvings of the learning rates."""

    def __init__(self, name: str, iteration: int, scratch: Path, halvings: int) -> None:
        self.halvings, self.what = halvings, f"{name} is not finite by iteration {iteration}"
        super().__init__(
            f"{self.what}. The last checkpoint is in {scratch}; set train.on_divergence: halve to go on from "
            "there with half the learning rates, or lower them in `model` and remove that folder"
        )


def train_split(
    layout: Layout,
    split: str,
    stage: TrainStage,
    *,
    device: torch.device,
    placement: Placement = "auto",
    bar: bool = False,
    stop: Stop | None = None,
) -> None:
    """Train one split to the end and write its networks, journal, snapshots and manifest.

    Raises:
        UserError: when a loss is not finite, or an unfinished run of other settings is in the way.
        Stopped: after the iteration in which `stop` was asked for, once that is saved.
    """
    halvings, stop = 0, stop or Stop()
    with only_writer(layout.scratch(split), split, stop):
        for folder in (layout.train(split), layout.scratch(split), layout.scratch(split) / "snapshots"):
            remove_halves(folder)
        while True:
            try:
                return _train(layout, split, stage, halvings, device, placement, bar, stop)
            except Diverged as diverged:
                halvings = diverged.halvings + 1
                if stage.train.on_divergence == "stop" or halvings > MOST_HALVINGS:
                    raise UserError(f"split {split}: {diverged}") from None
                log.warning(
                    "split %s: %s. Going back with 1/%d of the learning rates",
                    split,
                    diverged.what,
                    2**halvings,
                )


def _train(
    layout: Layout,
    split: str,
    stage: TrainStage,
    halvings: int,
    device: torch.device,
    placement: Placement,
    bar: bool,
    stop: Stop,
) -> None:
    settings, arrays, scratch = stage.train, layout.arrays(split), layout.scratch(split)
    engine = Engine.choose(settings, device)

    # Load
    facts = read_facts(arrays)
    classes, channels = facts["classes"], channels_of(facts)
    groups = stage.model.groups(classes)
    captions = captions_learnt_by(layout, split, stage)
    batches = Batches(
        arrays,
        batch_size=settings.batch_size * stage.model.batches,
        seed=settings.seed,
        split=split,
        device=device,
        flips=settings.flips,
        channels=channels,
        supervision=stage.supervision,
        labelled_apart=settings.batch_size if stage.model.takes_labelled_apart else 0,
        captions=captions,
        placement=placement,
    )
    family = build(
        stage.model,
        classes=len(classes),
        resolution=batches.resolution,
        channels=channels,
        dimensions=batches.dimensions,
        levels=levels_of(facts),
        embedding=captions.embedding if captions else 0,
        rng=torch.Generator().manual_seed(counter_seed(settings.seed, split, "weights")),
    )
    engine.prepare(family, layout.compiled)
    step, rng = engine.stepper(family), torch.Generator(device)
    averages = Averages(family, settings.ema)

    # Resume
    identity = stage.model_dump(mode="json", exclude=FREE)
    identity |= {name: sha256(arrays / f"{name}.npy") for name in ("images", "labels")}
    identity |= {"classes": len(classes), "engine": engine.describe()}  # their names change no weight
    pixels: dict[str, int] = {name: facts[name] for name in ("channels", "levels") if name in facts}
    identity |= pixels
    if captions:
        pixels["embedding"] = captions.embedding
    networks = networks_begun_with(family, layout, split, stage)
    beginning = [*networks, *(captions.files if captions else [])]
    if beginning:
        identity |= {"beginning": {file.name: sha256(file) for file in beginning}}
    checkpoints = Checkpoints(scratch, identity=identity, settings=settings)
    state = checkpoints.resume(family, averages)
    if isinstance(family, Starts) and not state.iteration:  # what they set is in every checkpoint
        load_networks(family.started, networks[0].parent)
    elif isinstance(family, TakesClassCaptions) and not state.iteration:
        family.take_class_captions(class_vectors(layout.captions(split), arrays, len(classes)).to(device))
    if not state.iteration and isinstance(family, Primes):
        seed = counter_seed(settings.seed, split, "prime")
        torch.manual_seed(seed)
        family.prime(engine.laid_out(batches.at(1)), rng.manual_seed(seed))
    halvings = max(halvings, state.halvings)
    for optimizer in family.optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] *= 0.5**halvings
    sums = {name: value.to(device) for name, value in state.sums.items()}
    snapshots = dict(state.snapshots)
    # what another training's networks draw stays as it is, and that training has warned of it
    warning_since = settings.iterations if stage.model.parent else settings.iterations // 2
    watch = Watch(scratch / "snapshots", arrays, split, groups, since=warning_since)
    speeds = text_until(scratch / "timing.jsonl", state.iteration)
    with (
        closing(Journal(scratch / "history.jsonl", state.journal)) as journal,
        closing(Journal(scratch / "timing.jsonl", speeds, needed=False)) as timing,
        closing(Progress(split, start=state.iteration, total=settings.iterations, bar=bar)) as progress,
    ):
        began, seen = time.perf_counter(), 0
        for iteration in range(state.iteration + 1, settings.iterations + 1):
            # Step
            if isinstance(family, Grows) and family.grow(iteration, batches.batch_size):
                step = engine.stepper(family)  # what is recorded is of the layers before
            seed = counter_seed(settings.seed, split, "noise", iteration)
            torch.manual_seed(seed)  # dropout and activation noise
            losses = step(engine.laid_out(batches.at(iteration)), rng.manual_seed(seed))
            averages.update()

            # Record
            for name, value in losses.items():
                sums[name] = sums[name] + value if name in sums else value.clone()
            seen += 1
            if iteration % settings.log_every == 0:
                means = {name: float(sums[name]) / settings.log_every for name in losses}  # in their order
                _check_finite(means, iteration, scratch, halvings)
                journal.write(iteration, means)
                speed = seen * batches.batch_size / (time.perf_counter() - began)
                now = {"timestamp": int(time.time() * 1000), "images_per_second": speed}
                timing.write(iteration, now | peak_memory(device))
                progress.record(means)
                sums, began, seen = {}, time.perf_counter(), 0
            if iteration in snapshot_iterations(settings):
                try:
                    with averages.in_place():
                        snapshots[iteration] = snapshot(family, split, settings, groups, classes, device)
                except UserError as error:  # images of NaN
                    raise Diverged("the snapshot", iteration, scratch, halvings) from error
                if not batches.dimensions:  # points have no sheet and no MS-SSIM
                    watch.look(snapshots[iteration], iteration)

            # Save
            asked_by = stop.asked_by  # read once: the signal may come between saving and leaving
            if asked_by or checkpoints.due(iteration):
                _check_finite(
                    {name: float(value) for name, value in sums.items()}, iteration, scratch, halvings
                )
                now_known = Checkpoint(iteration, sums, halvings, journal.text, snapshots)
                checkpoints.save(family, averages, now_known)
            progress.step(iteration)
            if asked_by and iteration < settings.iterations:
                raise Stopped(
                    f"split {split}: stopped by {asked_by.name} after iteration {iteration} of "
                    f"{settings.iterations}, which is saved; run again to continue"
                )

    with averages.in_place():
        if settings.iterations not in snapshots and settings.iterations in snapshot_iterations(settings):
            # a checkpoint of a longer training, which took none here
            snapshots[settings.iterations] = snapshot(family, split, settings, groups, classes, device)
        wanted = {at: snapshots[at] for at in snapshot_iterations(settings)}
        export(family, layout, split, stage, beginning, classes, pixels, engine, journal.text, wanted)


def _check_finite(values: dict[str, float], iteration: int, scratch: Path, halvings: int) -> None:
    wrong = [name for name, value in values.items() if not np.isfinite(value)]
    if wrong:
        raise Diverged(wrong[0], iteration, scratch, halvings)
