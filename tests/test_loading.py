"""`centigan.load`: a trained generator for who imports the package."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from copied import ROOT
from small import ARRAYS, TRAIN

import centigan
from centigan.classes import Class, position_of
from centigan.data.arrays import build_arrays
from centigan.data.embedded import put_in_place
from centigan.data.index import build_index
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.loading import find_root
from centigan.manifest import listed, read_digests, sha256
from centigan.params import load as read_settings
from centigan.preflight.counts import of_index
from centigan.training.loop import train_split

EXAMPLE = re.compile(r"```python\n(import centigan\n.*?)```", re.DOTALL)
CRANES = [
    Class("n1", "crane, wading bird", "00"),
    Class("n2", "crane", "00"),
    Class("n3", "Great Auk, Pinguinus impennis", "00"),
    Class("crane lorry", "great auk", "00"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the demo's own digits and classes, whose split 00 is trained for six iterations."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "params.yaml", root)
    shutil.copytree(ROOT / "experiments", root / "experiments")
    layout, raw = Layout("digits/acgan", root), root / "data/raw/digits"
    put_in_place("digits", raw)
    settings = read_settings("digits/acgan", root).data
    build_index(layout, settings.model_copy(update={"root": str(raw), "per_class": 4}))
    build_arrays(layout, "00", ARRAYS, raw)
    train_split(layout, "00", TRAIN, device=torch.device("cpu"))
    return root


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory that is in no project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CENTIGAN_ROOT", raising=False)
    return tmp_path


def test_the_readmes_example_draws_the_demos_digits_from_any_directory(demo: Path, elsewhere: Path) -> None:
    (example,) = EXAMPLE.findall((ROOT / "README.md").read_text())
    environment = os.environ | {"CENTIGAN_ROOT": str(demo)}
    command = [sys.executable, "-W", "error", "-c", example + "\nnp.save('images.npy', images)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    images = np.load(elsewhere / "images.npy")
    assert (images.dtype, images.shape) == (np.uint8, (2, 32, 32, 3))
    again = centigan.load("digits/acgan", 0, root=demo).sample(["3", "4"], seed=1)
    assert np.array_equal(images, again)
    assert (elsewhere / "digits.png").is_file()


def test_the_package_is_imported_without_torch() -> None:
    words = "import sys, centigan; print({'torch', 'numpy'} & set(sys.modules), 'load' in dir(centigan))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "set() True\n"


def test_a_class_is_named_by_its_id_its_words_or_its_position(demo: Path) -> None:
    generator = centigan.load("digits/acgan", split="00", root=demo)
    assert [each.id for each in generator.classes] == ["0", "1", "2", "3", "4"]
    images = generator.sample(["3", 3, np.int64(3)], seed=1)
    assert np.array_equal(images, generator.sample([3, "3", 3], seed=1))
    assert np.array_equal(generator.sample("3", seed=1), images[:1])
    assert generator.sample([]).shape == (0, 32, 32, 3)


def test_an_image_follows_from_its_seed_place_and_class_alone(demo: Path) -> None:
    generator = centigan.load("digits/acgan", 0, root=demo)
    images = generator.sample(["3", "4", "0"], seed=1).astype(int)
    for others in (["1", "4", "2"], ["2", "4"], ["0", "4", *range(5)]):
        assert np.abs(generator.sample(others, seed=1)[1].astype(int) - images[1]).max() <= 1
    assert not np.array_equal(generator.sample(["3", "4", "0"], seed=2), images)


def test_it_is_built_with_what_it_was_trained_with_whatever_the_settings_say_now(
    demo: Path, tmp_path: Path
) -> None:
    """The demo's settings say another width than that of the training."""
    assert read_settings("digits/acgan", demo).model.width != TRAIN.model.width
    shutil.copytree(demo / "results", tmp_path / "results")
    expected = centigan.load("digits/acgan", 0, root=demo).sample([2])
    assert np.array_equal(centigan.load("digits/acgan", 0, root=tmp_path).sample([2]), expected)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("crane", "2 classes are called 'crane': n1, n2; name one of these"),
        ("great auc", "no class 'great auc' in split 00; did you mean `great auk`"),
        (4, "no class 4: positions are 0..3: n1, n2, n3, crane lorry"),
        (-1, "no class -1"),
        (1.0, "a class is a name such as '3' or a position such as 3, not 1.0"),
        ("hen", "class 'hen' is not of split 00 but of 07"),
    ],
)
def test_a_class_that_is_not_one_is_told_with_what_there_is(asked: object, told: str) -> None:
    with pytest.raises(UserError, match=re.escape(told)):
        position_of(asked, CRANES, elsewhere=[Class("n9", "hen", "07")])


