import argparse
import os
import subprocess
import sys
from pathlib import Path

from centigan.freshness import raw, refresh
from centigan.layout import Layout
from snakemake.cli import get_argument_parser

# What was lost is made first, in a run of its own: where it comes out the same, nothing after it is stale,
# while in one run Snakemake makes everything again that follows. docs/decisions/0013-staleness.md
FIRST_RUN = "CENTIGAN_FIRST_RUN"
OTHER_THAN_RUNS = set(
    "--unlock --lint --list -l --list-target-rules --lt --print-compilation --dag --rulegraph --filegraph"
    " --d3dag --summary -S --detailed-summary -D --report --touch -t --cleanup-metadata --cm --cleanup-shadow"
    " --delete-all-output --delete-temp-output --archive --containerize --generate-unit-tests --list-changes"
    " --lc --list-input-changes --li --list-params-changes --lp --list-untracked --lu".split()
)


def is_run():
    words = {word.partition("=")[0] for word in sys.argv[1:]}
    running = any(Path(".snakemake/locks").glob("*"))  # its jobs are at work on what would be looked at
    return not (words & OTHER_THAN_RUNS or running or FIRST_RUN in os.environ)


def made_here(output):
    return any(pattern.match(output) for rule in workflow.rules for pattern in rule.output)


def of_first_run(words):
    """This run's own words, without its targets and what it forces."""
    chosen = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for names in (("--forcerun", "-R"), ("--until", "-U"), ("--omit-from", "-O"), ("--allowed-rules",)):
        chosen.add_argument(*names, nargs="*")
    for names in (("--forceall", "-F"), ("--force", "-f")):
        chosen.add_argument(*names, action="store_true")
    _, rest = chosen.parse_known_args(words)
    targets = get_argument_parser().parse_args(words).targets
    return [word for word in rest if word not in targets]


def run_first(outputs):
    command = [sys.executable, "-m", "snakemake", *outputs, "--force", *of_first_run(sys.argv[1:])]
    if subprocess.run(command, env={**os.environ, FIRST_RUN: "1"}).returncode:
        raise WorkflowError("What was lost could not be made again; see above")


def make_fresh():
    layout = Layout(EXPERIMENT)
    why = dict.fromkeys(refresh(layout, made_here), "is gone, or is not what its job wrote")
    changed = raw.changes(layout)
    if changed.index:
        why |= dict.fromkeys(
            of_all_splits(str(layout.index("{split}"))), "lists other raw images than there are"
        )
    why |= {f"{layout.arrays(s)}/SHA256SUMS": "has raw images that were replaced" for s in changed.splits}
    for output, reason in sorted(why.items()):
        print(f"{output} {reason}: made again first", file=sys.stderr)
    if why:
        run_first(sorted(why))
        refresh(layout, made_here)
        if not workflow.dryrun:
            raw.accept(layout, read=True)


if workflow.is_main_process and is_run():
    try:
        make_fresh()
    except UserError as error:
        raise WorkflowError(str(error)) from None
