"""The generator as a model of MLflow's: this file is stored with each model, and run to load it.

Weights are read from safetensors and settings from JSON; nothing is unpickled. The package must be installed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

CHUNK = 250  # images a forward pass


class Sampler(PythonModel):
    """Draws images of the classes that it is asked for."""

    def load_context(self, context: PythonModelContext) -> None:
        """Build the family and load the networks that sample, on the CPU."""
        import torch
        from safetensors.torch import load_file

        from centigan.families import build
        from centigan.settings.training import AcganConfig

        facts = json.loads(Path(context.artifacts["settings"]).read_text(encoding="utf-8"))
        self.classes: list[str] = facts["classes"]
        self.family = build(
            AcganConfig.model_validate(facts["model"]),
            classes=len(self.classes),
            resolution=facts["resolution"],
            rng=torch.Generator().manual_seed(0),  # the initial weights are overwritten
        )
        for name in self.family.sampled:
            self.family.networks[name].load_state_dict(load_file(context.artifacts[name]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> NDArray[np.uint8]:
        """Images uint8 (N, R, R, 3) of N classes, each the position of a class within the split.

        A table's first column counts. The same classes and the same `seed` (default 0) give the same images.

        Raises:
            ValueError: for a class that the split does not have.
        """
        import torch

        from centigan.types import to_uint8

        labels = torch.from_numpy(model_input.iloc[:, 0].to_numpy(np.int64, copy=True))
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.classes):
            raise ValueError(f"classes are 0..{len(self.classes) - 1}: {', '.join(self.classes)}")
        rng = torch.Generator().manual_seed(int((params or {}).get("seed", 0)))
        parts = [to_uint8(self.family.sample(part, rng)) for part in labels.split(CHUNK)]
        return torch.cat(parts).numpy()


set_model(Sampler())
