"""Random sequences of edits, kills and damages on a tiny pipeline: the end is what a run from scratch gives.

CENTIGAN_SEQUENCES=20 makes it twenty; a failure names its seed, and CENTIGAN_SEED=... begins with it.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from staleness.project import BIN, FILE, PROTOCOL_FILE, RAW, RESULTS, SHARED, Project

SEQUENCES = int(os.environ.get("CENTIGAN_SEQUENCES", "3"))
SEED = int(os.environ.get("CENTIGAN_SEED", "1"))
TARGETS = [f"{RESULTS}/samples/{split}/SHA256SUMS" for split in ("00", "01")]
MESSAGES = (  # what may stop a run, each with its repair
    "belongs to an unfinished training with other settings",
    "it was there when the data was indexed",
    "needs two images at least",
    "holds no .* images",
    "has 3 classes, but `data.classes` says 4",
    "is missing",
)


class Sequence:
    """A project, and beside it what its raw data would be had nobody deleted any."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project, self.random = project, random.Random(seed)
        self.root = Path(RAW)
        self.whole = project.folder.with_name("whole")
        shutil.copytree(self.raw, self.whole)
        self.done: list[str] = []

    @property
    def raw(self) -> Path:
        return self.project.folder / self.root

    def image(self) -> Path:
        """Some raw image, relative to the raw data; the first of its class stays where it is."""
        images = sorted(path.relative_to(self.whole) for path in self.whole.rglob("[1-9]*.bmp"))
        return self.random.choice(images)

    def set(self, pattern: str, *values: object) -> None:
        paths = [self.project.folder / file for file in (FILE, PROTOCOL_FILE)]
        path = next(path for path in paths if re.search(rf"\b{pattern}: ", path.read_text()))
        value = self.random.choice(values)
        path.write_text(re.sub(rf"\b{pattern}: [^,}}]+", f"{pattern}: {value}", path.read_text(), count=1))
        self.done.append(f"{pattern}: {value}")

    # What may happen, one method each.

    def shorten_or_lengthen(self) -> None:
        self.set("iterations", 2, 3, 4)

    def edit_a_setting(self) -> None:
        self.random.choice(
            (
                lambda: self.set("batch_size", 4, 5),
                lambda: self.set("per_class", 4, 5),
                lambda: self.set("held_out", 0.4, 0.3),
                lambda: self.set("width", 0.1, 0.15),
            )
        )()

    def rename_a_class(self) -> None:
        old = self.random.choice(sorted(path.name for path in self.whole.iterdir()))
        new = f"{old}x" if self.random.random() < 0.5 else f"a{old}"
        for place in (self.whole, self.raw):
            if (place / old).exists():
                (place / old).rename(place / new)
        self.done.append(f"{old} -> {new}")

    def relabel_an_image(self) -> None:
        image = self.image()
        other = self.random.choice(sorted(path.name for path in self.whole.iterdir()))
        target = Path(other, f"{image.stem}{len(self.done)}.bmp")
        for place in (self.whole, self.raw):
            if (place / image).exists():
                (place / other).mkdir(exist_ok=True)
                (place / image).rename(place / target)
        self.done.append(f"{image} -> {target}")

    def replace_an_image(self) -> None:
        image = self.image()
        content = bytearray((self.whole / image).read_bytes())
        content[-1000:] = self.random.randbytes(1000)
        for place in (self.whole, self.raw):
            (place / image).parent.mkdir(parents=True, exist_ok=True)
            (place / image).write_bytes(content)
        self.done.append(f"another {image}")

    def move_the_root(self) -> None:
        before = self.root
        self.root = Path(f"elsewhere/{len(self.done)}")
        self.raw.parent.mkdir(exist_ok=True)
        (self.project.folder / before).rename(self.raw)
        self.set("root", self.root)

    def delete_raw_data(self) -> None:
        gone = [self.image()] if self.random.random() < 0.5 else sorted(self.whole.rglob("*.bmp"))
        for image in gone:
            (self.raw / image.relative_to(self.whole) if image.is_absolute() else self.raw / image).unlink(
                missing_ok=True
            )
        self.done.append(f"{len(gone)} raw images deleted")

    def damage_a_file(self) -> None:
        places = ("results/mine", ".snakemake/centigan", ".snakemake/metadata", "scratch")
        files = sorted(path for place in places for path in (self.project.folder / place).rglob("*"))
        path = self.random.choice([path for path in files if path.is_file() and path.name != "lock"])
        content = path.read_bytes()
        how = self.random.choice(("gone", "cut", "flipped", "not UTF-8", "a folder"))
        path.unlink()
        if how == "a folder":
            path.mkdir()
        elif how != "gone":
            half = len(content) // 2
            flipped = content[:half] + bytes([255 - content[half]]) + content[half + 1 :] if content else b"x"
            path.write_bytes({"cut": content[:half], "flipped": flipped, "not UTF-8": b"\xff" + content}[how])
        self.done.append(f"{path.relative_to(self.project.folder)} is {how}")

    def kill(self) -> None:
        """kill -9 of everything, at some moment of a run that has something to do."""
        self.shorten_or_lengthen()
        words = [BIN / "snakemake", "--cores", "2", "--quiet", "all", *TARGETS]
        environment = self.project.environment
        run = subprocess.Popen(
            words, cwd=self.project.folder, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
        )
        time.sleep(self.random.uniform(1, 12))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        subprocess.run(["pkill", "-9", "-f", str(self.project.folder)], check=False)
        self.project.run("snakemake", "--unlock")
        self.done.append("killed")

    def run(self) -> None:
        """Run to the end; where one clear message stops it, do as it says and run again."""
        for _ in range(4):
            try:
                self.project.run("snakemake", "--cores", "2", *TARGETS)
                return
            except AssertionError as error:
                text = str(error)
                assert "Traceback" not in text, text
                assert any(re.search(message, text) for message in MESSAGES), text
                self.done.append("a message")
                if MESSAGES[0] in text:
                    shutil.rmtree(self.project.folder / "scratch")
                else:
                    shutil.copytree(self.whole, self.raw, dirs_exist_ok=True)
        raise AssertionError("no repair helped")


