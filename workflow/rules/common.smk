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
from centigan.settings.points import points, read_study
from centigan.settings.stages import STAGES
from centigan.site import IN_JOB, LOG_ALONE, prepare_scratch, site_value, visible_gpus
from snakemake.exceptions import WorkflowError
from snakemake.io import strip_wildcard_constraints
from snakemake_executor_plugin_centigan_slurm.asked import tell_asked

if unknown := config.keys() - {"experiment", "study"}:
    raise WorkflowError(
        f"--config takes only `experiment` or `study`, not {', '.join(sorted(unknown))}: "
        "edit params.yaml or the files of the experiment in experiments/"
    )


@cache
def settings_of(experiment):
    """The settings of an experiment or of the protocol alone, read when they are first asked for."""
    return reading.load(experiment)


@cache
def splits_of(protocol):
    """The names of all splits."""
    data = settings_of(protocol).data
    return split_names(data.classes, data.split_size)


def asked_for(key):
    """What `--config <key>=...` says."""
    return reading.as_written(config, key, workflow.config_settings.config_args)


def study_in_force():
    """The study that `--config study=...` names, or params.yaml, where no experiment is asked for."""
    asked, experiment = asked_for("study"), asked_for("experiment")
    if asked and experiment:
        raise UserError("--config: a study or an experiment, not both; a study's points are its experiments")
    return asked or (None if experiment else reading.study_of_params())


def named_in_config():
    """The points of a study, or what `--config experiment=...` names, several with commas between them.

    By default what params.yaml names.
    """
    if STUDY:
        found = points(STUDY)
        if workflow.is_main_process:  # a job reads no settings but its own point's
            reading.load_points(found)
        return [point.name for point in found]
    asked = asked_for("experiment")
    names = asked.split(",") if isinstance(asked, str) else [asked]
    if workflow.is_main_process or asked is None:  # a job reads no settings but its own
        names = [settings_of(name).experiment for name in names]
    return list(dict.fromkeys(names))


try:
    STUDY = study_in_force()
    NAMED = named_in_config()
    PRELUDE, SCRATCH = site_value("prelude", ""), site_value("scratch", "")
    SPLITS_PER_GPU, TRACK = site_value("splits_per_gpu", 1), site_value("track", "")
    PROTOCOL, *others = dict.fromkeys(Layout(name).shared.experiment for name in NAMED)
    DATA = settings_of(PROTOCOL).data
except UserError as error:
    raise WorkflowError(str(error)) from None
if others:
    raise WorkflowError(
        f"--config experiment=...: one run is of one protocol, not of {', '.join([PROTOCOL, *others])}; "
        "run one after the other"
    )

