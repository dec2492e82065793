import sys
from pathlib import Path

from centigan import freshness, preflight
from centigan.former import refuse_former
from centigan.freshness import Job, first
from centigan.layout import Layout
from snakemake.cli import get_argument_parser
from snakemake.io import apply_wildcards

# of results, the shared ones first
FOLDERS = [Layout(name) for name in [PROTOCOL, *HOMES, *TRAINED]]
FOLDERS += [Layout(f"{PROTOCOL}/{STUDY}")] if STUDY else []
WRITTEN_TOGETHER = {each.name: each.output for each in workflow.rules if each.output[1:]}
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
    of_parent = any(output.startswith(f"results/{name}/") for name in PARENTS)
    if of_parent and not any(output.startswith(f"results/{name}/train/") for name in TRAINED):
        return False  # of what an experiment starts from, networks alone are made
    return any(pattern.match(output) for rule in workflow.rules for pattern in rule.output)


def written_beside(name, output):
    """What else the job that wrote an output writes now, if the workflow has its rule."""
    patterns = WRITTEN_TOGETHER.get(name, ())
    found = next((match for pattern in patterns if (match := pattern.match(output))), None)
    return (apply_wildcards(str(pattern), found.groupdict()) for pattern in patterns) if found else ()


def data_jobs():
    """What the jobs of the data stage would be made with now."""
    index = {repr(PROTOCOL), repr(stage("index")(None)), repr(source_of("data.index"))}
    arrays = {repr(stage("arrays")(None)), repr(source_of("data.arrays"))}
    commands = {name: workflow.get_rule(name).shellcmd for name in ("index", "arrays")}
    return {
        "index": Job(index, commands["index"], set(raw_files(None))),
        "arrays": Job(arrays, commands["arrays"]),
    }


def look(made):
    """Outputs to be made before all else, and why; these are made by now."""
    protocol, *experiments = FOLDERS
    indexes = [str(protocol.index(split)) for split in splits_of(PROTOCOL)]
    why = freshness.first_of_all(
        protocol, Path(DATA.root), indexes, made_here, data_jobs(), made, written_beside
    )
    for experiment in experiments:
        lost = [output for output in why if why[output] == freshness.LOST]
        why |= freshness.refresh(experiment, made_here, about_to_be_made=lost, beside=written_beside)
    return why


def ask_before_first_job():
    """Ask whether the jobs can end, once they are known."""
    build = workflow._build_dag

    def build_and_ask():
        build()
        asked = [*NAMED, *sorted(PARENTS)]
        rules = {name: set() for name in asked}
        sharing = {home: [name for name in NAMED if home_of(name) == home] for home in HOMES} | {
            PROTOCOL: NAMED
        }
        for job in workflow.dag.needrun_jobs():
            owner = owner_of(job.wildcards)
            for name in sharing.get(owner, [owner]):
                rules[name] |= {job.rule.name, getattr(job.wildcards, "metric", "")}
        look = cache(preflight.look_at_raw)
        try:
            for name in asked:
                preflight.before_first_job(
                    settings_of(name).layout,
                    settings_of(name),
                    rules=rules[name],
                    dry=words.dryrun,
                    look=look,
                )
        except UserError as error:
            raise WorkflowError(str(error)) from None

    workflow._build_dag = build_and_ask


if workflow.is_main_process and first.is_first_run():
    first.end_with_parent()
elif workflow.is_main_process and is_run(words := command_line()):
    try:
        refuse_former(Path())
        for folder in FOLDERS:
            freshness.begin(folder, published_of(folder.experiment), dry=words.dryrun)
        first.make_first(look, sys.argv[1:], words.targets, dry=words.dryrun)
        ask_before_first_job()
    except UserError as error:
        raise WorkflowError(str(error)) from None


def keep():
    """Keep what this run is about to replace until it has."""
    outputs = [str(output) for job in workflow.dag.needrun_jobs() for output in job.output]
    for folder in FOLDERS:
        freshness.keep(folder, outputs)


def end():
    """Put back what was not replaced, and note what was made."""
    for folder in FOLDERS:
        freshness.end(folder, made_here)
