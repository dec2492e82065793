import json
import re
import sys
from pathlib import Path

from centigan import params as reading
from centigan.errors import UserError
from centigan.fingerprint import code_of
from centigan.layout import split_names
from centigan.settings import STAGES
from snakemake.exceptions import WorkflowError

if unknown := config.keys() - {"experiment"}:
    raise WorkflowError(
        f"--config takes only `experiment`, not {', '.join(sorted(unknown))}: "
        "edit params.yaml or the experiment's file in experiments/"
    )
try:
    SETTINGS = reading.load(config.get("experiment"))
except UserError as error:
    raise WorkflowError(str(error)) from None

EXPERIMENT = SETTINGS.experiment
SPLITS = split_names(SETTINGS.data.classes, SETTINGS.data.split_size)
FIGURES = list(type(SETTINGS.figures).model_fields)
EMBEDDED = SETTINGS.data.source != "folder"


wildcard_constraints:
    experiment=re.escape(EXPERIMENT),
    split="|".join(SPLITS),
    figure="|".join(FIGURES),


# `centigan` of the environment that runs Snakemake, last, so that a container's own comes first
shell.prefix(f'PATH="$PATH:{Path(sys.executable).parent}"; ')


def stage(name):
    """The settings that a stage depends on, as JSON: what triggers a rule is what its command gets."""

    def subtree(wildcards):
        split = getattr(wildcards, "split", None)
        return reading.canonical_json(reading.stage(SETTINGS, STAGES[name], split))

    return subtree


def figure_settings(wildcards):
    return reading.canonical_json(getattr(SETTINGS.figures, wildcards.figure))


def raw_tree(wildcards):
    """What must be written before the raw tree can be read: nothing, if it is the user's own."""
    return f"{SETTINGS.data.root}/manifest.json" if EMBEDDED else []


def fair_share(wildcards):
    """CPU threads of one split's job, so that the splits fill the cores side by side."""
    return max(1, (workflow.cores or 1) // len(SPLITS))


def of_all_splits(pattern):
    return expand(pattern, experiment=EXPERIMENT, split=SPLITS)
