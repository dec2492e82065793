"""What rules share: names of results, and what a job's wildcards stand for."""

import os
import re
from pathlib import Path

from centigan import catalogue
from centigan.fingerprint import remembered_code_of
from centigan.layout import WHOLE, pattern_of
from centigan.manifest import read_published
from centigan.redaction import mark
from centigan.settings.families.contract import ByCaption
from centigan.settings.data import STORED_SIDE
from centigan.settings.sources import about, files_of
from centigan.settings.stages import STAGES

EVERY_CORE = workflow.global_resources["_cores"].value or 1  # CPU threads of a job that waits for all splits
# Of a split's job: splits fill the cores side by side. Not by the number of experiments, on which no bytes may depend.
# Of points and of images of 8 px one: their networks are too small for two threads to share a step.
TINY = DATA.kind == "points" or ARRAYS.resolution == STORED_SIDE
FAIR_SHARE = 1 if TINY else max(1, EVERY_CORE // len(splits_of(PROTOCOL)))
# module that puts the raw data in place; none where they are the user's own
FETCHED = about(DATA.source).put_by
FETCHED_AS = files_of(DATA.source)  # two sources of the same files fetch them once
ON_CLUSTER = workflow.global_resources["_nodes"].value is not None
OTHER_HOME = "|".join(map(re.escape, HOMES)) or "(?!)"
ANY_HOME = "|".join(map(re.escape, [PROTOCOL, *HOMES]))
EVERY_SPLIT = "[0-9]+" if HOMES else pattern_of(splits_of(PROTOCOL))
RESULT_OF = {  # a rule -> the results that tell what it made
    "judge": "results/{protocol}/judge/SHA256SUMS",
    "arrays": "results/{home}/arrays/{split}/SHA256SUMS",
    "text": "results/{protocol}/text/SHA256SUMS",
    "embed": "results/{home}/captions/{split}/SHA256SUMS",
    "features_of_real": "results/{home}/real/features/{split}/SHA256SUMS",
    "train": "results/{experiment}/train/{split}/SHA256SUMS",
    "sample": "results/{experiment}/samples/{split}/SHA256SUMS",
    "latent": "results/{experiment}/latent/{split}/SHA256SUMS",
    "reconstruct": "results/{experiment}/reconstructions/{split}/SHA256SUMS",
    "demonstrate": "results/{experiment}/demonstrations/{split}/SHA256SUMS",
    "features": "results/{experiment}/features/{split}/SHA256SUMS",
}


wildcard_constraints:
    protocol=re.escape(PROTOCOL),
    experiment="|".join(map(re.escape, TRAINED)) or "(?!)",
    split=EVERY_SPLIT,
    figure="|".join(catalogue.FIGURES),


def features_that_text_sees(wildcards):
    """Features of real images, where the text encoder is learnt with those in place of images."""
    by_features = settings_of(PROTOCOL).text.images == "features"
    return of_all_splits(RESULT_OF["features_of_real"])(wildcards) if by_features else []


def captions_of(wildcards):
    """Embedded captions of a split, where the family of an experiment is given them."""
    if not isinstance(settings_of(wildcards.experiment).model, ByCaption):
        return []
    return expand(RESULT_OF["embed"], home=home_of(wildcards.experiment), split=wildcards.split)


def begun_with(wildcards):
    """The networks that a training begins with, where another experiment trained them."""
    parent = parent_of(wildcards.experiment)
    return expand(RESULT_OF["train"], experiment=parent, split=wildcards.split) if parent else []


def owner_of(wildcards):
    """The experiment that a job is of, or the protocol, or the home of other splits than those."""
    return getattr(wildcards, "experiment", None) or getattr(wildcards, "protocol", PROTOCOL)


def protocol_of(wildcards):
    return Layout(owner_of(wildcards)).shared.experiment


def of_protocol(pattern):
    """What a job reads of its protocol, or of its arrays' home."""

    def of_job(wildcards):
        whose = {"protocol": protocol_of(wildcards), "home": home_of(owner_of(wildcards))}
        return expand(pattern, **(dict(wildcards.items()) | whose))

    return of_job


def of_all_splits(*patterns):
    """What a job reads of every split: files of the experiment or of its protocol."""

    @cache
    def of_owner(owner, protocol):
        whose = {"protocol": protocol, "home": home_of(owner), "experiment": owner}
        return expand(patterns, split=splits_of(owner), **whose)

    return lambda wildcards: of_owner(owner_of(wildcards), protocol_of(wildcards))


def of_every_experiment(*patterns):
    """Files of all experiments in force."""
    return [path for name in EXPERIMENTS for path in expand(patterns, experiment=name, split=splits_of(name))]


JUDGE = of_protocol(RESULT_OF["judge"])


def overridden(owner, split):
    """The split, where it has settings of its own."""
    return split if split is not None and int(split) in settings_of(owner).splits else None


@cache
def stage(name):
    """The settings that a stage depends on, as JSON: what triggers a rule is what its command gets."""

    @cache
    def subtree(owner, split):
        return reading.canonical_json(reading.stage(settings_of(owner), STAGES[name], split))

    def of_job(wildcards):
        owner = owner_of(wildcards)
        split = getattr(wildcards, "split", WHOLE)
        return subtree(owner, None if split == WHOLE else overridden(owner, split))

    return of_job


def every_setting(wildcards):
    """All settings as JSON; of a function, since in a text Snakemake takes a title's {word} for a wildcard."""
    return reading.canonical_json(settings_of(wildcards.experiment))


@cache
def source_of(module):
    """Hash of the source behind a command; the file spares every start the parsing."""
    return remembered_code_of(module, Path(".snakemake/centigan/.source.json"))


def source_of_family(wildcards):
    """Hash of the source of the experiment's own family: another family makes nothing stale."""
    experiment = wildcards.experiment
    owners = [experiment, parent_of(experiment)] if parent_of(experiment) else [experiment]
    modules = (settings_of(owner).model.implementation.partition(".")[0] for owner in owners)
    return " ".join(source_of(f"families.{module}") for module in modules)


def network_of_features(wildcards):
    return settings_of(owner_of(wildcards)).features.network


def raw_files(wildcards):
    """What must be there before the raw data can be read, apart from the user's own images."""
    files = [f"{DATA.root}/manifest.json"] if FETCHED else []
    return [*files, DATA.order] if Path(DATA.order).is_file() else files


def attempt(wildcards):
    """The number of this try: mlflow.json's own, one more when that tells of an incomplete export or another store.

    It is a param: what the store lacks makes the rule stale, until an export, also by hand, is complete. Where no
    store is named, as in a reader's clone, published results are published, wherever that was.
    """
    published = published_of(getattr(wildcards, "experiment", f"{PROTOCOL}/{STUDY}"))
    store = os.environ.get("MLFLOW_TRACKING_URI")
    elsewhere = bool(published and store) and published.get("store") != mark(store)
    return published.get("attempt", 0) + (elsewhere or not published.get("complete", True))


@cache
def published_of(experiment):
    """What mlflow.json told when this run began."""
    return read_published(Layout(experiment).published)