EXPERIMENTS = [name for name in NAMED if name != PROTOCOL]  # none: the protocol alone is prepared
EVERY_CORE = workflow.global_resources["_cores"].value or 1  # CPU threads of a job that waits for all splits
# Of a split's job: splits fill the cores side by side. Not by the number of experiments, on which no bytes may depend.
FAIR_SHARE = max(1, EVERY_CORE // len(splits_of(PROTOCOL)))
# module that puts the raw data in place; none where they are the user's own
FETCHED = {
    "digits": "data.embedded",
    "photos": "data.embedded",
    "cifar10": "data.cifar_raw",
    "cifar100": "data.cifar_raw",
}.get(DATA.source)
ON_CLUSTER = workflow.global_resources["_nodes"].value is not None
RESULT_OF = {  # a rule -> the results that tell what it made
    "judge": "results/{protocol}/judge/SHA256SUMS",
    "arrays": "results/{protocol}/arrays/{split}/SHA256SUMS",
    "features_of_real": "results/{protocol}/real/features/{split}/SHA256SUMS",
    "train": "results/{experiment}/train/{split}/SHA256SUMS",
    "sample": "results/{experiment}/samples/{split}/SHA256SUMS",
    "latent": "results/{experiment}/latent/{split}/SHA256SUMS",
    "reconstruct": "results/{experiment}/reconstructions/{split}/SHA256SUMS",
    "features": "results/{experiment}/features/{split}/SHA256SUMS",
}
DRAWN_FROM = RESULT_OF | {"train": "results/{experiment}/train/{split}/history.jsonl"}
OF_EVERY_FIGURE = [
    "results/{experiment}/summary.json",
    "results/{protocol}/classes.csv",
    "results/{protocol}/judge/manifest.json",
    "results/{experiment}/train/{split}/manifest.json",
]


wildcard_constraints:
    protocol=re.escape(PROTOCOL),
    experiment="|".join(map(re.escape, EXPERIMENTS)) or "(?!)",
    split=pattern_of(splits_of(PROTOCOL)),
    figure="|".join(catalogue.FIGURES),


def owner_of(wildcards):
    """The experiment that a job is of, or the protocol."""
    return getattr(wildcards, "experiment", None) or getattr(wildcards, "protocol", PROTOCOL)


def protocol_of(wildcards):
    return Layout(owner_of(wildcards)).shared.experiment


def of_protocol(pattern):
    """What a job reads of its protocol."""

    def of_job(wildcards):
        return expand(pattern, **(dict(wildcards.items()) | {"protocol": protocol_of(wildcards)}))

    return of_job


def of_all_splits(*patterns):
    """What a job reads of every split: files of the experiment or of its protocol."""

    @cache
    def of_owner(owner, protocol):
        return expand(patterns, protocol=protocol, experiment=owner, split=splits_of(protocol))

    return lambda wildcards: of_owner(owner_of(wildcards), protocol_of(wildcards))


def of_every_experiment(*patterns):
    """Files of all experiments in force."""
    return expand(patterns, experiment=EXPERIMENTS, split=splits_of(PROTOCOL))


JUDGE = of_protocol(RESULT_OF["judge"])


@cache
def subject_of(experiment):
    """What the models of an experiment can do, which decides what is measured and drawn of them."""
    return catalogue.subject_of_settings(settings_of(experiment))


def figures_of(experiment):
    return list(catalogue.applying(catalogue.FIGURES, subject_of(experiment)))


@cache
def measured(experiment, metrics=None, real=None):
    """The files of these metrics, or of all that apply; only those of real images, or only the others."""
    names = metrics or tuple(catalogue.applying(catalogue.METRICS, subject_of(experiment)))
    paths = catalogue.all_files(names, Layout(experiment), splits_of(PROTOCOL), real=real)
    return [str(path) for path in paths]


def measured_of_real():
    """The files of all that is measured of real images, whatever experiments there are."""
    return measured(
        PROTOCOL, tuple(name for name, metric in catalogue.METRICS.items() if metric.of_real), real=True
    )


def measured_of(wildcards):
    return measured(wildcards.experiment)


def drawn(rule, experiment):
    """What one of the rules that only some families have made, of all splits; nothing for the others."""
    if catalogue.RULES_OF_SOME[rule] not in subject_of(experiment).has:
        return []
    return expand(RESULT_OF[rule], experiment=experiment, split=splits_of(PROTOCOL))


def walks_of(wildcards):
    return drawn("latent", wildcards.experiment)


def screens():
    """Our loggers, which show what jobs write into their logs; none with `--verbose`, which shows all as it comes."""
    handlers = workflow.logger_manager.get_log_handlers()
    return [] if workflow.output_settings.verbose else [each for each in handlers if hasattr(each, "expect")]


def tell_trainings():
    """Let the screens count trainings by their iterations."""
    trainings = {}
    for experiment in EXPERIMENTS:
        for split in splits_of(PROTOCOL):
            chosen = reading.stage(settings_of(experiment), STAGES["train"], overridden(experiment, split))
            images = chosen.train.batch_size * chosen.model.batches  # an iteration
            scratch = Layout(experiment).scratch(split)
            trainings[experiment, split] = scratch, chosen.train.iterations, images
    for screen in screens():
        screen.expect(trainings)


def overridden(owner, split):
    """The split, where it has settings of its own."""
    return split if split is not None and int(split) in settings_of(owner).splits else None


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
    family, _, _ = settings_of(wildcards.experiment).model.implementation.partition(".")
    return source_of(f"families.{family}")


def network_of_features(wildcards):
    return settings_of(owner_of(wildcards)).features.network


def judge_of_features(wildcards):
    """The judge, where its network makes the features."""
    return JUDGE(wildcards) if network_of_features(wildcards) == "judge" else []


def settings_of_study(wildcards):
    return reading.canonical_json(read_study(STUDY))


def settings_of_neighbours(wildcards):
    return reading.canonical_json(settings_of(wildcards.experiment).neighbours)


def figure_settings(wildcards):
    return reading.canonical_json(getattr(settings_of(wildcards.experiment).figures, wildcards.figure))


def raw_files(wildcards):
    """What must be there before the raw data can be read, apart from the user's own images."""
    files = [f"{DATA.root}/manifest.json"] if FETCHED else []
    return [*files, DATA.order] if Path(DATA.order).is_file() else files


# What the rules `measure` and `measure_real` are for one metric, by the catalogue.
def results_of(makers, wildcards):
    """The results of these rules that a metric is measured with: of its split, or of all."""
    splits = splits_of(PROTOCOL) if wildcards.split == WHOLE else [wildcards.split]
    whose = {"experiment": owner_of(wildcards), "protocol": protocol_of(wildcards)}
    found = []
    for maker in makers:
        if maker == "judge_of_features":
            found += judge_of_features(wildcards)
        else:
            found += dict.fromkeys(expand(RESULT_OF[maker], split=splits, **whose))
    return found


def measured_with(wildcards):
    return results_of(catalogue.METRICS[wildcards.metric].reads, wildcards)


def real_measured_with(wildcards):
    return results_of(catalogue.METRICS[wildcards.metric].of_real, wildcards)


def stage_of_metric(wildcards):
    return stage(catalogue.METRICS[wildcards.metric].stage)(wildcards)


def stage_of_real_metric(wildcards):
    metric = catalogue.METRICS[wildcards.metric]
    return stage(metric.stage_of_real or metric.stage)(wildcards)


def source_of_metric(wildcards):
    """Of the metric, and of the family where that measures itself."""
    source = source_of(f"metrics.{wildcards.metric}")
    asks = "likelihood" in catalogue.METRICS[wildcards.metric].needs
    return f"{source} {source_of_family(wildcards)}" if asks else source


def split_of_metric(wildcards):
    return "" if wildcards.split == WHOLE else f"-s {wildcards.split}"


def threads_of_metric(wildcards):
    return EVERY_CORE if wildcards.split == WHOLE else FAIR_SHARE


def group_of_metric(wildcards):
    """The job of the cluster that it is part of, with all that is measured of a split, or of all together."""
    if not ON_CLUSTER:
        return None
    if catalogue.METRICS[wildcards.metric].reads == ("train",):
        return "in_training"
    return "report" if wildcards.split == WHOLE else "evaluate"


def group_of_real_metric(wildcards):
    return group_of_metric(wildcards) and ("report" if wildcards.split == WHOLE else "real")


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


def of_all_tables(pattern):
    """Every table's files but comparison.csv, which Snakemake's own report shows."""
    files = [f"{name}.{suffix}" for name, suffixes in TABLES.items() for suffix in suffixes]
    files.remove("comparison.csv")
    return expand(pattern, table=files, allow_missing=True)


def of_all_figures(pattern):
    return lambda wildcards: expand(
        pattern, figure=figures_of(wildcards.experiment), experiment=wildcards.experiment
    )


def spelt_out(target):
    """What a target on the command line stands for: the name of a rule, all that it makes."""
    if not workflow.is_rule(target) or not workflow.get_rule(target).has_wildcards():
        return [target]
    if target == "measure_real":
        return measured_of_real()
    if target == "measure":
        return [path for name in EXPERIMENTS for path in measured(name, real=False)]
    if target == "figure":
        return [f"results/{name}/figures/{figure}.svg" for name in EXPERIMENTS for figure in figures_of(name)]
    made = strip_wildcard_constraints(str(workflow.get_rule(target).output[0]))
    return expand(made, experiment=EXPERIMENTS, protocol=PROTOCOL, split=splits_of(PROTOCOL))


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
    settings = getattr(settings_of(wildcards.experiment).figures, wildcards.figure)
    summaries = [f"results/{experiment}/summary.json" for experiment in getattr(settings, "beside", ())]
    own = of_all_splits(*OF_EVERY_FIGURE)(wildcards)
    for source in catalogue.FIGURES[wildcards.figure].sources:
        if source in catalogue.METRICS:
            own = own + measured(wildcards.experiment, (source,))
        else:
            own = own + of_all_splits(DRAWN_FROM.get(source, f"results/{{experiment}}/{source}.csv"))(
                wildcards
            )
    return own + [summary for summary in summaries if Path(summary).is_file()]


def figure_caption(wildcards):
    return CAPTIONS[wildcards.figure]


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


def start_followers():
    """Export the journals to MLflow while they grow; each ends with this process, however that ends."""
    centigan = Path(sys.executable).with_name("centigan")
    for experiment in EXPERIMENTS:
        words = ["track", "-e", experiment, "--follow", "--beside", str(os.getpid())]
        log = Layout(experiment).log("track")
        subprocess.Popen([centigan, *words, "--log", log], start_new_session=True)
