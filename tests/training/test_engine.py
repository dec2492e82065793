"""How a step is computed: choices, and what they may and may not change."""

import multiprocessing
import shutil

import pytest
import torch
from dying import modules_after_training
from small import TRAIN

from centigan.errors import UserError
from centigan.families import build
from centigan.layout import Layout
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.stages import TrainStage
from centigan.settings.training import TrainSettings
from centigan.training.engine import Engine, choose_device
from centigan.training.loop import train_split
from centigan.types import Batch, Given

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)
LOSSES = ("loss_discriminator", "loss_generator")


def trajectory(precision: str, *, seed: int = 0, iterations: int = 30) -> torch.Tensor:
    """Losses (iterations, 2) of a narrow AC-GAN on random images, with the paper's learning rate."""
    engine = Engine.choose(TrainSettings.model_validate({"precision": precision}), CPU)
    weights = torch.Generator().manual_seed(0)
    family = build(AcganConfig(width=0.1), classes=5, resolution=32, rng=weights)
    engine.prepare(family, Layout("none").compiled)
    data = torch.Generator().manual_seed(1)
    lines = []
    for iteration in range(iterations):
        images = torch.rand(20, 3, 32, 32, generator=data) * 2 - 1
        labels = torch.randint(5, (20,), generator=data)
        torch.manual_seed(1000 * seed + iteration)
        rng = torch.Generator().manual_seed(1000 * seed + iteration)
        with engine.running():
            losses = family.step(engine.laid_out(Batch(images, Given(labels), torch.tensor(1))), rng)
        assert all(value.dtype == torch.float32 for value in losses.values())
        lines.append(torch.stack([losses[name] for name in LOSSES]))
    return torch.stack(lines)


def test_bfloat16_follows_float32_for_thirty_iterations() -> None:
    """The greatest deviation is 0.4 % without AVX512-BF16; other noise deviates by 19 %."""
    exact = trajectory("float32")
    rough = trajectory("bfloat16")
    assert not torch.equal(rough, exact)
    deviation = (rough - exact).abs() / exact.abs()
    assert deviation.max() < 0.015
    assert deviation.mean() < 0.003
    other = trajectory("float32", seed=1)  # other noise: the bound tells trajectories apart
    assert ((other - exact).abs() / exact.abs()).max() > 0.05


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"precision": "float32"}, {"precision": torch.float32, "channels_last": True, "compile": "none"}),
        ({"precision": "bfloat16", "channels_last": False}, {"channels_last": False}),
        ({"compile": "reduce-overhead"}, {"compile": "reduce-overhead"}),
        ({"tf32": True}, {"tf32": False}),  # a CPU has none
    ],
)
def test_a_named_setting_is_taken_and_auto_is_what_was_measured(
    settings: dict[str, object], expected: dict[str, object]
) -> None:
    engine = Engine.choose(TrainSettings.model_validate(settings), CPU)
    assert {name: getattr(engine, name) for name in expected} == expected


@pytest.mark.parametrize(("precision", "channels_last"), [("bfloat16", True), ("float32", False)])
def test_on_a_gpu_the_layout_follows_the_precision(precision: str, channels_last: bool) -> None:
    engine = Engine.choose(TrainSettings.model_validate({"precision": precision}), CUDA)
    assert engine.channels_last is channels_last
    assert not engine.tf32  # whoever names a precision gets it


def test_a_cuda_graph_needs_a_gpu() -> None:
    graph = TrainSettings.model_validate({"compile": "graph", "precision": "float32"})
    assert Engine.choose(graph, CUDA).compile == "graph"
    assert Engine.choose(graph.model_copy(update={"compile": "auto"}), CUDA).compile == "graph"
    with pytest.raises(UserError, match="compile: graph needs a GPU, not cpu"):
        Engine.choose(graph, CPU)


def test_the_layout_changes_sums_by_rounding_only() -> None:
    family = {}
    for layout in (False, True):
        settings = TrainSettings.model_validate({"precision": "float32", "channels_last": layout})
        engine = Engine.choose(settings, CPU)
        weights = torch.Generator().manual_seed(0)
        family[layout] = build(AcganConfig(width=0.1), classes=3, resolution=32, rng=weights)
        engine.prepare(family[layout], Layout("none").compiled)
    images = [
        each.sample(Given(torch.arange(3)), torch.Generator().manual_seed(0)).contiguous()
        for each in family.values()
    ]
    assert torch.allclose(*images, atol=1e-5)


def test_splits_go_round_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [choose_device("auto", split).index for split in ("00", "03", "04", "99")] == [0, 3, 0, 3]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto", "07") == CPU


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="'cuda:9' cannot be used"):
        choose_device("cuda:9")


@pytest.mark.parametrize(
    "change",
    [
        {"deterministic": True},
        {"channels_last": False},
        {"flips": True},
        # PyTorch's compiler warns inside itself
        pytest.param(
            {"compile": "default", "ema": 0.9},  # of few layers: each costs the compiler seconds
            marks=[
                pytest.mark.faults,  # half a minute of compiling
                pytest.mark.filterwarnings("ignore"),
                pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler"),
            ],
        ),
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_resumed_training_is_exact_under_every_setting(layout: Layout, change: dict[str, object]) -> None:
    def trained(iterations: int) -> bytes:
        values = TRAIN.model_dump()
        values["train"] |= change | {"iterations": iterations}
        if "compile" in change:
            values["model"] = {"family": "gan", "width": 0.05, "steps": 1}
        train_split(layout, "00", TrainStage.model_validate(values), device=CPU)
        return (layout.train("00") / "generator.safetensors").read_bytes()

    trained(3)
    resumed = trained(5)
    for path in layout.scratch("00").glob("checkpoint-*"):
        path.unlink()
    assert trained(5) == resumed
    torch.use_deterministic_algorithms(False)


def test_a_training_does_not_wait_for_a_compiler_that_it_does_not_use(layout: Layout) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        modules = pool.apply(modules_after_training, (layout.root,))
    assert "torch" in modules
    assert not modules & {"torch._dynamo", "torch._inductor", "sympy", "pandas", "matplotlib", "mlflow"}
