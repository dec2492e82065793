import json
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytorch_msssim
import torch
from both_parts import both_parts
from safetensors.torch import save_file
from scipy.signal import convolve2d

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics import ms_ssim_in_training
from centigan.metrics.ms_ssim import measure
from centigan.settings.evaluation import MsSsimSettings
from centigan.similarity import C1, C2, WEIGHTS, ms_ssim, ms_ssim_of_all, prepare, random_pairs, window


def noisy_pairs(side: int, count: int = 3, *, noise: float = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(side)
    coarse = rng.integers(0, 256, (count, 8, 8, 3))
    repeat = -(-side // 8)
    x = coarse.repeat(repeat, axis=1).repeat(repeat, axis=2)[:, :side, :side]
    y = np.clip(x + rng.normal(0, noise, x.shape), 0, 255)
    return x.astype(np.uint8), y.astype(np.uint8)


def reference(x: np.ndarray, y: np.ndarray) -> float:
    """One pair (H, W, 3) in float64, two-dimensional convolutions, written from the formula."""
    channels = []
    for channel in range(3):
        a, b = x[..., channel].astype(float), y[..., channel].astype(float)
        product = 1.0
        for scale, weight in enumerate(WEIGHTS):
            size = min(11, *a.shape)
            offsets = np.arange(size) - (size - 1) / 2
            squared = offsets[:, None] ** 2 + offsets[None, :] ** 2
            kernel = np.exp(-squared / (2 * (1.5 * size / 11) ** 2))
            kernel /= kernel.sum()
            mean_a, mean_b = convolve2d(a, kernel, "valid"), convolve2d(b, kernel, "valid")
            var_a = convolve2d(a * a, kernel, "valid") - mean_a**2
            var_b = convolve2d(b * b, kernel, "valid") - mean_b**2
            cov = convolve2d(a * b, kernel, "valid") - mean_a * mean_b
            term = (2 * cov + C2) / (var_a + var_b + C2)
            if scale == 4:
                term = term * (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
            product *= max(0.0, term.mean()) ** weight
            a, b = (np.pad(m, [(0, m.shape[0] % 2), (0, m.shape[1] % 2)], "edge") for m in (a, b))
            a = (a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4
            b = (b[::2, ::2] + b[1::2, ::2] + b[::2, 1::2] + b[1::2, 1::2]) / 4
        channels.append(product)
    return float(np.mean(channels))


@pytest.mark.parametrize(
    ("side", "taps"),
    [(128, [11, 11, 11, 11, 8]), (64, [11, 11, 11, 8, 4]), (32, [11, 11, 8, 4, 2])],
)
def test_the_window_shrinks_with_the_scale(side: int, taps: list[int]) -> None:
    assert [len(window(side // 2**scale)) for scale in range(5)] == taps


@pytest.mark.parametrize("side", [2, 4, 8, 11])
def test_every_window_is_symmetric_and_sums_to_one(side: int) -> None:
    taps = window(side)
    np.testing.assert_allclose(taps, taps[::-1])
    assert taps.sum() == pytest.approx(1)


@pytest.mark.parametrize("side", [16, 32, 64, 128])
def test_an_image_is_wholly_similar_to_itself(side: int) -> None:
    x, _ = noisy_pairs(side)
    np.testing.assert_allclose(ms_ssim(x, x), 1, atol=1e-6)


def test_the_order_of_a_pair_does_not_matter() -> None:
    x, y = noisy_pairs(32)
    np.testing.assert_array_equal(ms_ssim(x, y), ms_ssim(y, x))


def test_uniform_images_differ_by_the_luminance_of_the_last_scale_alone() -> None:
    x, y = np.full((1, 32, 32, 3), 50, np.uint8), np.full((1, 32, 32, 3), 100, np.uint8)
    luminance = (2 * 50 * 100 + 6.5025) / (50**2 + 100**2 + 6.5025)  # C1 = (0.01 * 255)^2
    assert ms_ssim(x, y)[0] == pytest.approx(luminance**0.1333, abs=1e-5)


def test_an_image_and_its_negative_are_not_similar_at_all_rather_than_nan() -> None:
    x, _ = noisy_pairs(32)
    np.testing.assert_array_equal(ms_ssim(x, 255 - x), 0)


@pytest.mark.parametrize("side", [176, 192, 256])
def test_equal_to_pytorch_msssim_where_it_accepts_the_size(side: int) -> None:
    x, y = noisy_pairs(side)
    planes = [torch.from_numpy(images).permute(0, 3, 1, 2).double() for images in (x, y)]
    expected = pytorch_msssim.ms_ssim(*planes, data_range=255, size_average=False)
    np.testing.assert_allclose(ms_ssim(x, y), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("side", [16, 32, 64, 128])
def test_equal_to_the_formula_where_pytorch_msssim_refuses(side: int) -> None:
    x, y = noisy_pairs(side)
    expected = [reference(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(ms_ssim(x, y), expected, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(17, 33), (16, 50), (35, 31)])
def test_equal_to_the_formula_where_a_side_is_odd(height: int, width: int) -> None:
    x, y = (images[:, :height, :width] for images in noisy_pairs(50))
    expected = [reference(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(ms_ssim(x, y), expected, atol=1e-5)


def test_unrelated_noise_agrees_with_the_formula_too() -> None:
    x, y = np.random.default_rng(0).integers(0, 256, (2, 6, 32, 32, 3), dtype=np.uint8)
    expected = [reference(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(ms_ssim(x, y), expected, atol=1e-5)


def test_a_pair_is_measured_alone() -> None:
    x, y = noisy_pairs(16, count=2100)  # more than one chunk
    np.testing.assert_allclose(ms_ssim(x, y)[[5, 2090]], ms_ssim(x[[5, 2090]], y[[5, 2090]]), atol=1e-6)


def test_all_with_all_is_every_pair() -> None:
    x, y = noisy_pairs(32, count=130)  # more than one chunk
    values = ms_ssim_of_all(prepare(x[:5]), prepare(y))
    assert values.shape == (5, 130)
    for row in range(5):
        np.testing.assert_allclose(values[row], ms_ssim(x[row : row + 1].repeat(130, axis=0), y), atol=1e-6)


def test_one_image_prepared_takes_fourteen_times_its_bytes() -> None:
    x, _ = noisy_pairs(128)
    assert prepare(x).nbytes / x.nbytes < 14


def test_what_is_nearly_the_same_is_never_more_than_the_same() -> None:
    x = np.full((20, 32, 32, 3), 100, np.uint8)
    y = x + (np.random.default_rng(0).random(x.shape) < 0.01)
    assert (ms_ssim(x, y) <= 1).all()
    np.testing.assert_array_equal(ms_ssim(y, y), 1)


def test_the_number_of_threads_changes_no_bit() -> None:
    x, y = noisy_pairs(64, count=70)
    before = torch.get_num_threads()
    values = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        values.append(ms_ssim(x, y))
    torch.set_num_threads(before)
    np.testing.assert_array_equal(*values)


def test_floats_and_bytes_give_the_same() -> None:
    x, y = noisy_pairs(32)
    np.testing.assert_array_equal(ms_ssim(x, y), ms_ssim(x.astype(float), y.astype(np.float32)))


def test_nan_is_refused_rather_than_measured() -> None:
    x = np.full((1, 16, 16, 3), np.nan)
    with pytest.raises(UserError, match="NaN"):
        ms_ssim(np.zeros_like(x), x)


@pytest.mark.parametrize("count", [2, 5, 20, 1300])
def test_pairs_are_of_different_images_and_none_comes_twice(count: int) -> None:
    pairs = random_pairs(count, 100, np.random.default_rng(0))
    assert len(pairs) == min(100, comb(count, 2))
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert pairs.min() >= 0
    assert pairs.max() < count
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs)


def test_every_pair_is_drawn_equally_often() -> None:
    rng = np.random.default_rng(0)
    drawn = np.concatenate([random_pairs(6, 5, rng) for _ in range(3000)])
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 15
    np.testing.assert_allclose(counts, 1000, atol=110)  # 1000 +- 3.5 standard deviations of 26


def test_one_image_makes_no_pair() -> None:
    with pytest.raises(UserError, match="two images of a class"):
        random_pairs(1, 100, np.random.default_rng(0))


@pytest.fixture
def experiment(tmp_path: Path) -> Layout:
    """Split 03: 9 varied real images of two classes; samples varied of one, collapsed of the other."""
    layout = Layout("small", tmp_path)
    varied = np.random.default_rng(1).integers(0, 256, (18, 32, 32, 3), dtype=np.uint8)
    collapsed = np.repeat(varied[:1], 9, axis=0)
    labels = np.repeat([0, 1], 9).astype(np.int16)
    sources = {
        layout.arrays("03"): varied,
        layout.samples("03"): np.concatenate([varied[:9], collapsed]),
    }
    for folder, images in sources.items():
        folder.mkdir(parents=True)
        np.save(folder / "images.npy", images)
        np.save(folder / "labels.npy", labels)
        (folder / "facts.json").write_text(json.dumps({"classes": ["ape", "bee"]}))
    layout.train("03").mkdir(parents=True)
    (layout.train("03") / "facts.json").write_text(json.dumps({"classes": ["ape", "bee"]}))
    early, late = varied.reshape(2, 9, 32, 32, 3), np.stack([varied[:9], collapsed])
    tensors = {"iterations": torch.tensor([100, 200]), "images": torch.from_numpy(np.stack([early, late]))}
    save_file(tensors, layout.train("03") / "snapshots.safetensors")
    return layout


def test_a_collapsed_class_stands_out_in_the_table(experiment: Layout) -> None:
    table = both_parts("ms_ssim", experiment, "03", MsSsimSettings(pairs=20))
    assert list(table.columns) == ["class_id", "source", "pair", "ms_ssim"]
    assert table.groupby(["class_id", "source"])["pair"].apply(list).tolist() == [list(range(20))] * 4
    means = table.groupby(["class_id", "source"])["ms_ssim"].mean()
    assert means["bee", "generated"] == pytest.approx(1)
    assert means.drop(("bee", "generated")).max() < 0.3


def test_the_seed_decides_the_pairs(experiment: Layout) -> None:
    def run(seed: int) -> bytes:
        measure(experiment, "03", MsSsimSettings(pairs=20, seed=seed))
        return experiment.metric("ms_ssim", "03").read_bytes()

    assert run(0) == run(0)
    assert run(0) != run(1)


def test_the_collapse_shows_at_its_iteration(experiment: Layout) -> None:
    ms_ssim_in_training.measure(experiment, "03", MsSsimSettings(pairs=100))
    table = pd.read_parquet(experiment.metric("ms_ssim_in_training", "03"))
    assert list(table.columns) == ["class_id", "iteration", "ms_ssim"]
    values = table.set_index(["class_id", "iteration"])["ms_ssim"]
    assert len(values) == 4
    assert values["bee", 200] == pytest.approx(1)
    assert values["bee", 100] < 0.3
    assert values["ape", 100] == values["ape", 200]


def test_a_class_of_one_image_is_named(experiment: Layout) -> None:
    np.save(experiment.samples("03") / "labels.npy", np.array([0] * 17 + [1], np.int16))
    with pytest.raises(UserError, match="class bee, generated"):
        measure(experiment, "03", MsSsimSettings())


def test_of_small_images_each_pixel_is_repeated() -> None:
    small = np.random.default_rng(0).integers(256, size=(2, 6, 8, 8, 3), dtype=np.uint8)
    large = small.repeat(2, 2).repeat(2, 3)
    np.testing.assert_array_equal(ms_ssim(*small), ms_ssim(*large))
    np.testing.assert_allclose(ms_ssim(small[0], small[0]), 1)
