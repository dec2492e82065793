"""The judges that come trained: real photographs, and where weights come from."""

import random
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from centigan.errors import UserError
from centigan.judges.imagenet import require_imagenet
from centigan.judges.inception import find_weights, read_network
from centigan.judges.table import Judge

SYNSETS = tuple(f"n{number:08d}" for number in range(1000))


def test_coffee_is_an_espresso(judges: dict[str, Judge]) -> None:
    assert _top(judges["efficientnet-lite0"], skimage.data.coffee()) == 967


def test_chelsea_is_one_of_the_domestic_cats(judges: dict[str, Judge]) -> None:
    assert _top(judges["efficientnet-lite0"], skimage.data.chelsea()) in range(281, 286)


def test_classes_must_stand_in_sorted_order() -> None:
    shuffled = list(SYNSETS)
    random.Random(0).shuffle(shuffled)
    require_imagenet("inception-v3", SYNSETS)
    with pytest.raises(UserError, match="in sorted order"):
        require_imagenet("inception-v3", tuple(shuffled))


def test_class_folders_must_be_wordnet_ids() -> None:
    with pytest.raises(UserError, match="WordNet ids"):
        require_imagenet("inception-v3", tuple(f"class{number:04d}" for number in range(1000)))


def test_the_given_file_of_weights_is_taken(inception_weights: Path) -> None:
    assert find_weights(str(inception_weights)) == inception_weights


def test_weights_in_torchs_cache_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "inception_v3_google-0cc3c7bd.pth"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert find_weights(None) == cached


def test_a_given_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs its weights .*none\.pth, and there is no such file"):
        find_weights(str(tmp_path / "none.pth"))


def test_a_failed_download_says_which_file_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = (tmp_path / "away" / "inception_v3_google-0cc3c7bd.pth").as_uri()
    with pytest.raises(UserError) as caught:
        find_weights(None, url)
    for word in ("inception_v3_google-0cc3c7bd.pth", "judge.weights", "TORCH_HOME", "efficientnet-lite0"):
        assert word in str(caught.value)


def test_a_download_with_a_wrong_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    file = tmp_path / "inception_v3_google-0cc3c7bd.pth"
    file.write_bytes(b"not the weights")
    with pytest.raises(UserError, match="the download failed"):
        find_weights(None, file.as_uri())


def test_a_file_of_other_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth is not the state_dict"):
        read_network(tmp_path / "other.pth")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(UserError, match=r"text\.pth is not the state_dict"):
        read_network(tmp_path / "text.pth")


def _top(judge: Judge, photograph: np.ndarray) -> int:
    """The label of the photograph's central square."""
    height, width = photograph.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return int(judge.probabilities(photograph[None, top : top + side, left : left + side]).argmax())
