"""A real Slurm on this machine: one slurmctld, two slurmd with fake GPUs, slurmdbd with its database.

As a program: `python tests/cluster/slurm.py up FOLDER` and `... down FOLDER`, to look at it by hand.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from cluster.accounting import DAEMONS as OF_ACCOUNTING
from cluster.accounting import IN_SLURM_CONF, Accounting

ETC = Path(
    "/etc/slurm"
)  # the executor plugin strips SLURM_CONF from its jobs: only this place is seen by all
MARK = "ClusterName=centigan-test"
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", *OF_ACCOUNTING)
CONFIGURATION = """{mark}
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
SlurmctldPort=6817
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0,requeue_delay=1
MinJobAge=900
KillWait=10
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=n[1-2] NodeHostname=localhost Port=[17001-17002] CPUs=8 RealMemory=16000 Gres=gpu:4
PartitionName=gpu Nodes=n[1-2] Default=YES MaxTime=1-0 DefaultTime=10 DefMemPerCPU=100 PriorityTier=1
PartitionName=urgent Nodes=n[1-2] MaxTime=1-0 DefMemPerCPU=100 PriorityTier=10 PreemptMode=OFF
PartitionName=nogpu Nodes=n1 MaxTime=1-0 DefMemPerCPU=100
{accounting}"""


def available() -> str | None:
    """Why no cluster can be started here; None when it can."""
    if os.geteuid() != 0:
        return "starting slurmctld takes root"
    missing = [name for name in DAEMONS if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian's packages: see .ci/run)"
    conf = ETC / "slurm.conf"
    if conf.exists() and MARK not in conf.read_text():
        return f"{conf} belongs to another cluster"
    return None


class Cluster:
    """The daemons, with their state in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.accounting = Accounting(folder, ETC)

    def up(self) -> None:
        """Start everything and wait until both nodes are idle."""
        for name in ("state", "spool/n1", "spool/n2", "dev"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(4):  # the null device stands for a GPU; a regular file is refused
            device = self.folder / "dev" / f"fakegpu{number}"
            if not device.exists():
                run("mknod", "-m", "666", device, "c", "1", "3")
        ETC.mkdir(exist_ok=True)
        (ETC / "slurm.conf").write_text(
            CONFIGURATION.format(mark=MARK, folder=self.folder, accounting=IN_SLURM_CONF)
        )
        (ETC / "gres.conf").write_text(f"NodeName=n[1-2] Name=gpu File={self.folder}/dev/fakegpu[0-3]\n")
        (ETC / "cgroup.conf").write_text("CgroupAutomount=no\n")
        if (
            not Path("/run/munge/munge.socket.2").is_socket()
            or subprocess.run(["munge", "-n"], capture_output=True).returncode
        ):
            for place in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
                run("install", "-d", "-o", "munge", "-g", "munge", "-m", "0755", place)
            run("runuser", "-u", "munge", "--", "/usr/sbin/munged", "--force")
        self.accounting.up()
        self.accounting.make_accounts()
        self.start_controller("-c")
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait_for_nodes("idle")

    def start_controller(self, *options: str) -> None:
        """Start slurmctld, which finds its jobs again; with "-c" it starts with none."""
        run("/usr/sbin/slurmctld", *options)

    def stop_controller(self) -> None:
        """An outage of slurmctld: jobs go on."""
        stop(self.folder / "slurmctld.pid")

    def stop_accounting(self) -> None:
        """An outage of slurmdbd: slurmctld keeps what it has to say until it is back."""
        stop(self.folder / "slurmdbd.pid")

    def start_node(self, node: str, hidden: Path | None = None) -> None:
        """Start a node's daemon; where a folder is to be hidden, it sees an empty one of its own there."""
        command = ["/usr/sbin/slurmd", "-N", node]
        if hidden:
            alone = 'mount -t tmpfs own "$0" && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", alone, str(hidden), *command]
        run(*command)

    def stop_node(self, node: str) -> None:
        """End a node's daemon in good order."""
        stop(self.folder / f"slurmd.{node}.pid")

    def kill_node(self, node: str) -> None:
        """kill -9 of a node's daemon and of every process below it, as a power cut would."""
        daemon = int((self.folder / f"slurmd.{node}.pid").read_text())
        jobs = out("squeue", "-h", "-t", "running", "-w", node, "-o", "%A").split()
        os.kill(daemon, signal.SIGKILL)
        for job in jobs:
            for pid in of_job(job):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def wait_for_nodes(self, state: str, count: int = 2, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(set(out("sinfo", "-h", "-N", "-t", state, "-o", "%N").split())) >= count:
                return
            time.sleep(0.1)
        raise TimeoutError(f"nodes not {state}: {out('sinfo', '-N')}")

    def down(self) -> None:
        """End all jobs and daemons."""
        subprocess.run(["scancel", "--user=root"], check=False, capture_output=True)
        for _ in range(100):
            if not out("squeue", "-h", "-t", "running,completing"):
                break
            time.sleep(0.1)
        for node in ("n1", "n2"):
            self.stop_node(node)
        self.stop_controller()
        self.stop_accounting()
        self.accounting.down()
        for name in ("slurm.conf", "gres.conf", "cgroup.conf", "slurmdbd.conf"):
            (ETC / name).unlink(missing_ok=True)


def of_job(job: str) -> list[int]:
    """Slurm's own processes of a job, then those it started: their environment says so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # ended meanwhile
        if command.startswith(f"slurmstepd: [{job}.".encode()):
            found.insert(0, int(folder.name))  # first: it would report how the others ended
        elif f"SLURM_JOB_ID={job}".encode() in environment:
            found.append(int(folder.name))
    return found


def stop(pid_file: Path) -> None:
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)
    except ProcessLookupError:
        pass


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def out(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    getattr(Cluster(Path(sys.argv[2]).resolve()), sys.argv[1])()
