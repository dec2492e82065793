"""The file of an array, whose images come in any order."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from centigan.data import image_file
from centigan.data.image_file import ImageFile

COUNT, SIDE = 12, 2
on_disk = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@on_disk
@given(
    order=st.permutations(range(COUNT)),
    bad=st.sets(st.integers(0, COUNT - 1)),
    block=st.integers(1, COUNT),
    moved=st.sampled_from([5, 1 << 24]),
)
def test_the_file_is_what_numpy_saves_of_the_kept_images_whatever_their_order(
    tmp_path: Path, order: list[int], bad: set[int], block: int, moved: int
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), np.uint8)
    kept = sorted(set(range(COUNT)) - bad)
    with pytest.MonkeyPatch.context() as patch, (tmp_path / "made.npy").open("w+b") as file:
        patch.setattr(image_file, "MOVED", moved)
        made = ImageFile(file, COUNT, SIDE)
        for first in range(0, COUNT, block):
            rows = [row for row in order[first : first + block] if row not in bad]
            made.write(rows, images[rows])
        made.keep(kept)
    np.save(tmp_path / "saved.npy", images[kept])
    assert (tmp_path / "made.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()
