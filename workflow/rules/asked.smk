"""What this run is of: the study or the experiments, their protocol, and the settings of each."""

from functools import cache

from centigan import params as reading
from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.settings.points import points, read_study
from centigan.site import site_value
from centigan.study_points import load_points
from snakemake.exceptions import WorkflowError

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
def splits_of(owner):
    """The names of all splits of an experiment, or of those of its protocol."""
    data = settings_of(owner).data
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
            load_points(STUDY)
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
    DATA, ARRAYS = settings_of(PROTOCOL).data, settings_of(PROTOCOL).arrays
except UserError as error:
    raise WorkflowError(str(error)) from None
if others:
    raise WorkflowError(
        f"--config experiment=...: one run is of one protocol, not of {', '.join([PROTOCOL, *others])}; "
        "run one after the other"
    )


@cache
def parent_of(experiment):
    """The experiment whose trained networks this one begins with; none for most."""
    return settings_of(experiment).model.parent


EXPERIMENTS = [name for name in NAMED if name != PROTOCOL]  # none: the protocol alone is prepared
PARENTS = {parent_of(name): None for name in EXPERIMENTS if parent_of(name)}.keys() - set(EXPERIMENTS)
TRAINED = [*EXPERIMENTS, *sorted(PARENTS)]  # of the latter networks alone are made


@cache
def home_of(owner):
    """Whose arrays and real images an experiment has: its protocol's, or those of other splits of a study."""
    return settings_of(owner).layout.home.experiment


HOMES = [home for home in dict.fromkeys(map(home_of, EXPERIMENTS)) if home != PROTOCOL]  # other splits
