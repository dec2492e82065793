"""The engine on a real split: what it writes, and that nothing is lost when it is interrupted."""

import json
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from dying import CHILDREN, train_and_ask_twice, train_and_die
from PIL import Image
from safetensors.torch import load_file
from small import SAMPLE, TRAIN

from centigan.errors import UserError
from centigan.families import build
from centigan.families.acgan import ACGAN
from centigan.families.improved import ImprovedGAN
from centigan.families.progressive import ProgressiveGAN
from centigan.journal import Journal, read_lines, text_until
from centigan.layout import Layout
from centigan.manifest import read_facts, read_manifest, sha256
from centigan.metrics import ms_ssim_in_training
from centigan.metrics.ms_ssim import measure_real
from centigan.sampling import sample_split
from centigan.settings.evaluation import MsSsimSettings
from centigan.settings.stages import TrainStage
from centigan.training.averaging import Averages
from centigan.training.cuda_graph import Step
from centigan.training.engine import Engine
from centigan.training.lock import only_writer
from centigan.training.loop import train_split
from centigan.training.progress import Progress
from centigan.training.snapshots import snapshot_iterations
from centigan.training.stopping import SIGNALS, Stop, Stopped
from centigan.training.watch import Watch
from centigan.types import Batch, Family

CPU = torch.device("cpu")
OUTPUTS = ("generator.safetensors", "discriminator.safetensors", "history.jsonl", "snapshots.safetensors")


def train(layout: Layout, stage: TrainStage = TRAIN) -> dict[str, bytes]:
    train_split(layout, "00", stage, device=CPU)
    return {name: (layout.train("00") / name).read_bytes() for name in (*OUTPUTS, "manifest.json")}


def changed(**values: object) -> TrainStage:
    return TRAIN.model_copy(update={"train": TRAIN.train.model_copy(update=values)})