@pytest.mark.parametrize("asked", [True, [True, False], np.array([True]), b"3", 3.0, None, [None]])
def test_what_is_neither_a_name_nor_a_position_is_refused(demo: Path, asked: Any) -> None:
    generator = centigan.load("digits/acgan", 0, root=demo)
    with pytest.raises(UserError, match="a class is a name such as '3' or a position such as 3, not"):
        generator.sample(asked)


@pytest.mark.parametrize("seed", [True, 1.0, None, "1"])
def test_a_seed_is_an_integer_of_any_library(demo: Path, seed: Any) -> None:
    generator = centigan.load("digits/acgan", 0, root=demo)
    images = generator.sample(np.int64(3), seed=np.int64(1))
    assert np.array_equal(images, generator.sample(3, seed=1))
    with pytest.raises(UserError, match="seed: an integer such as 1 is expected, not"):
        generator.sample(3, seed=seed)


def test_names_are_synonyms_of_any_capitals_and_an_id_goes_before_them() -> None:
    assert position_of("WADING BIRD", CRANES) == 0
    assert position_of("pinguinus impennis", CRANES) == 2
    assert position_of("n2", CRANES) == 1
    assert position_of("crane lorry", CRANES) == 3


def test_the_project_is_found_above_the_working_directory_and_by_what_names_it(
    demo: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_root() == ROOT  # the checkout that the package is of
    (elsewhere / "params.yaml").touch()
    (elsewhere / "experiments/below").mkdir(parents=True)
    monkeypatch.chdir(elsewhere / "experiments/below")
    assert find_root() == elsewhere
    monkeypatch.setenv("CENTIGAN_ROOT", str(demo))
    assert find_root() == demo
    assert find_root(ROOT) == ROOT
    monkeypatch.setenv("CENTIGAN_ROOT", "away")
    with pytest.raises(UserError, match="CENTIGAN_ROOT: away is no folder"):
        find_root()


def test_no_project_is_one_error(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centigan, "__file__", str(elsewhere / "lib/site-packages/centigan/__init__.py"))
    with pytest.raises(UserError, match=r"no project found.*`root`.*CENTIGAN_ROOT"):
        centigan.load("digits/acgan")


def test_what_cannot_be_loaded_is_told(demo: Path, tmp_path: Path) -> None:
    root = shutil.copytree(demo, tmp_path / "copy")
    for words, told in (
        (("digits/acgann",), "results/digits/acgann is missing; did you mean `digits/acgan`?"),
        (("digits",), "results/digits is missing; "),
        (("digits/acgan", 2), r"split 2 does not exist; splits are 00\.\.01"),
        (("digits/acgan", "one"), "split one does not exist"),
        (
            ("digits/acgan", 1),
            "split 01 is not trained: .*results/digits/acgan/train/01/manifest.json is missing",
        ),
    ):
        with pytest.raises(UserError, match=told):
            centigan.load(*words, root=root)
    with pytest.raises(UserError, match="device 'abacus' cannot be used"):
        centigan.load("digits/acgan", root=root, device="abacus")
    weights = root / "results/digits/acgan/train/00/generator.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match=r"generator\.safetensors is not what SHA256SUMS beside it says"):
        centigan.load("digits/acgan", root=root)
    shutil.rmtree(root / "results")
    with pytest.raises(
        UserError, match="results/digits/acgan is missing; it has not run yet: run `snakemake"
    ):
        centigan.load("digits/acgan", root=root)
    with pytest.raises(UserError, match="results/other is missing; nothing has run there yet"):
        centigan.load("other", root=root)


@pytest.mark.parametrize("name", ["", "../tiny", None, 3])
def test_an_experiment_is_named_as_everywhere(demo: Path, name: Any) -> None:
    with pytest.raises(UserError, match=r"centigan\.load: experiment: "):
        centigan.load(name, root=demo)


def test_a_given_root_may_begin_at_home_and_must_be_a_project(
    demo: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(demo))
    assert find_root("~") == demo
    with pytest.raises(UserError, match=r"root: .* is no project: it holds neither params\.yaml"):
        find_root(elsewhere)
    monkeypatch.setenv("CENTIGAN_ROOT", str(elsewhere))
    with pytest.raises(UserError, match=r"CENTIGAN_ROOT: .* is no project"):
        find_root()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train/00/facts.json", "{}"),
        ("train/00/facts.json", '{"classes": null, "resolution": 32}'),
        ("train/00/facts.json", None),
        ("train/00/manifest.json", "{}"),
        ("train/00/manifest.json", '{"settings": null}'),
        ("train/00/manifest.json", '{"settings": {"model": null}}'),
        ("train/00/manifest.json", ""),
        ("train/00/generator.safetensors", None),
        ("train/00/discriminator.safetensors", None),
        ("train/00/SHA256SUMS", None),
        ("train/00/SHA256SUMS", ""),
        ("classes.csv", ""),
        ("classes.csv", "class_id,words,split,train,held_out\n"),
        ("classes.csv", "class_id,words,split,train,held_out\n0,0\n"),
    ],
)
def test_a_damaged_file_is_one_error_that_names_it(
    demo: Path, tmp_path: Path, name: str, content: str | None
) -> None:
    root = shutil.copytree(demo, tmp_path / "copy", ignore=shutil.ignore_patterns("data", "arrays"))
    damaged = root / "results/digits" / (name if name == "classes.csv" else f"acgan/{name}")
    damaged.unlink()
    if content is not None:
        damaged.write_text(content)
    sums = damaged.with_name("SHA256SUMS")
    if damaged.name == "facts.json" and content:  # damaged before its checksum was made
        sums.write_text(listed(read_digests(sums) | {"facts.json": sha256(damaged)}))
    with pytest.raises(UserError, match=rf"{re.escape(str(damaged))}.*(dvc pull|delete it)"):
        centigan.load("digits/acgan", root=root)


def test_checksums_are_held_before_anything_is_built(demo: Path, tmp_path: Path) -> None:
    root = shutil.copytree(demo, tmp_path / "copy")
    weights = root / "results/digits/acgan/train/00/generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match=r"generator\.safetensors is not what SHA256SUMS beside it says"):
        centigan.load("digits/acgan", root=root)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("source.json", "{}"),
        ("classes.csv", "class_id,split,train,held_out\n"),
        ("classes.csv", "class_id,split,train,held_out\n0,00\n"),
    ],
)
def test_a_damaged_index_is_one_error_for_who_counts(
    demo: Path, tmp_path: Path, name: str, content: str
) -> None:
    layout = Layout("digits/acgan", tmp_path)
    layout.protocol.mkdir(parents=True)
    for kept in ("source.json", "classes.csv"):
        shutil.copy(Layout("digits/acgan", demo).protocol / kept, layout.protocol)
    (layout.protocol / name).write_text(content)
    with pytest.raises(UserError, match=rf"{re.escape(name)} is damaged"):
        of_index(layout)
