"""Evenness of walks from one caption to another (Reed et al., 2016; arXiv:1605.05396, Fig 8 left).

The paper looks at pictures. Here the walks of the demonstration, straight lines between embeddings of
held-out captions at one latent, are measured as those through the latent space are (`smoothness`): by the
steps between features of successive images. `largest_over_mean` is 1 where all steps are equal and S - 1
where the whole way of S images is one leap.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import safe_open

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges.extractor import load_extractor
from centigan.layout import Layout
from centigan.metrics.smoothness import steps_of
from centigan.settings.evaluation import FeatureSettings

SHEET = "between_captions"  # of the demonstration, uint8 (W, S, R, R, 3)


def measure(layout: Layout, split: str, settings: FeatureSettings) -> None:
    """Write metrics/caption_walks/{split}.parquet: walk, length, largest_step, largest_over_mean.

    Raises:
        UserError: where the demonstration has no such walks, or a feature is not a number.
    """
    walks = _walks(layout, split)
    extractor = load_extractor(settings, layout.judge)
    steps = steps_of(
        extractor, walks, "a walk between captions", progress=f"split {split}, walks between captions"
    )
    table = pd.DataFrame({"walk": np.arange(len(walks))} | steps)
    with atomic_path(layout.metric("caption_walks", split)) as temporary:
        table.to_parquet(temporary, index=False)


def _walks(layout: Layout, split: str) -> NDArray[np.uint8]:
    path = layout.demonstrations(split) / "images.safetensors"
    with safe_open(path, framework="np") as file:
        if SHEET not in file.keys():  # noqa: SIM118 -- it has no `in`
            raise UserError(f"{path} lacks {SHEET!r}; delete the folder and run again")
        walks: NDArray[np.uint8] = file.get_tensor(SHEET)
    return walks