def test_training_writes_journal_snapshots_and_provenance(layout: Layout) -> None:
    train(layout)
    lines = [json.loads(line) for line in (layout.train("00") / "history.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [2, 4, 6]
    assert lines[0].keys() >= {"loss_discriminator", "loss_generator", "source_real", "class_fake"}
    snapshots = load_file(layout.train("00") / "snapshots.safetensors")
    assert snapshots["iterations"].tolist() == [3, 6]
    assert snapshots["images"].shape == (2, 2, 2, 32, 32, 3)
    manifest = read_manifest(layout.train("00"))
    assert read_facts(layout.train("00")) == {"classes": ["cat", "dog"], "resolution": 32}
    assert manifest["settings"]["train"]["iterations"] == 6


def test_the_same_settings_give_the_same_bytes(layout: Layout) -> None:
    first = train(layout)
    for path in sorted(layout.scratch("00").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert train(layout) == first


def test_another_seed_gives_another_generator(layout: Layout) -> None:
    first = train(layout)["generator.safetensors"]
    assert train(layout, changed(seed=1))["generator.safetensors"] != first


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_killed_training_ends_with_the_bytes_of_an_uninterrupted_one(layout: Layout, at: int) -> None:
    process = CHILDREN.Process(target=train_and_die, args=(layout.root, at))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (layout.train("00") / "manifest.json").exists()
    resumed = train(layout)
    assert resumed == train(Layout("small", fresh_copy(layout)))


def fresh_copy(layout: Layout) -> Path:
    """Another project folder with the same arrays and nothing trained, reached by the same relative paths."""
    for folder in ("scratch", "results/small/train"):
        shutil.rmtree(layout.root / folder, ignore_errors=True)
    return layout.root


@pytest.mark.parametrize("asked_by", SIGNALS)
def test_a_signal_ends_the_iteration_and_nothing_of_it_is_lost(
    asked_by: signal.Signals, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Progress.step

    def asked(self: Progress, iteration: int) -> None:
        step(self, iteration)
        if iteration == 2:
            os.kill(os.getpid(), asked_by)

    stop = Stop()
    with monkeypatch.context() as patch, stop.listening():
        patch.setattr(Progress, "step", asked)
        with pytest.raises(Stopped, match=rf"split 00: stopped by {asked_by.name} after iteration 3 of 6"):
            train_split(layout, "00", TRAIN, device=CPU, stop=stop)
    assert (layout.scratch("00") / "checkpoint-00000003.safetensors").exists()
    assert not layout.train("00").exists()
    resumed = train(layout)
    assert resumed == train(Layout("small", fresh_copy(layout)))


def test_a_second_signal_ends_at_once(layout: Layout) -> None:
    process = CHILDREN.Process(target=train_and_ask_twice, args=(layout.root,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGTERM


def test_checkpoints_come_by_minutes_too(layout: Layout) -> None:
    train(layout, changed(checkpoint_every=100, checkpoint_minutes=1e-9))
    kept = sorted(path.name for path in layout.scratch("00").glob("checkpoint-*"))
    assert kept == ["checkpoint-00000005.safetensors", "checkpoint-00000006.safetensors"]


def test_a_moving_average_is_what_its_formula_says(layout: Layout) -> None:
    family = build(TRAIN.model, classes=2, resolution=32, rng=torch.Generator().manual_seed(0))
    averages = Averages(family, 0.75)
    bias = family.networks["generator"].project.bias
    for value in (4.0, 8.0, 0.0):
        bias.data.fill_(value)
        averages.update()
    with averages.in_place():
        average = family.networks["generator"].project.bias
    assert torch.allclose(average, torch.full_like(average, 0.75 * (0.75 * 4 + 0.25 * 8)))
    assert family.networks["generator"].project.bias is bias


def test_a_moving_average_is_saved_in_place_of_g_and_survives_a_stop(layout: Layout) -> None:
    plain = train(layout)
    fresh_copy(layout)
    averaged = train(layout, changed(ema=0.9))
    assert averaged["generator.safetensors"] != plain["generator.safetensors"]
    assert averaged["discriminator.safetensors"] == plain["discriminator.safetensors"]
    newest = layout.scratch("00") / "checkpoint-00000006.safetensors"
    newest.unlink()  # as after a kill between the checkpoints 4 and 6
    assert train(layout, changed(ema=0.9)) == averaged


def test_a_split_has_one_writer_and_the_next_one_takes_what_it_leaves(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    caplog.set_level("INFO")
    first, second = Stop(), Stop()
    with ThreadPoolExecutor() as pool, only_writer(layout.scratch("00"), "00", first):
        waiting = pool.submit(train_split, layout, "00", TRAIN, device=CPU, stop=second)
        while "waiting for it" not in caplog.text:
            time.sleep(0.01)
        assert "split 00 is being trained by Slurm job 4711 on" in caplog.text
        assert "scancel 4711" in caplog.text
        second.asked_by = signal.SIGTERM
        with pytest.raises(Stopped, match="while waiting for Slurm job 4711"):
            waiting.result()
        waiting = pool.submit(train_split, layout, "00", TRAIN, device=CPU)
    waiting.result()
    assert (layout.train("00") / "manifest.json").exists()


def test_a_dead_writer_holds_nothing(layout: Layout) -> None:
    process = CHILDREN.Process(target=train_and_die, args=(layout.root, 3))
    process.start()
    process.join()
    assert train(layout)


def test_more_iterations_continue_from_the_last_checkpoint(layout: Layout, caplog) -> None:
    caplog.set_level("INFO")
    train(layout)
    longer = train(layout, changed(iterations=10))
    assert "resuming after iteration 6" in caplog.text
    fresh_copy(layout)
    assert train(layout, changed(iterations=10)) == longer


def test_weights_that_begin_with_data_do_so_once_and_a_stop_loses_nothing_of_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    prime, primed = ImprovedGAN.prime, []

    def counted(self: ImprovedGAN, batch: Batch, rng: torch.Generator) -> None:
        primed.append(len(batch.images))
        prime(self, batch, rng)

    def trained(iterations: int) -> list[bytes]:
        values = TRAIN.model_dump() | {"model": {"family": "improved", "net": "dense", "width": 0.05}}
        values["train"] |= {"iterations": iterations, "ema": 0.9}
        train_split(layout, "00", TrainStage.model_validate(values), device=CPU)
        return [path.read_bytes() for path in sorted(layout.train("00").iterdir()) if path.suffix != ".json"]

    monkeypatch.setattr(ImprovedGAN, "prime", counted)
    trained(2)
    resumed = trained(6)
    assert primed == [8]  # two minibatches
    fresh_copy(layout)
    assert trained(6) == resumed
    assert primed == [8, 8]
    monkeypatch.setattr(ImprovedGAN, "prime", lambda *_: None)
    fresh_copy(layout)
    assert trained(6) != resumed


GAN = {"family": "wgan_gp", "width": 0.05, "latent": 4, "critic_steps": 1}
FROZEN = {
    "family": "frozen_decoder",
    "starts_from": "small/gan",
    "net": "dense",
    "units": 8,
    "decoder": GAN,
}


def trained_as(model: dict[str, object], layout: Layout, iterations: int) -> dict[str, bytes]:
    """What is trained of split 00, by GAN or FROZEN."""
    values = TRAIN.model_dump() | {"model": model}
    values["train"] |= {"iterations": iterations, "ema": 0.9}
    train_split(layout, "00", TrainStage.model_validate(values), device=CPU)
    return {path.name: path.read_bytes() for path in layout.train("00").iterdir() if path.suffix != ".json"}


def test_a_training_that_starts_from_another_takes_its_networks_and_a_stop_loses_nothing(
    layout: Layout,
) -> None:
    parent = Layout("small/gan", layout.root, "small")
    child = Layout("small/frozen", layout.root, "small")

    def afresh() -> dict[str, bytes]:
        for folder in (child.train("00"), child.scratch("00")):
            shutil.rmtree(folder)
        return trained_as(FROZEN, child, 6)

    trained_as(GAN, parent, 2)
    trained_as(FROZEN, child, 2)
    resumed = trained_as(FROZEN, child, 6)
    assert afresh() == resumed
    begun_with = parent.train("00") / "generator.safetensors"
    found = load_file(child.train("00") / "decoder.safetensors")
    for key, value in load_file(begun_with).items():
        assert torch.equal(found[f"networks.generator.{key}"], value)
    assert sha256(begun_with) in str(read_manifest(child.train("00"))["inputs"])

    trained_as(GAN, parent, 3)  # other weights: a training that began with the former ones is begun anew
    anew = trained_as(FROZEN, child, 6)
    assert anew["decoder.safetensors"] != resumed["decoder.safetensors"]
    assert anew == afresh()


def test_a_training_warns_of_no_samples_that_another_one_s_networks_draw(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    trained_as(GAN, Layout("small/gan", layout.root, "small"), 6)
    assert "samples are less diverse so far" in caplog.text
    caplog.clear()
    trained_as(FROZEN, Layout("small/frozen", layout.root, "small"), 6)
    assert "less diverse" not in caplog.text


GROWING = {"family": "progressive", "width": 0.02, "latent": 4, "steady_images": 8, "fade_images": 8}


def trained_growing(layout: Layout, iterations: int) -> list[bytes]:
    """All files of a training that has grown after 12 iterations: borders are at 4, 5, 8, 9, 12 and 13."""
    values = TRAIN.model_dump() | {"model": GROWING}
    values["train"] |= {"iterations": iterations, "ema": 0.9, "log_every": 1}
    train_split(layout, "00", TrainStage.model_validate(values), device=CPU)
    return [path.read_bytes() for path in sorted(layout.train("00").iterdir()) if path.suffix != ".json"]


@pytest.mark.parametrize("at", [2, 3, 4, 8, 10, 13])
def test_a_training_that_grows_ends_with_the_same_bytes_wherever_it_was_stopped(
    layout: Layout, at: int
) -> None:
    """In steady phases, in fade-ins, and just before the first step of each."""
    trained_growing(layout, at)
    resumed = trained_growing(layout, 14)
    fresh_copy(layout)
    assert trained_growing(layout, 14) == resumed


def test_a_step_is_recorded_anew_whenever_other_layers_are_run(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepper, made = Engine.stepper, []

    def counted(self: Engine, family: Family) -> Step:
        made.append(getattr(family, "levels", None))
        return stepper(self, family)

    grow, told = ProgressiveGAN.grow, []

    def heard(self: ProgressiveGAN, iteration: int, images: int) -> bool:
        told.append((iteration, images))
        return grow(self, iteration, images)

    monkeypatch.setattr(Engine, "stepper", counted)
    monkeypatch.setattr(ProgressiveGAN, "grow", heard)
    trained_growing(layout, 14)
    assert told == [(iteration, 4) for iteration in range(1, 15)]
    fading = [each for n in range(3) for each in (range(n, n + 2), range(n + 1, n + 2))]
    assert made == [range(4), *fading]  # at first one that has not been told


def test_a_finished_training_is_replaced_when_its_settings_change(layout: Layout, caplog) -> None:
    caplog.set_level("INFO")
    train(layout)
    train(layout, changed(batch_size=5))
    assert "starting anew" in caplog.text
    assert "train.batch_size was 4, is 5" in caplog.text


def test_an_unfinished_training_of_another_architecture_is_refused(layout: Layout) -> None:
    train(layout)
    folder = layout.scratch("00")
    (folder / "checkpoint-00000006.safetensors").unlink()
    wider = TRAIN.model_copy(update={"model": TRAIN.model.model_copy(update={"width": 0.2})})
    with pytest.raises(
        UserError, match=r"checkpoint-00000004.*unfinished.*model.width was 0.1, is 0.2.*remove"
    ):
        train(layout, wider)
    assert (folder / "checkpoint-00000004.safetensors").exists()


def test_a_damaged_checkpoint_falls_back_to_the_one_before(layout: Layout, caplog) -> None:
    first = train(layout)
    newest = layout.scratch("00") / "checkpoint-00000006.safetensors"
    whole = newest.read_bytes()
    for damaged in (whole[:1000], whole[:-1] + bytes([whole[-1] ^ 1])):
        newest.write_bytes(damaged)
        assert train(layout) == first
        assert "checkpoint-00000006.safetensors is damaged" in caplog.text
        caplog.clear()


def test_only_the_last_two_checkpoints_are_kept(layout: Layout) -> None:
    train(layout)
    kept = sorted(path.name for path in layout.scratch("00").glob("checkpoint-*"))
    assert kept == ["checkpoint-00000004.safetensors", "checkpoint-00000006.safetensors"]


def test_a_loss_that_is_not_finite_stops_with_the_split_and_iteration(layout: Layout) -> None:
    wild = TRAIN.model_copy(update={"model": TRAIN.model.model_copy(update={"discriminator_lr": 1e30})})
    with pytest.raises(UserError, match=r"split 00: \w+ is not finite by iteration \d"):
        train(layout, wild)


def test_a_divergence_may_go_back_with_half_the_learning_rates(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    """A fault in the fifth step, as long as D's learning rate is more than a quarter of the setting."""
    step, limit = ACGAN.step, TRAIN.model.discriminator_lr / 3

    def faulty(self: ACGAN, batch: Batch, rng: torch.Generator) -> dict[str, torch.Tensor]:
        losses = step(self, batch, rng)
        (group,) = self.optimizers["discriminator"].param_groups
        updates = self.optimizers["discriminator"].state[group["params"][0]]["step"]
        if updates == 5 and group["lr"] > limit:
            losses["loss_generator"] = torch.tensor(torch.nan)
        return losses

    plain = train(layout)
    fresh_copy(layout)
    monkeypatch.setattr(ACGAN, "step", faulty)
    halved = train(layout, changed(on_divergence="halve"))
    assert caplog.text.count("loss_generator is not finite by iteration 6. Going back") == 2
    assert "1/4 of the learning rates" in caplog.text
    assert halved["history.jsonl"].count(b"\n") == 3
    assert halved["history.jsonl"].splitlines()[:2] == plain["history.jsonl"].splitlines()[:2]
    assert halved["generator.safetensors"] != plain["generator.safetensors"]


def test_a_training_that_diverges_again_and_again_is_given_up(layout: Layout, caplog) -> None:
    wild = changed(on_divergence="halve")
    wild = wild.model_copy(update={"model": wild.model.model_copy(update={"discriminator_lr": 1e30})})
    with pytest.raises(UserError, match=r"split 00: \w+ is not finite by iteration 2"):
        train(layout, wild)
    assert caplog.text.count("Going back") == 5


def test_what_a_killed_writer_left_is_removed(layout: Layout) -> None:
    halves = [
        layout.train("00") / ".generator.4711.part.safetensors",
        layout.scratch("00") / ".checkpoint-00000002.4711.part.safetensors",
        layout.scratch("00") / "snapshots" / ".00000003.4711.part.png",
    ]
    for half in halves:
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"half")
    train(layout)
    assert not any(half.exists() for half in halves)


def test_a_training_can_be_watched(layout: Layout) -> None:
    train(layout)
    folder = layout.scratch("00") / "snapshots"
    with Image.open(folder / "00000006.png") as sheet:
        assert sheet.size == (2 * 66, 2 * 66)
    lines = [json.loads(line) for line in (folder / "ms_ssim.jsonl").read_text().splitlines()]
    assert [line.keys() for line in lines] == [{"iteration", "cat", "dog"}] * 2
    timing = (layout.scratch("00") / "timing.jsonl").read_text().splitlines()
    assert json.loads(timing[-1])["resident_mib"] > 50


def test_a_class_that_is_less_diverse_is_told_once_and_taken_back(
    layout: Layout, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    diverse = np.stack(
        [images, 255 - images], axis=1
    )  # (K, n, H, W, 3); the structure of a negative is opposed
    alike = diverse.copy()
    alike[1] = alike[1, :1]  # both samples of a dog are the same
    for iteration, samples in enumerate((alike, alike, alike, diverse, diverse, alike), start=1):
        watch = Watch(tmp_path, layout.arrays("00"), "00", ["cat", "dog"], since=1)  # as after a restart
        watch.look(samples, iteration)
    told = [message.partition(" the mean")[0] for message in caplog.messages]
    assert told == [
        "split 00: class dog is less diverse so far: at iteration 2",
        "split 00: class dog is diverse again: at iteration 4",
        "split 00: class dog is less diverse so far: at iteration 6",
    ]


def test_the_terminal_measures_diversity_as_the_report_does(layout: Layout) -> None:
    train(layout)
    watch = Watch(layout.scratch("00") / "snapshots", layout.arrays("00"), "00", ["cat", "dog"], since=1)
    said = {
        (name, line["iteration"]): line[name]
        for line in read_lines(watch.folder / "ms_ssim.jsonl")
        for name in ("cat", "dog")
    }
    ms_ssim_in_training.measure(layout, "00", MsSsimSettings())
    table = pd.read_parquet(layout.metric("ms_ssim_in_training", "00"))
    assert said == table.set_index(["class_id", "iteration"])["ms_ssim"].to_dict()
    measure_real(layout, "00", MsSsimSettings())
    pairs = pd.read_parquet(layout.real_metric("ms_ssim", "00"))
    assert watch.most_uniform == pairs.groupby("class_id")["ms_ssim"].mean().max()


@pytest.mark.parametrize("end", [b'{"iter', b'{"iteration": "3"}\n', b"\xff\n", b"[3]\n", b"\n"])
def test_a_journal_is_whole_up_to_what_is_torn_or_damaged(tmp_path: Path, end: bytes) -> None:
    path, two = tmp_path / "timing.jsonl", '{"iteration": 1}\n{"iteration": 2}\n'
    path.write_bytes(two.encode() + end + b'{"iteration": 4}\n'[: 17 * end.endswith(b"\n")])
    assert text_until(path, 9) == two
    assert text_until(path, 1) == '{"iteration": 1}\n'
    assert [line["iteration"] for line in read_lines(path)][:2] == [1, 2]


def test_a_short_run_keeps_one_snapshot_of_its_end() -> None:
    assert list(snapshot_iterations(changed(iterations=2).train)) == [2]
    assert list(snapshot_iterations(TRAIN.train)) == [3, 6]


def test_samples_are_ordered_by_class_and_follow_the_seed(layout: Layout) -> None:
    train(layout)
    sample_split(layout, "00", SAMPLE, device=CPU)
    folder = layout.samples("00")
    first = np.load(folder / "images.npy")
    assert first.shape == (6, 32, 32, 3)
    assert np.load(folder / "labels.npy").tolist() == [0, 0, 0, 1, 1, 1]
    sample_split(layout, "00", SAMPLE, device=CPU)
    assert np.array_equal(np.load(folder / "images.npy"), first)


def test_a_generator_of_another_architecture_is_named(layout: Layout) -> None:
    train(layout)
    wider = SAMPLE.model_copy(update={"model": SAMPLE.model.model_copy(update={"width": 0.2})})
    with pytest.raises(UserError, match=r"train/00/generator.safetensors is of another architecture.*shape"):
        sample_split(layout, "00", wider, device=CPU)


def test_a_damaged_generator_is_named(layout: Layout) -> None:
    train(layout)
    path = layout.train("00") / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"generator.safetensors is damaged"):
        sample_split(layout, "00", SAMPLE, device=CPU)


def test_a_checkpoint_beyond_the_wanted_iterations_is_not_used(layout: Layout) -> None:
    train(layout)
    shorter = changed(iterations=4)
    result = train(layout, shorter)
    fresh_copy(layout)
    assert train(layout, shorter) == result


def test_a_detour_over_fewer_iterations_leaves_no_trace(layout: Layout) -> None:
    six = train(layout)
    four = train(layout, changed(iterations=4))
    assert train(layout) == six
    fresh_copy(layout)
    assert train(layout, changed(iterations=4)) == four


def test_a_shorter_training_after_a_longer_one_keeps_its_own_checkpoints(layout: Layout) -> None:
    train(layout, changed(iterations=10))
    short = changed(iterations=5, checkpoint_every=1)
    stop = Stop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "step", lambda self, iteration: setattr(stop, "asked_by", signal.SIGTERM))
        with pytest.raises(Stopped, match="after iteration 2 of 5"):
            train_split(layout, "00", short, device=CPU, stop=stop)
    kept = sorted(path.stem for path in layout.scratch("00").glob("checkpoint-*"))
    assert kept == [f"checkpoint-{iteration:08d}" for iteration in (1, 2, 8, 10)]


def test_the_end_of_a_longer_training_gives_a_shorter_ones_only_snapshot(layout: Layout) -> None:
    rare = {"snapshot_every": 100}
    train(layout, changed(**rare))
    shorter = train(layout, changed(iterations=4, **rare))
    fresh_copy(layout)
    assert train(layout, changed(iterations=4, **rare)) == shorter


@pytest.mark.parametrize("name", ["history.jsonl", "timing.jsonl", "snapshots", "snapshots/ms_ssim.jsonl"])
@pytest.mark.parametrize("damage", ["gone", "cut", "not UTF-8", "changed"])
def test_damage_beside_the_checkpoints_changes_nothing(layout: Layout, name: str, damage: str) -> None:
    whole = train(layout)
    (layout.scratch("00") / "checkpoint-00000006.safetensors").unlink()
    path = layout.scratch("00") / name
    if path.is_dir() or damage == "gone":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        text = path.read_bytes()
        others = {"cut": text[:-9], "not UTF-8": text[:9] + b"\xff" + text[9:], "changed": b"{}\n" + text}
        path.write_bytes(others[damage])
    assert train(layout) == whole


def test_what_only_informs_never_stops_a_training(layout: Layout, caplog) -> None:
    whole = train(layout)
    fresh_copy(layout)
    layout.scratch("00").mkdir(parents=True)
    (layout.scratch("00") / "snapshots").write_text("in the way")
    (layout.scratch("00") / "timing.jsonl" / "in the way").mkdir(parents=True)
    assert train(layout) == whole
    assert "no sheet of samples at iteration 3: cannot write" in caplog.text
    assert "ms_ssim.jsonl: " in caplog.text
    assert "It only informs, so the training goes on" in caplog.text
    assert "timing.jsonl is a folder, and a file belongs there" in caplog.text


def test_a_line_that_is_needed_is_not_lost_in_silence(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*history\.jsonl"):
        Journal(tmp_path / "file" / "history.jsonl")
    with closing(Journal(tmp_path / "file" / "timing.jsonl", needed=False)) as journal:
        journal.write(1, {"speed": 2.0})
    assert caplog.text.count("It only informs") == 1


def test_a_corrected_label_trains_anew(layout: Layout, caplog) -> None:
    caplog.set_level("INFO")
    first = train(layout)["generator.safetensors"]
    labels = layout.arrays("00") / "labels.npy"
    np.save(labels, 1 - np.load(labels))
    assert train(layout)["generator.safetensors"] != first
    assert "starting anew: the finished training" in caplog.text


def test_checkpoints_are_no_pickles(layout: Layout) -> None:
    train(layout)
    for path in layout.scratch("00").glob("checkpoint-*"):
        assert load_file(path)


def test_grey_images_are_trained_on_drawn_and_loaded_with_one_channel(layout: Layout) -> None:
    """Files have three; the checkpoints of a training with three channels are not continued with one."""
    folder = layout.arrays("00")
    for name in ("images.npy", "held_out_images.npy"):
        images = np.load(folder / name)
        np.save(folder / name, np.repeat(images[..., :1], 3, axis=3))
    train(layout)
    (folder / "facts.json").write_text(json.dumps(read_facts(folder) | {"channels": 1}))
    train(layout)
    assert read_facts(layout.train("00"))["channels"] == 1
    assert load_file(layout.train("00") / "discriminator.safetensors")["blocks.0.0.weight"].shape[1] == 1
    sample_split(layout, "00", SAMPLE, device=CPU)
    drawn = np.load(layout.samples("00") / "images.npy")
    assert drawn.shape == (6, 32, 32, 3)
    assert (drawn == drawn[..., :1]).all()
