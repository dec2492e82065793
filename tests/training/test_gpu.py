"""The same promises on a GPU; skipped where there is none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from every_family import BY_PIXELS, CONFIGS, all_it_can_do, batch, given, make
from safetensors.torch import load_file
from small import SAMPLE, TRAIN
from torch.utils._pytree import tree_map_only

from centigan.data.batches import Batches
from centigan.families import build
from centigan.judges import network, small_cnn
from centigan.judges import weights as judge_weights
from centigan.judges.images import Examples
from centigan.judges.small_cnn import SmallCnn
from centigan.layout import Layout
from centigan.sampling import sample_split
from centigan.settings.evaluation import JudgeSettings
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.stages import TrainStage
from centigan.settings.training import TrainSettings
from centigan.training.checkpoint import family_tensors
from centigan.training.engine import Engine
from centigan.training.loop import train_split
from centigan.types import Batch, Family, Given, Primes

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)
pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("default"),  # of PyTorch's compiler and of CUDA libraries, inside themselves
]


def trained(layout: Layout, iterations: int, placement: str = "auto", **change: object) -> bytes:
    """The weights of G after a training that starts from the newest checkpoint in scratch."""
    values = TRAIN.model_dump()
    values["train"] |= change | {"iterations": iterations}
    stage = TrainStage.model_validate(values)
    train_split(layout, "00", stage, device=CUDA, placement=placement)
    return (layout.train("00") / "generator.safetensors").read_bytes()


def forget(layout: Layout) -> None:
    """Remove the checkpoints, so that the next training starts from the first iteration."""
    for path in layout.scratch("00").glob("checkpoint-*"):
        path.unlink()


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "bfloat16"},
        {"precision": "float32"},
        {"channels_last": False},
        {"flips": True},
        {"ema": 0.9},
        {"compile": "none"},
        {"compile": "default"},
        {"compile": "reduce-overhead"},
        {"compile": "reduce-overhead", "ema": 0.9},
    ],
    ids=lambda change: "-".join(map(str, change.values())),
)
def test_a_resumed_training_is_exact_where_sums_have_one_order(
    layout: Layout, change: dict[str, object]
) -> None:
    change = change | {"deterministic": True}
    trained(layout, 3, **change)
    resumed = trained(layout, 5, **change)
    forget(layout)
    assert trained(layout, 5, **change) == resumed
    torch.use_deterministic_algorithms(False)


def test_a_recorded_step_gives_the_bytes_of_one_that_is_not(layout: Layout) -> None:
    values = {"deterministic": True, "flips": True, "ema": 0.9}
    eager = trained(layout, 12, compile="none", **values)
    forget(layout)
    assert trained(layout, 12, compile="graph", **values) == eager


def test_a_recorded_step_of_a_family_that_grows_gives_the_bytes_of_one_that_is_not(layout: Layout) -> None:
    """Six phases of six iterations each: three unrecorded ones, and three of a recording."""
    found = []
    model = {"family": "progressive", "width": 0.02, "latent": 4, "steady_images": 24, "fade_images": 24}
    for compiled in ("none", "graph"):
        values = TRAIN.model_dump() | {"model": model}
        values["train"] |= {"iterations": 48, "ema": 0.9, "deterministic": True, "compile": compiled}
        train_split(layout, "00", TrainStage.model_validate(values), device=CUDA)
        found.append((layout.train("00") / "generator.safetensors").read_bytes())
        forget(layout)
    assert found[0] == found[1]
    assert (layout.train("00") / "history.jsonl").read_text().count("\n") == 48 // TRAIN.train.log_every
    torch.use_deterministic_algorithms(False)


def test_a_recorded_step_writes_the_journal_of_one_that_is_not(layout: Layout) -> None:
    journals = []
    for way in ("none", "graph"):
        forget(layout)
        trained(layout, 12, compile=way, deterministic=True)
        journals.append((layout.train("00") / "history.jsonl").read_text())
    assert journals[0] == journals[1]
    torch.use_deterministic_algorithms(False)


def test_where_the_images_wait_changes_no_byte(layout: Layout) -> None:
    on_the_device = trained(layout, 4, "device", deterministic=True)
    forget(layout)
    assert trained(layout, 4, "mapped", deterministic=True) == on_the_device
    torch.use_deterministic_algorithms(False)


def test_batches_are_those_of_a_cpu(layout: Layout) -> None:
    batches = [
        Batches(layout.arrays("00"), batch_size=4, seed=0, split="00", device=device, flips=True)
        for device in (CPU, CUDA)
    ]
    for iteration in range(1, 9):
        expected, found = (each.at(iteration) for each in batches)
        assert torch.allclose(found.images.cpu(), expected.images, atol=1e-6)  # x * (1 / 127.5) there
        assert torch.equal(found.given.labels.cpu(), expected.given.labels)


def test_a_step_in_float32_is_that_of_a_cpu() -> None:
    """Without activation noise, dropout off and one latent: what is left are the sums' orders."""
    losses = {}
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    labels = torch.arange(8) % 4
    for device in (CPU, CUDA):
        engine = Engine.choose(TrainSettings.model_validate({"precision": "float32"}), device)
        config = AcganConfig(width=0.25, activation_noise=0.0)
        family = build(config, classes=4, resolution=32, rng=torch.Generator().manual_seed(0))
        engine.prepare(family, Path("none"))
        for module in family.networks["discriminator"].modules():
            if type(module).__name__ == "NoiseAndDropout":
                module.eval()
        latent = torch.randn(8, config.latent, generator=torch.Generator().manual_seed(2)).to(device)
        family.latent = lambda count, rng, latent=latent: latent  # type: ignore[method-assign]
        torch.manual_seed(0)
        rng = torch.Generator(device).manual_seed(0)
        with engine.running():
            given = Given(labels.to(device))
            batch = engine.laid_out(Batch(images.to(device), given, torch.tensor(1, device=device)))
            losses[device] = {
                k: v.item() for k, v in family.step(batch, rng).items() if "real" in k or "D" in k
            }
    assert losses[CUDA] == pytest.approx(losses[CPU], rel=1e-4)


