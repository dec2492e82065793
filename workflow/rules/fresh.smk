import sys
from pathlib import Path

from centigan.atomic import out_of_the_way
from centigan.freshness import Job, first, keep, kept, raw, refresh, sweep
from centigan.layout import Layout
from snakemake.cli import get_argument_parser

# What was lost, and what the data stage must make anew, is made first, in a run of its own: where it comes out
# the same, nothing after it is stale. docs/decisions/0013-staleness.md
OTHER_THAN_RUNS = (
    "unlock lint list_rules list_target_rules compilation dag rulegraph filegraph d3dag summary detailed_summary"
    " report touch cleanup_metadata cleanup_shadow delete_all_output delete_temp_output archive containerize"
    " generate_unit_tests list_changes list_input_changes list_params_changes list_untracked"
).split()


def is_run(words):
    """Whether this call runs jobs, or tells which it would run."""
    running = any(Path(".snakemake/locks").glob("*"))  # its jobs are at work on what would be looked at
    return not (running or any(getattr(words, word, None) for word in OTHER_THAN_RUNS))


def made_here(output):
    return any(pattern.match(output) for rule in workflow.rules for pattern in rule.output)


def data_jobs():
    """What the jobs of the data stage would be made with now."""
    index = {repr(stage("index")(None)), repr(code_of("data.index"))}
    arrays = {repr(stage("arrays")(None)), repr(code_of("data.arrays"))}
    return {"index": Job(index, set(raw_files(None))), "arrays": Job(arrays)}


def to_make_first(layout):
    """Outputs to be made before all else, and why; told once what is gone of the raw data."""
    why = refresh(layout, made_here, data_jobs())
    indexes = of_all_splits(str(layout.index("{split}")))
    if why.keys() & set(indexes):
        return why
    changed = raw.changes(layout, Path(SETTINGS.data.root))
    if changed.index:
        return why | dict.fromkeys(indexes, "lists other raw images than there are")
    if changed.gone:
        print(
            f"{len(changed.gone)} raw files are gone from {SETTINGS.data.root}, such as {changed.gone[0]}. What was"
            " made from them is kept; to make it without them: snakemake --forcerun index",
            file=sys.stderr,
        )
    replaced = [f"{layout.arrays(split)}/SHA256SUMS" for split in changed.splits]
    return why | dict.fromkeys(replaced, "has raw images that were replaced")


def tell(why):
    for reason in sorted(set(why.values())):
        outputs = sorted(output for output in why if why[output] == reason)
        more = f" (and {len(outputs) - 1} more)" if len(outputs) > 1 else ""
        print(f"{outputs[0]}{more} {reason}: made again first", file=sys.stderr)


def make_first(words):
    """Run Snakemake for what must be made first, as often as that brings something new to light."""
    layout, before = Layout(EXPERIMENT), None
    kept.give_back(layout)
    sweep(layout)
    if layout.published.exists() and not PUBLISHED and not words.dryrun:
        out_of_the_way(layout.published)
        layout.published.unlink(missing_ok=True)  # damaged is as good as absent
    while why := to_make_first(layout):
        if why == before:
            raise WorkflowError(f"{min(why)} was made again first, and still {why[min(why)]}")
        tell(why)
        for output in () if words.dryrun else why:
            out_of_the_way(Path(output))
        own = first.words_of(sys.argv[1:], words.targets, sorted(why))
        if first.run_first([sys.executable, "-m", "snakemake", *own]):
            raise WorkflowError("What must be made first could not be made; see above")
        if words.dryrun:
            return
        raw.accept(layout, Path(SETTINGS.data.root), read=True)
        before = why


if workflow.is_main_process and first.is_first_run():
    first.end_with_parent()
elif workflow.is_main_process and is_run(words := get_argument_parser().parse_args(sys.argv[1:])):
    try:
        make_first(words)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def begin():
    """Keep what this run is about to replace until it has."""
    outputs = (str(output) for job in workflow.dag.needrun_jobs() for output in job.output)
    keep(Layout(EXPERIMENT), outputs)


def end():
    """Put back what was not replaced, and note what was made."""
    kept.give_back(Layout(EXPERIMENT))
    refresh(Layout(EXPERIMENT), made_here)
