"""The extractor against torch-fidelity's on the same images and weights, and what makes it another one."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from centigan.errors import UserError
from centigan.judges import load_judge
from centigan.judges.efficientnet import efficientnet
from centigan.judges.extractor import load_extractor
from centigan.judges.network import Network
from centigan.manifest import sha256
from centigan.settings.evaluation import FeatureSettings

NO_JUDGE = Path("nowhere")
COFFEE = skimage.data.coffee()
IMAGES = np.stack([COFFEE[:48, :48], COFFEE[100:148, 200:248], COFFEE[300:348, 400:448]])


def extractor(judge: Path = NO_JUDGE, **settings: object) -> Network:
    return load_extractor(FeatureSettings.model_validate(settings), judge)


@pytest.fixture(scope="module")
def of_2015(inception_weights: dict[str, str]) -> Network:
    return extractor(network="inception-2015", weights=inception_weights["inception-2015"])


@pytest.fixture(scope="module")
def theirs(inception_weights: dict[str, str]) -> dict[str, np.ndarray]:
    names = ["2048", "logits_unbiased"]
    path = inception_weights["inception-2015"]
    network = FeatureExtractorInceptionV3("2015", names, feature_extractor_weights_path=path)
    with torch.inference_mode():
        found = network(torch.from_numpy(IMAGES).permute(0, 3, 1, 2))
    return {name: values.numpy() for name, values in zip(names, found, strict=True)}


def test_features_equal_torch_fidelitys(of_2015: Network, theirs: dict[str, np.ndarray]) -> None:
    found = of_2015.features(IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, theirs["2048"], rtol=1e-4, atol=1e-4 * theirs["2048"].max())


def test_the_scores_logits_equal_torch_fidelitys_without_biases(
    of_2015: Network, theirs: dict[str, np.ndarray]
) -> None:
    found = of_2015.logits(of_2015.features(IMAGES))
    assert found.shape == (3, 1008)
    largest = np.abs(theirs["logits_unbiased"]).max()
    np.testing.assert_allclose(found, theirs["logits_unbiased"], rtol=1e-4, atol=1e-4 * largest)


def test_an_extractor_says_what_it_is(of_2015: Network, inception_weights: dict[str, str]) -> None:
    assert of_2015.name == "inception-2015"
    assert of_2015.side == 299
    assert of_2015.resizing == "bilinear-2015"
    assert of_2015.precision == "float32"
    assert of_2015.weights_sha256 == sha256(Path(inception_weights["inception-2015"]))


def test_bfloat16_moves_the_features_by_less_than_a_percent(
    of_2015: Network, inception_weights: dict[str, str]
) -> None:
    half = extractor(
        network="inception-2015", weights=inception_weights["inception-2015"], precision="bfloat16"
    )
    exact, rounded = of_2015.features(IMAGES), half.features(IMAGES)
    assert half.precision == "bfloat16"
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).mean() < 0.01 * exact.mean()


@pytest.mark.parametrize("resizing", ["bilinear-2015", "bicubic"])
def test_another_resizing_gives_other_features(resizing: str) -> None:
    usual, other = (
        extractor(network="efficientnet-lite0"),
        extractor(network="efficientnet-lite0", resizing=resizing),
    )
    assert (usual.resizing, other.resizing) == ("bilinear", resizing)
    assert np.abs(usual.features(IMAGES[:1]) - other.features(IMAGES[:1])).max() > 0.01


def test_the_experiments_own_judge_lends_its_network(chosen: Path) -> None:
    judge, found = load_judge(chosen), extractor(chosen, network="judge")
    features = found.features(IMAGES)
    assert (found.name, found.side) == (judge.name, judge.network.side)
    np.testing.assert_array_equal(features, judge.network.features(IMAGES))
    logits = torch.from_numpy(found.logits(features))
    np.testing.assert_allclose(logits.softmax(1), judge.probabilities(IMAGES), atol=1e-6)


def test_without_a_judge_its_network_is_one_clear_error() -> None:
    with pytest.raises(UserError, match="no judge lies there"):
        extractor(network="judge")


def test_missing_weights_name_the_setting_that_wants_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"features\.network: inception-2015 needs its weights .*none\.pth"):
        extractor(network="inception-2015", weights=str(tmp_path / "none.pth"))


def test_more_images_than_a_batch_come_back_in_their_order() -> None:
    network = efficientnet(side=64)
    many = np.random.default_rng(0).integers(0, 256, (2 * network.batch + 3, 32, 32, 3), dtype=np.uint8)
    found = network.features(many, progress="images")
    for number in (0, network.batch, len(many) - 1):
        alone = network.features(many[number : number + 1])
        np.testing.assert_allclose(found[number : number + 1], alone, atol=1e-3)


def test_read_only_features_have_logits_too(of_2015: Network) -> None:
    features = np.ones((2, 2048), np.float32)
    features.setflags(write=False)
    assert of_2015.logits(features).shape == (2, 1008)


def test_bfloat16_spares_the_outer_layers_and_the_network_it_was_made_from() -> None:
    network = efficientnet(side=64)
    half = network.in_precision(torch.bfloat16)
    types = [{p.dtype for p in part.parameters()} for part in half.trunk]
    assert types == [{torch.float32}, set(), {torch.bfloat16}, set(), {torch.float32}]
    assert {p.dtype for p in network.trunk.parameters()} == {torch.float32}
    assert sum(len(part) for part in half.trunk if isinstance(part, torch.nn.Sequential)) == len(
        network.trunk
    )
