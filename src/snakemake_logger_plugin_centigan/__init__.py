"""Snakemake's logger `centigan`, which the default profile names: what a run prints for people.

A line for a job that ends, how much of the work is done, and at the end what a person needs next. Loaded with
every Snakemake, so the heavy parts are imported by the run that shows them. Snakemake's own words stay in
.snakemake/log, and on the screen with `--verbose`. docs/decisions/0022-own-logger.md says why.
"""

from snakemake_logger_plugin_centigan.handler import LogHandler

__all__ = ["LogHandler"]
