import sys
from pathlib import Path

from centigan import freshness, preflight
from centigan.freshness import Job, first
from centigan.layout import Layout
from snakemake.cli import get_argument_parser

OTHER_THAN_RUNS = (
    "unlock lint list_rules list_target_rules print_compilation dag rulegraph filegraph d3dag summary"
    " detailed_summary report touch cleanup_metadata cleanup_shadow delete_all_output delete_temp_output archive"
    " containerize generate_unit_tests list_changes list_input_changes list_params_changes list_untracked"
    " list_conda_envs conda_cleanup_envs container_cleanup_images"
).split()


@cache
def command_line():
    """The words of this call, read once."""
    return get_argument_parser().parse_args(sys.argv[1:])


def is_run(words):
    """Whether this call runs jobs, or tells which it would run."""
    running = any(Path(".snakemake/locks").glob("*"))  # its jobs are at work on what would be looked at
    return not (running or any(vars(words).get(word) for word in OTHER_THAN_RUNS))


def made_here(output):
    return any(pattern.match(output) for rule in workflow.rules for pattern in rule.output)


def data_jobs():
    """What the jobs of the data stage would be made with now."""
    index = {repr(EXPERIMENT), repr(stage("index")(None)), repr(source_of("data.index"))}
    arrays = {repr(stage("arrays")(None)), repr(source_of("data.arrays"))}
    commands = {name: workflow.get_rule(name).shellcmd for name in ("index", "arrays")}
    return {
        "index": Job(index, commands["index"], set(raw_files(None))),
        "arrays": Job(arrays, commands["arrays"]),
    }


def look(made):
    """Outputs to be made before all else, and why; these are made by now."""
    layout, root = Layout(EXPERIMENT), Path(SETTINGS.data.root)
    indexes = of_all_splits(str(layout.index("{split}")))
    return freshness.first_of_all(layout, root, indexes, made_here, data_jobs(), made)


def ask_before_first_job():
    """Ask whether the jobs can end, once they are known."""
    build = workflow._build_dag

    def build_and_ask():
        build()
        jobs = list(workflow.dag.needrun_jobs())
        rules = {job.rule.name for job in jobs} | {getattr(job.wildcards, "metric", "") for job in jobs}
        try:
            preflight.before_first_job(Layout(EXPERIMENT), SETTINGS, rules=rules, dry=words.dryrun)
        except UserError as error:
            raise WorkflowError(str(error)) from None

    workflow._build_dag = build_and_ask


if workflow.is_main_process and first.is_first_run():
    first.end_with_parent()
elif workflow.is_main_process and is_run(words := command_line()):
    try:
        freshness.begin(Layout(EXPERIMENT), PUBLISHED, dry=words.dryrun)
        first.make_first(look, sys.argv[1:], words.targets, dry=words.dryrun)
        ask_before_first_job()
    except UserError as error:
        raise WorkflowError(str(error)) from None


def keep():
    """Keep what this run is about to replace until it has."""
    outputs = (str(output) for job in workflow.dag.needrun_jobs() for output in job.output)
    freshness.keep(Layout(EXPERIMENT), outputs)


def end():
    """Put back what was not replaced, and note what was made."""
    freshness.end(Layout(EXPERIMENT), made_here)
