"""The generator as a model of MLflow's: this file is stored with each model, and run to load it.

Weights are read from safetensors and settings from JSON; nothing is unpickled. The package must be installed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

COLUMNS = ("class", "caption")


class Sampler(PythonModel):
    """Draws images of the classes that it is asked for."""

    def load_context(self, context: PythonModelContext) -> None:
        """Build the family and load the networks that sample, on the CPU."""
        import torch
        from safetensors.torch import load_file

        from centigan.classes import Class
        from centigan.families import build
        from centigan.generator import TrainedGenerator
        from centigan.manifest import channels_of, levels_of
        from centigan.settings.families import OfModel
        from centigan.text.stored import load_text_encoder

        facts = json.loads(Path(context.artifacts["settings"]).read_text(encoding="utf-8"))
        classes = [Class(**each) for each in facts["classes"]]
        family = build(
            OfModel.model_validate({"model": facts["model"]}).model,
            classes=len(classes),
            resolution=facts["resolution"],
            channels=channels_of(facts),
            levels=levels_of(facts),
            embedding=facts.get("embedding", 0),
            rng=torch.Generator().manual_seed(0),  # the initial weights are overwritten
        )
        for name in family.sampled:
            family.networks[name].load_state_dict(load_file(context.artifacts[name]))
        text = load_text_encoder(Path(folder)) if (folder := context.artifacts.get("text")) else None
        self.generator = TrainedGenerator(family, classes, text=text)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> NDArray[np.uint8 | np.float32]:
        """Images uint8 (N, R, R, 3) of N classes, each a name or a position within the split.

        A table's first column counts. It is called `class`, or has no name; one that is called `caption` has
        captions in place of classes. The images are those of `centigan.load(...).sample(classes, seed=...)`,
        or of its `sample_captions`. `seed` is 0 by default.

        Raises:
            MlflowException: for a class that the split does not have, a caption that cannot be read, or a
                column of another name; a server answers with its message and status 400.
        """
        from centigan.errors import UserError

        column, seed = model_input.columns[0], int((params or {}).get("seed", 0))
        draw = self.generator.sample_captions if column == "caption" else self.generator.sample
        try:
            if isinstance(column, str) and column not in COLUMNS:
                raise UserError(
                    f"the first column is called {column!r}, and it alone is read; put one first that is "
                    f"called {' or '.join(COLUMNS)}"
                )
            return draw(model_input.iloc[:, 0].tolist(), seed=seed)
        except UserError as error:  # a server tells a person no other exception's message
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None


set_model(Sampler())