EVENTS: tuple[Callable[[Sequence], None], ...] = (
    Sequence.shorten_or_lengthen,
    Sequence.edit_a_setting,
    Sequence.rename_a_class,
    Sequence.relabel_an_image,
    Sequence.replace_an_image,
    Sequence.move_the_root,
    Sequence.delete_raw_data,
    Sequence.damage_a_file,
    Sequence.kill,
)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that is computed as far as its samples."""
    project = Project.begin(tmp_path_factory.mktemp("sequences") / "project")
    project.run("snakemake", "--cores", "2", *TARGETS)
    return project


def results(project: Project) -> dict[str, bytes]:
    """Every result; a folder that lay in the way of one is somebody else's."""
    base = project.folder / SHARED
    parts = ("index", "arrays", "tiny/train", "tiny/samples", "classes.csv", "raw.sha256")
    files = [path for part in parts for path in (base / part, *(base / part).rglob("*"))]
    own = [path for path in files if path.is_file() and ".aside-" not in str(path)]
    return {path.relative_to(base).as_posix(): path.read_bytes() for path in own}


def from_scratch(sequence: Sequence, folder: Path) -> dict[str, bytes]:
    """The results of the same settings and raw data in a new project."""
    fresh = Project.begin(folder)
    shutil.rmtree(fresh.folder / RAW)
    shutil.copytree(sequence.whole, fresh.folder / sequence.root)
    for file in (FILE, PROTOCOL_FILE):
        shutil.copy(sequence.project.folder / file, fresh.folder / file)
    fresh.run("snakemake", "--cores", "2", *TARGETS)
    return results(fresh)


def check(sampled: Project, tmp_path: Path, seed: int, events: int) -> None:
    sequence = Sequence(sampled.copy(tmp_path / "project"), seed)
    for _ in range(events):
        sequence.random.choice(EVENTS)(sequence)
        if sequence.random.random() < 0.7:
            sequence.run()
    sequence.run()
    if {path.name for path in sequence.raw.rglob("*.bmp")} != {p.name for p in sequence.whole.rglob("*.bmp")}:
        shutil.copytree(sequence.whole, sequence.raw, dirs_exist_ok=True)
        sequence.run()
    found, expected = results(sequence.project), from_scratch(sequence, tmp_path / "fresh")
    names = found.keys() | expected.keys()
    differing = sorted(name for name in names if found.get(name) != expected.get(name))
    assert not differing, f"seed {seed}: {json.dumps(sequence.done, indent=1)}\n{differing}"
    assert "Nothing to be done" in sequence.project.run("snakemake", "-n", *TARGETS)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(SEED, SEED + SEQUENCES))
def test_any_sequence_ends_as_a_run_from_scratch(sampled: Project, tmp_path: Path, seed: int) -> None:
    check(sampled, tmp_path, seed, events=5)
