"""What the executor is told: on the command line as --centigan-slurm-<option>, in the profile likewise."""

from dataclasses import dataclass, field
from typing import Any, Optional

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def option(default: Any, text: str) -> Any:
    """A field that becomes an option; no environment variable sets it, since site.yaml does."""
    return field(default=default, metadata={"help": text, "env_var": False, "required": False})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """The executor's options; Snakemake makes an argument of each and does not know `str | None`."""

    status_command: Optional[str] = option(
        None,
        "What is asked for the state of jobs: squeue, sacct, or both: squeue, and sacct for jobs that it no "
        "longer lists. Default: both.",
    )
    seconds_between_checks: Optional[int] = option(
        5, "How often Slurm is asked; more seldom when more than 20 jobs for each of these seconds are in it."
    )
    side_by_side: Optional[str] = option(
        None, "Group whose jobs run side by side within one Slurm job; those of others run in turn."
    )
    logdir: Optional[str] = option("logs/slurm", "Folder of Slurm's logs; that of a success is removed.")
    prelude: Optional[str] = option(None, "Shell line before the commands of each job.")
    # read by the function of snakemake-executor-plugin-slurm that writes the call of sbatch
    requeue: bool = option(False, "Let Slurm start preempted jobs and those of lost nodes again.")
    no_requeue: bool = option(False, "Forbid it.")
    qos: Optional[str] = option(None, "Quality of service of every job.")
    reservation: Optional[str] = option(None, "Reservation of every job.")
