"""Trainings in a process of their own, most of them killed there; a module, so that it can be imported."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import torch
from small import TRAIN

from centigan.layout import Layout
from centigan.training import loop
from centigan.training.stopping import Stop

CHILDREN = multiprocessing.get_context("forkserver")  # of one process, which imports torch once for all
CHILDREN.set_forkserver_preload(["centigan.training.loop"])


def train_and_die(root: Path, at: int) -> None:
    """Train split 00 of the experiment "small", and die by SIGKILL after iteration `at`."""
    step = loop.Progress.step

    def deadly(self: loop.Progress, iteration: int) -> None:
        step(self, iteration)
        if iteration == at:
            os.kill(os.getpid(), signal.SIGKILL)

    loop.Progress.step = deadly
    loop.train_split(Layout("small", root), "00", TRAIN, device=torch.device("cpu"))


def train_and_ask_twice(root: Path) -> None:
    """Train split 00, and be asked by SIGTERM twice within one iteration."""
    step = loop.Progress.step

    def insistent(self: loop.Progress, iteration: int) -> None:
        step(self, iteration)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)

    loop.Progress.step = insistent
    stop = Stop()
    with stop.listening():
        loop.train_split(Layout("small", root), "00", TRAIN, device=torch.device("cpu"), stop=stop)


LONG = TRAIN.model_copy(
    update={
        "train": TRAIN.train.model_copy(
            update={"iterations": 60, "checkpoint_every": 5, "log_every": 2, "snapshot_every": 10}
        )
    }
)


def train_long(root: Path) -> None:
    """Train split 00 for a second or two, with a checkpoint or a snapshot in most of its moments."""
    loop.train_split(Layout("small", root), "00", LONG, device=torch.device("cpu"))


def modules_after_training(root: Path) -> set[str]:
    """Train split 00; the names of what was imported for it."""
    loop.train_split(Layout("small", root), "00", TRAIN, device=torch.device("cpu"))
    return set(sys.modules)
