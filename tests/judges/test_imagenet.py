"""The judges that come trained: real photographs, the order of their classes, where weights come from."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
from torchvision.models import Inception_V3_Weights
from torchvision.models._meta import _IMAGENET_CATEGORIES as TORCHVISION_NAMES

from centigan.data.ilsvrc2012 import IDS
from centigan.errors import UserError
from centigan.judges import JUDGES, inception_2015
from centigan.judges.imagenet import CLASSES, require_imagenet
from centigan.judges.inception import URL, inception
from centigan.judges.inception_2015 import of_sorted_classes, read_inception_2015
from centigan.judges.table import Judge
from centigan.judges.weights import find_weights
from centigan.settings.evaluation import JudgeSettings

WANTED = "judge.name: inception-v3"
# Name, WordNet id, row of the 2015 graph (its label map), output of torchvision's networks (its list of
# names): both tables by hand, at their ends and between.
KNOWN = [
    ("kit fox", "n02119789", 1, 278),
    ("English setter", "n02100735", 2, 212),
    ("Siberian husky", "n02110185", 3, 250),
    ("tench", "n01440764", 449, 0),
    ("dumbbell", "n03255030", 1000, 543),
]


def test_coffee_is_an_espresso(judges: dict[str, Judge]) -> None:
    assert _top(judges["efficientnet-lite0"], skimage.data.coffee()) == 967


def test_chelsea_is_one_of_the_domestic_cats(judges: dict[str, Judge]) -> None:
    assert _top(judges["efficientnet-lite0"], skimage.data.chelsea()) in range(281, 286)


@pytest.mark.parametrize(("name", "class_id", "row", "output"), KNOWN)
def test_both_tables_say_where_a_known_class_stands(name: str, class_id: str, row: int, output: int) -> None:
    assert IDS[row - 1] == class_id
    assert CLASSES[output] == class_id
    assert TORCHVISION_NAMES[output] == name


def test_the_table_has_a_thousand_classes_that_sort_into_torchvisions_order() -> None:
    assert len(set(IDS)) == len(IDS) == len(TORCHVISION_NAMES) == 1000
    assert TORCHVISION_NAMES[CLASSES.index("n07920052")] == "espresso"
    assert (TORCHVISION_NAMES[0], TORCHVISION_NAMES[-1]) == ("tench", "toilet tissue")
    assert CLASSES[-1] == "n15075141"  # toilet tissue


def test_a_row_of_2015_that_stands_out_names_the_class_of_that_row() -> None:
    outputs = torch.nn.Linear(2048, 1008)
    with torch.no_grad():
        outputs.weight.zero_()
        outputs.bias.copy_(torch.arange(1008.0))
    head = of_sorted_classes(outputs)
    rows = head(torch.zeros(1, 2048))[0].tolist()  # the bias of output i is the row that it came from
    assert sorted(rows) == list(range(1, 1001))
    assert [IDS[int(row) - 1] for row in rows] == list(CLASSES)
    for _, _, row, output in KNOWN:
        assert rows[output] == row


def test_the_judge_of_2015_names_the_class_of_the_row_that_its_network_singles_out(
    judges: dict[str, Judge], inception_weights: dict[str, str]
) -> None:
    image = skimage.data.coffee()[None, ::4, ::4]
    network, outputs = read_inception_2015(Path(inception_weights["inception-2015"]))
    row = int(outputs(torch.from_numpy(network.features(image)))[0, 1:1001].argmax()) + 1
    named = int(judges["inception-2015"].probabilities(image).argmax())
    assert CLASSES[named] == IDS[row - 1]


def test_some_classes_are_known_by_their_ids_and_judged_among_themselves(
    judges: dict[str, Judge], inception_weights: dict[str, str]
) -> None:
    """An espresso among cats, whichever output it is of 1000; a softmax of their logits alone."""
    image, some = skimage.data.coffee()[None], ("n02123045", "n02123159", "n07920052")  # sorted
    whole = judges["efficientnet-lite0"]
    judge = JUDGES["efficientnet-lite0"].load(some, {}, JudgeSettings())
    logits = whole.logits(image)[0]
    assert judge.logits(image)[0].tolist() == logits.tolist()
    assert judge.probabilities(image).argmax() == 2
    chosen = np.exp(logits[[CLASSES.index(name) for name in some]])
    np.testing.assert_allclose(judge.probabilities(image)[0], chosen / chosen.sum(), rtol=1e-5)


def test_class_folders_must_be_imagenets_own_ids() -> None:
    require_imagenet("inception-v3", CLASSES)
    others = (*CLASSES[:-1], "n15075142")
    with pytest.raises(UserError, match=r"has 'n15075142'; choose judge\.name"):
        require_imagenet("inception-2015", others)


def test_the_given_file_of_weights_is_taken(inception_weights: dict[str, str]) -> None:
    given = inception_weights["inception-v3"]
    assert find_weights(given, URL, wanted_by=WANTED) == Path(given)


def test_weights_in_torchs_cache_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "inception_v3_google-0cc3c7bd.pth"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert find_weights(None, URL, wanted_by=WANTED) == cached


def test_a_given_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs its weights .*none\.pth, and there is no such file"):
        find_weights(str(tmp_path / "none.pth"), URL, wanted_by=WANTED)


@pytest.mark.parametrize("section", ["judge.name", "features.network"])
def test_a_failed_download_says_which_file_to_put_where(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = (tmp_path / "away" / "weights-inception-2015-12-05-6726825d.pth").as_uri()
    with pytest.raises(UserError) as caught:
        find_weights(None, url, wanted_by=f"{section}: inception-2015")
    option = f"{section.split('.')[0]}.weights"
    for word in ("inception-2015-12-05-6726825d.pth", option, "TORCH_HOME", "efficientnet-lite0"):
        assert word in str(caught.value)


def test_a_download_with_a_wrong_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    file = tmp_path / "inception_v3_google-0cc3c7bd.pth"
    file.write_bytes(b"not the weights")
    with pytest.raises(UserError, match="the download failed"):
        find_weights(None, file.as_uri(), wanted_by=WANTED)


READERS = {"inception-v3": inception, "inception-2015": read_inception_2015}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> object:
    return READERS[request.param]


def test_a_file_of_other_tensors_is_refused(reader, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth is not the state_dict"):
        reader(tmp_path / "other.pth")


def test_a_file_that_is_no_checkpoint_is_refused(reader, tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(UserError, match=r"text\.pth is not the state_dict"):
        reader(tmp_path / "text.pth")


class Malice:
    """Unpickled, it would touch a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_that_holds_code_is_refused_and_not_run(reader, tmp_path: Path) -> None:
    torch.save({"weight": Malice(tmp_path / "touched")}, tmp_path / "malice.pth")
    with pytest.raises(UserError, match=r"malice\.pth is not the state_dict"):
        reader(tmp_path / "malice.pth")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("name", "other"), [("inception-v3", "inception-2015"), ("inception-2015", "inception-v3")]
)
def test_the_weights_of_one_inception_are_refused_by_the_other(
    name: str, other: str, inception_weights: dict[str, str]
) -> None:
    with pytest.raises(UserError, match="is not the state_dict"):
        READERS[name](Path(inception_weights[other]))


def _top(judge: Judge, photograph: np.ndarray) -> int:
    """The label of the photograph's central square."""
    height, width = photograph.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return int(judge.probabilities(photograph[None, top : top + side, left : left + side]).argmax())


def test_the_weights_are_fetched_from_where_their_libraries_fetch_them() -> None:
    assert Inception_V3_Weights.IMAGENET1K_V1.url == URL
    assert URL_INCEPTION_V3 == inception_2015.URL
