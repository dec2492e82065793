"""How a run is set up: its shell, its limits, its screens, and rules named as targets."""

import gc
import subprocess
import sys

from centigan import warm_start
from centigan.site import IN_JOB, LOG_ALONE, visible_gpus
from snakemake.io import strip_wildcard_constraints


def screens():
    """Our loggers, which show what jobs write into their logs; none with `--verbose`, which shows all as it comes."""
    handlers = workflow.logger_manager.get_log_handlers()
    return [] if workflow.output_settings.verbose else [each for each in handlers if hasattr(each, "expect")]


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


def spelt_out(target):
    """What a target on the command line stands for: the name of a rule, all that it makes."""
    if not workflow.is_rule(target) or not workflow.get_rule(target).has_wildcards():
        return [target]
    homes = list(dict.fromkeys(map(home_of, EXPERIMENTS or [PROTOCOL])))
    if target == "measure_real":
        return [path for home in homes for path in measured_of_real(home)]
    if target == "measure":
        return [path for name in EXPERIMENTS for path in measured(name, real=False)]
    if target == "figure":
        return [f"results/{name}/figures/{figure}.svg" for name in EXPERIMENTS for figure in figures_of(name)]
    made = strip_wildcard_constraints(str(workflow.get_rule(target).output[0]))
    of_homes = {"features_of_real": homes, "group": HOMES, "gather": HOMES}
    owners = EXPERIMENTS if "{experiment}" in made else of_homes.get(target, [PROTOCOL])
    return [
        path
        for owner in owners
        for path in expand(made, experiment=owner, protocol=owner, split=splits_of(owner))
    ]


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


def tell_trainings():
    """Let the screens count trainings by their iterations."""
    trainings = {}
    for experiment in TRAINED:
        for split in splits_of(experiment):
            chosen = reading.stage(settings_of(experiment), STAGES["train"], overridden(experiment, split))
            images = chosen.train.batch_size * chosen.model.batches  # an iteration
            scratch = Layout(experiment).scratch(split)
            trainings[experiment, split] = scratch, chosen.train.iterations, images
    for screen in screens():
        screen.expect(trainings)


def start_warm():
    """Let jobs be forked from one process; not where another machine, environment or container runs them."""
    if not (ON_CLUSTER or PRELUDE or workflow.deployment_settings.deployment_method):
        jobs = len(list(workflow.dag.needrun_jobs()))
        warm_start.begin(jobs, log=Path(".snakemake/centigan/warm_start.log"))


def start_follower():
    """Export the journals to MLflow while they grow; it ends with this process, however that ends."""
    centigan = Path(sys.executable).with_name("centigan")
    words = ["track", "-e", ",".join(EXPERIMENTS), "--follow", "--beside", str(os.getpid())]
    log = Layout(PROTOCOL if EXPERIMENTS[1:] else EXPERIMENTS[0]).log("track")
    subprocess.Popen([centigan, *words, "--log", log], start_new_session=True)