def test_samples_of_a_gpu_are_those_of_a_cpu_but_for_a_level_of_255(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    images = {}
    for device in (CPU, CUDA):
        sample_split(layout, "00", SAMPLE, device=device)
        images[device] = np.load(layout.samples("00") / "images.npy").astype(int)
    assert np.abs(images[CPU] - images[CUDA]).max() <= 1


def test_weights_are_saved_without_the_number_of_their_gpu(layout: Layout) -> None:
    trained(layout, 2)
    weights = load_file(layout.train("00") / "generator.safetensors")
    assert all(tensor.device.type == "cpu" for tensor in weights.values())
    assert "NVIDIA" in (layout.train("00") / "manifest.json").read_text()


def test_a_judge_learns_the_same_network_twice_and_sees_what_a_cpu_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 4
    pixels = (rng.integers(0, 128, (200, 32, 32, 3)) + 40 * labels[:, None, None, None]).astype(np.uint8)
    examples = Examples(pixels, labels, ("a", "b", "c", "d"))
    judge, again = (SmallCnn.fit(examples, JudgeSettings()) for _ in range(2))
    assert all(torch.equal(again.tensors()[name], tensor) for name, tensor in judge.tensors().items())
    features = judge.network.features(pixels)
    for module in (network, small_cnn, judge_weights):
        monkeypatch.setattr(module, "device", lambda: CPU)
    on_a_cpu = SmallCnn.load(examples.classes, judge.tensors(), JudgeSettings()).network.features(pixels)
    assert np.linalg.norm(features - on_a_cpu) < 1e-5 * np.linalg.norm(on_a_cpu)


def there(values: object) -> object:
    return tree_map_only(torch.Tensor, lambda tensor: tensor.to(CUDA), values)


def trained_by_steps(name: str, compiled: str) -> tuple[Family, list[dict[str, float]]]:
    """A family after six steps as the loop takes them, and its losses."""
    settings = TrainSettings.model_validate({"compile": compiled, "deterministic": True})
    family, engine = make(name), Engine.choose(settings, CUDA)
    engine.prepare(family, Path("none"))
    step, rng, losses = engine.stepper(family), torch.Generator(CUDA), []
    for seed in range(1, 7):
        real = engine.laid_out(there(batch(seed, family.config.batches)))
        torch.manual_seed(seed)
        if seed == 1 and isinstance(family, Primes):
            family.prime(real, rng.manual_seed(seed))
        losses.append({key: float(value) for key, value in step(real, rng.manual_seed(seed)).items()})
    torch.use_deterministic_algorithms(False)
    return family, losses


@pytest.mark.parametrize("name", CONFIGS)
def test_a_recorded_step_of_every_family_gives_the_bytes_of_one_that_is_not(name: str) -> None:
    (eager, told), (recorded, told_again) = (trained_by_steps(name, way) for way in ("none", "graph"))
    assert told_again == told
    tensors, others = family_tensors(eager), family_tensors(recorded)
    assert [key for key, value in tensors.items() if not torch.equal(value, others[key])] == []


@pytest.mark.parametrize("name", CONFIGS)
def test_what_every_family_can_do_it_can_do_on_a_gpu(name: str) -> None:
    """It tells what a CPU tells, but for the order of sums; noise within a step is the device's own."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    side = 4 if name in BY_PIXELS else 32
    found = {}
    for device in (CPU, CUDA):
        family, rng = make(name, side), torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        for each in family.networks.values():
            each.to(device)
        images, wanted = batch(1).images[..., :side, :side].to(device), given(0, 1, 2, 0)
        wanted = Given(wanted.labels.to(device), wanted.captions.to(device))
        made = all_it_can_do(family, images, wanted, rng)
        found[device] = {ability: each.detach().cpu() for ability, each in made.items()}
    assert all(each.isfinite().all() for each in found[CUDA].values())
    for ability, here in found[CPU].items():
        if ability != "class_step":
            assert torch.allclose(found[CUDA][ability], here, rtol=1e-3, atol=1e-3), ability
