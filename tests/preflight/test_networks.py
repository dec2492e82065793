"""Weights that are published elsewhere: said to be absent, or fetched, before the first job."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from centigan import preflight
from centigan.catalogue import files
from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.params import parse
from centigan.preflight.networks import of_weights, still_wanted, wanted_by
from centigan.settings import Settings
from centigan.weights import URLS, NoDownload, download, in_cache

CONTENT = b"weights"
NAME = f"weights-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
DIGITS = {
    "experiment": "own",
    "data": {"source": "digits", "root": "digits", "classes": 10, "split_size": 5},
    "judge": {"name": "auto"},
    "sample": {"per_class": 1000},
}
SETTINGS = parse(Settings, DIGITS, "here")
ALL = {"index", "arrays", "judge", "train", "features"}


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is published at an address, and an empty cache."""
    file = tmp_path / "published" / NAME
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    monkeypatch.setitem(URLS, "inception-2015", file.as_uri())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return file


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "experiments/own").mkdir(parents=True)
    (tmp_path / "experiments/own/protocol.yaml").touch()
    (tmp_path / "params.yaml").touch()
    return Layout("own", tmp_path)


@pytest.mark.parametrize("home", ["TORCH_HOME", "XDG_CACHE_HOME", None])
def test_the_cache_is_torch_s(home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if home:
        monkeypatch.setenv(home, str(tmp_path))
    assert in_cache("https://a.b/c-0.pth") == Path(torch.hub.get_dir()) / "checkpoints/c-0.pth"


def test_a_run_fetches_the_weights_that_it_needs_and_a_dry_one_only_asks_for_them(
    published: Path, layout: Layout
) -> None:
    preflight.before_first_job(layout, SETTINGS, rules=ALL, dry=True)
    assert not in_cache(published.as_uri()).exists()
    preflight.before_first_job(layout, SETTINGS, rules=ALL, dry=False)
    assert in_cache(published.as_uri()).read_bytes() == CONTENT


def test_nothing_is_fetched_for_a_run_that_could_not_end(published: Path, layout: Layout) -> None:
    wrong = parse(Settings, DIGITS | {"accuracy": {"resolutions": [64]}}, "here")
    with pytest.raises(UserError, match="for one reason"):
        preflight.before_first_job(layout, wrong, rules=ALL, dry=False)
    assert not in_cache(published.as_uri()).exists()


@pytest.mark.parametrize("rules", [{"index", "arrays", "data"}, {"train", "training"}, {"judge"}, set()])
def test_jobs_that_load_no_weights_ask_for_none(rules: set[str], published: Path, layout: Layout) -> None:
    published.unlink()
    preflight.before_first_job(layout, SETTINGS, rules=rules, dry=False)


def test_arrays_alone_are_made_whatever_the_measurements_ask_for(layout: Layout) -> None:
    wrong = parse(Settings, DIGITS | {"accuracy": {"resolutions": [64]}}, "here")
    preflight.before_first_job(layout, wrong, rules={"index", "arrays", "data"}, dry=False)
    with pytest.raises(UserError, match="for one reason"):
        preflight.before_first_job(layout, wrong, rules={"train"}, dry=False)


@pytest.mark.parametrize("dry", [True, False])
def test_weights_that_cannot_be_had_are_said_with_the_place_they_belong(
    published: Path, layout: Layout, *, dry: bool
) -> None:
    published.unlink()
    with pytest.raises(UserError) as told:
        preflight.before_first_job(layout, SETTINGS, rules=ALL, dry=dry)
    for word in (str(in_cache(published.as_uri())), published.as_uri(), "features.weights", "network: judge"):
        assert word in str(told.value)


def test_where_an_imagenet_judge_lacks_weights_the_shipped_one_is_named() -> None:
    settings = Settings.model_validate({"experiment": "x", "judge": {"name": "inception-v3"}})
    (judge,) = [one for one in wanted_by({"judge"}, settings) if one.key == "judge.name"]
    assert "judge.name: efficientnet-lite0, which is shipped" in judge.instead


def test_weights_that_are_not_as_published_are_not_kept(published: Path) -> None:
    published.write_bytes(b"other")
    target = in_cache(published.as_uri())
    with pytest.raises(NoDownload, match="does not begin with"):
        download(published.as_uri(), target)
    assert list(target.parent.iterdir()) == []


def test_results_that_are_there_need_no_weights(published: Path, layout: Layout) -> None:
    """A reader who has pulled them has none, and nothing to do."""
    published.unlink()
    for split in split_names(10, 5):
        measured = [*files("smoothness", layout, split), *files("inception_score", layout, "all")]
        for folder in (layout.features(split), layout.real_features(split)):
            for path in (*measured, folder / "SHA256SUMS"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            (folder / "facts.json").write_text(json.dumps({"network": "inception-2015"}))
    assert [found.good for found in of_weights(still_wanted(layout, SETTINGS), fetch=True)] == [True]
    (folder / "facts.json").write_text(json.dumps({"network": "small-cnn"}))  # of other settings
    assert [found.good for found in of_weights(still_wanted(layout, SETTINGS), fetch=True)] == [False]


def test_the_snakefile_s_part_loads_neither_pandas_nor_torch() -> None:
    program = "import sys, centigan.preflight; assert not {'pandas', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
