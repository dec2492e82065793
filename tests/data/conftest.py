"""One small ILSVRC2012 in every layout that it is found in."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest
from small_ilsvrc import CLASSES, HELD_OUT, PER_CLASS, inner_tars

from centigan.data.fixture import write_ilsvrc
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.devkit import read_devkit
from centigan.data.sources.kaggle import DATA, SOLUTION


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three archives; never written to."""
    root = tmp_path_factory.mktemp("ilsvrc")
    write_ilsvrc(root, classes=CLASSES, per_class=PER_CLASS, held_out_per_class=HELD_OUT, oddities=True)
    return root


@pytest.fixture
def archives(published: Path, tmp_path: Path) -> Path:
    """A copy of the archives to damage."""
    return Path(shutil.copytree(published, tmp_path / "archives"))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy to damage of what a module's own `made` has written."""
    return Path(shutil.copytree(made, tmp_path / "root"))


@pytest.fixture
def folders(published: Path, tmp_path: Path) -> Path:
    """The same, extracted as torchvision does."""
    root = tmp_path / "folders"
    for tar in inner_tars(published / TRAIN):
        with tarfile.open(fileobj=io.BytesIO(tar[1])) as inner:
            inner.extractall(root / "train" / tar[0].removesuffix(".tar"), filter="data")
    devkit = read_devkit(published)
    with tarfile.open(published / VALIDATION) as tar:
        for position, member in enumerate(tar.getmembers()):
            tar.extract(member, root / "val" / devkit.validation_class(position), filter="data")
    return root


@pytest.fixture
def kaggle(folders: Path, tmp_path: Path) -> Path:
    """The same, as Kaggle publishes it."""
    root = tmp_path / "kaggle"
    shutil.copytree(folders / "train", root / DATA / "train")
    (root / DATA / "val").mkdir()
    lines = ["ImageId,PredictionString"]
    for image in sorted(folders.glob("val/*/*")):
        shutil.copy(image, root / DATA / "val")
        lines.append(f"{image.stem},{image.parent.name} 1 2 30 40 ")
    (root / SOLUTION).write_text("\n".join(lines) + "\n")
    (root / "LOC_synset_mapping.txt").write_text("n02105855 Shetland sheepdog, Shetland\n")
    return root
