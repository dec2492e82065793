"""Snakemake's executor `centigan-slurm`, which the profile `slurm` names.

It builds on snakemake-executor-plugin-slurm, and differs in what runs of days on a shared cluster ask for: a
job runs its commands without a Snakemake of its own, an outage of Slurm is waited for, every word for an end
is understood, Ctrl-C answers at once. docs/decisions/0021-own-slurm-executor.md says why.
"""

from snakemake_executor_plugin_centigan_slurm.executor import Executor
from snakemake_executor_plugin_centigan_slurm.options import ExecutorSettings, common_settings

__all__ = ["Executor", "ExecutorSettings", "common_settings"]
