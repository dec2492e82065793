import gc
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from centigan import catalogue, params as reading
from centigan.errors import UserError
from centigan.fingerprint import remembered_code_of
from centigan.layout import TABLES, WHOLE, Layout, pattern_of, split_names
from centigan.manifest import read_published
from centigan.redaction import mark
from centigan.reporting.captions import CAPTIONS
from centigan.settings.stages import STAGES
from centigan.site import IN_JOB, LOG_ALONE, prepare_scratch, site_value, visible_gpus
from snakemake.exceptions import WorkflowError
from snakemake.io import strip_wildcard_constraints
from snakemake_executor_plugin_centigan_slurm.asked import tell_asked

if unknown := config.keys() - {"experiment"}:
    raise WorkflowError(
        f"--config takes only `experiment`, not {', '.join(sorted(unknown))}: "
        "edit params.yaml or the experiment's file in experiments/"
    )
try:
    SETTINGS = reading.load(reading.as_written(config, "experiment", workflow.config_settings.config_args))
    PRELUDE, SCRATCH = site_value("prelude", ""), site_value("scratch", "")
    SPLITS_PER_GPU, TRACK = site_value("splits_per_gpu", 1), site_value("track", "")
except UserError as error:
    raise WorkflowError(str(error)) from None

EXPERIMENT = SETTINGS.experiment
SPLITS = split_names(SETTINGS.data.classes, SETTINGS.data.split_size)
PUBLISHED = read_published(Path(f"results/{EXPERIMENT}/mlflow.json"))
EVERY_CORE = workflow.global_resources["_cores"].value or 1  # CPU threads of a job that waits for all splits
FAIR_SHARE = max(1, EVERY_CORE // len(SPLITS))  # of a split's job: splits fill the cores side by side
# module that puts the raw data in place; none where they are the user's own
FETCHED = {
    "digits": "data.embedded",
    "photos": "data.embedded",
    "cifar10": "data.cifar_raw",
    "cifar100": "data.cifar_raw",
}.get(SETTINGS.data.source)
ON_CLUSTER = workflow.global_resources["_nodes"].value is not None
SAMPLED = [f"samples/{split}/SHA256SUMS" for split in SPLITS]
ARRAYS = [f"arrays/{split}/SHA256SUMS" for split in SPLITS]
SUBJECT = catalogue.subject_of_settings(SETTINGS)
METRICS = catalogue.applying(catalogue.METRICS, SUBJECT)
METRICS_OF_REAL = [name for name, metric in METRICS.items() if metric.of_real]
FIGURES = list(catalogue.applying(catalogue.FIGURES, SUBJECT))
WALKS = [f"latent/{split}/SHA256SUMS" for split in SPLITS if "latent" in SUBJECT.has]
SOURCES = {  # what the catalogue calls a figure's sources -> files, beside metrics and tables
    "sample": SAMPLED,
    "arrays": ARRAYS,
    "latent": WALKS,
    "train": [f"train/{split}/history.jsonl" for split in SPLITS],
}


wildcard_constraints:
    experiment=re.escape(EXPERIMENT),
    split=pattern_of(SPLITS),
    figure="|".join(FIGURES),


def screens():
    """Our loggers, which show what jobs write into their logs; none with `--verbose`, which shows all as it comes."""
    handlers = workflow.logger_manager.get_log_handlers()
    return [] if workflow.output_settings.verbose else [each for each in handlers if hasattr(each, "expect")]


def tell_trainings():
    """Let the screen count trainings by their iterations."""
    trainings = {split: reading.stage(SETTINGS, STAGES["train"], split).train for split in SPLITS}
    sizes = {split: (each.iterations, each.batch_size) for split, each in trainings.items()}
    for screen in screens():
        screen.expect(Layout(EXPERIMENT), sizes)


# `centigan` of the environment that runs Snakemake, last, so that a container's own comes first; a line of its
# own for the site's prelude, whatever that ends with. Snakemake would fill braces in.
shell.prefix(
    (
        f'PATH="$PATH:{Path(sys.executable).parent}"; '
        + (f"export {LOG_ALONE}=1; " if screens() else "")
        + ("" if workflow.is_main_process else f"export {IN_JOB}=1; ")
        + (f"{PRELUDE}\n" if PRELUDE else "")
    )
    .replace("{", "{{")
    .replace("}", "}}")
)


@cache
def stage(name):
    """The settings that a stage depends on, as JSON: what triggers a rule is what its command gets."""

    @cache
    def subtree(split):
        return reading.canonical_json(reading.stage(SETTINGS, STAGES[name], split))

    def of_job(wildcards):
        split = getattr(wildcards, "split", WHOLE)
        return subtree(split if split != WHOLE and int(split) in SETTINGS.splits else None)

    return of_job


def measured(metrics, real=None):
    """The files of these metrics; only those of real images, or only the others."""
    layout = Layout("{experiment}")
    return [str(path) for path in catalogue.all_files(metrics, layout, SPLITS, real=real)]


def every_setting(wildcards):
    """All settings as JSON; of a function, since in a text Snakemake takes a title's {word} for a wildcard."""
    return reading.canonical_json(SETTINGS)


def source_of(module):
    """Hash of the source behind a command; the file spares every start the parsing."""
    return remembered_code_of(module, Path(".snakemake/centigan/.source.json"))


def source_of_family():
    """Hash of the source of the experiment's own family: another family makes nothing stale."""
    family, _, _ = SETTINGS.model.implementation.partition(".")
    return source_of(f"families.{family}")


def judge_of_features(wildcards):
    """The judge, where its network makes the features."""
    path = f"results/{wildcards.experiment}/judge/SHA256SUMS"
    return [path] if SETTINGS.features.network == "judge" else []


def figure_settings(wildcards):
    return reading.canonical_json(getattr(SETTINGS.figures, wildcards.figure))


def raw_files(wildcards):
    """What must be there before the raw data can be read, apart from the user's own images."""
    files = [f"{SETTINGS.data.root}/manifest.json"] if FETCHED else []
    return [*files, SETTINGS.data.order] if Path(SETTINGS.data.order).is_file() else files


def check_site():
    """Make sure of what the site's values can be."""
    if SPLITS_PER_GPU < 1:
        raise WorkflowError(f"splits_per_gpu must be at least 1, not {SPLITS_PER_GPU}")
    if TRACK not in ("", "follow"):
        raise WorkflowError(f"track must be `follow` or empty, not {TRACK!r}")


def limit_jobs():
    """Let no more trainings share a local GPU than `splits_per_gpu`.

    A cluster counts its own GPUs; and its jobs have as many CPUs as the profile says, however few this node has.
    """
    if ON_CLUSTER:
        workflow.global_resources["_cores"] = sys.maxsize
    elif visible_gpus() and "gpu_seats" not in workflow.global_resources:
        workflow.register_resource("gpu_seats", visible_gpus() * SPLITS_PER_GPU)


check_site()
limit_jobs()
gc.set_threshold(100_000, 50)  # the graph's objects stay: looking for garbage among them finds none


def of_all_splits(pattern):
    return expand(pattern, split=SPLITS, allow_missing=True)


def of_all_tables(pattern):
    """Every table's files but comparison.csv, which Snakemake's own report shows."""
    files = [f"{name}.{suffix}" for name, suffixes in TABLES.items() for suffix in suffixes]
    files.remove("comparison.csv")
    return expand(pattern, table=files, allow_missing=True)


def of_all_figures(pattern):
    return expand(pattern, figure=FIGURES, allow_missing=True)


def spelt_out(target):
    """What a target on the command line stands for: the name of a rule, all that it makes."""
    if not workflow.is_rule(target) or not workflow.get_rule(target).has_wildcards():
        return [target]
    if target in {"measure", "measure_real"}:
        return expand(measured(METRICS, real=target == "measure_real"), experiment=EXPERIMENT)
    made = strip_wildcard_constraints(str(workflow.get_rule(target).output[0]))
    return expand(made, experiment=EXPERIMENT, split=SPLITS, figure=FIGURES)


def take_rules_as_words():
    """Let `snakemake train` or `snakemake judge` make all splits, where Snakemake would refuse the wildcards.

    It hands its workflow the targets only after it has read this file, hence the wrapping.
    """
    prepare = workflow._prepare_dag

    def prepare_spelt_out(*args, **kwargs):
        targets = workflow.dag_settings.targets
        workflow.dag_settings.targets = {each for target in targets for each in spelt_out(target)}
        return prepare(*args, **kwargs)

    workflow._prepare_dag = prepare_spelt_out


def figure_sources(wildcards):
    """The files that one figure is drawn from; an experiment beside this one that is not run has none."""
    sources = ["summary.json", "classes.csv", "judge/manifest.json", f"train/{SPLITS[0]}/manifest.json"]
    for source in catalogue.FIGURES[wildcards.figure].sources:
        if source in METRICS:
            sources += [path.removeprefix("results/{experiment}/") for path in measured([source])]
        else:
            sources += SOURCES.get(source, [f"{source}.csv"])
    beside = getattr(getattr(SETTINGS.figures, wildcards.figure), "beside", ())
    summaries = [f"results/{experiment}/summary.json" for experiment in beside]
    own = [f"results/{wildcards.experiment}/{source}" for source in sources]
    return own + [summary for summary in summaries if Path(summary).is_file()]


def figure_caption(wildcards):
    return CAPTIONS[wildcards.figure]


def attempt():
    """The number of this try: mlflow.json's own, one more when that tells of an incomplete export or another store.

    It is a param: what the store lacks makes the rule stale, until an export, also by hand, is complete. Where no
    store is named, as in a reader's clone, published results are published, wherever that was.
    """
    store = os.environ.get("MLFLOW_TRACKING_URI")
    elsewhere = bool(PUBLISHED and store) and PUBLISHED.get("store") != mark(store)
    return PUBLISHED.get("attempt", 0) + (elsewhere or not PUBLISHED.get("complete", True))


def start_follower():
    """Export the journals to MLflow while they grow; it ends with this process, however that ends."""
    centigan = Path(sys.executable).with_name("centigan")
    words = ["track", "-e", EXPERIMENT, "--follow", "--beside", str(os.getpid())]
    subprocess.Popen([centigan, *words, "--log", f"logs/{EXPERIMENT}/track.log"], start_new_session=True)
