"""Accounting for the test cluster: MariaDB on a socket and a loopback port, and slurmdbd."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

DAEMONS = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb")
DATABASE = """[mariadbd]
user=root
datadir={folder}/mysql
socket={folder}/mysql/socket
pid-file={folder}/mysql/pid
bind-address=127.0.0.1
port={port}
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
innodb_lock_wait_timeout=900
skip-log-bin
log-error={folder}/mysql/errors.log
"""
SLURMDBD = """AuthType=auth/munge
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=6819
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""
IN_SLURM_CONF = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=6819
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
"""


class Accounting:
    """The database and the daemon before it."""

    def __init__(self, folder: Path, etc: Path) -> None:
        self.folder, self.etc = folder, etc

    def up(self) -> None:
        """Start both, as root: pytest's folders are for nobody else."""
        data = self.folder / "mysql"
        options = self.folder / "my.cnf"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options.write_text(DATABASE.format(folder=self.folder, port=port))
        if not data.exists():
            data.mkdir()
            install = ["mariadb-install-db", f"--defaults-file={options}", "--skip-test-db"]
            subprocess.run(
                [*install, "--auth-root-authentication-method=socket"], check=True, capture_output=True
            )
        daemon = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
        in_background = 'setsid "$0" "$@" >/dev/null 2>&1 &'
        subprocess.run(["sh", "-c", in_background, str(daemon), f"--defaults-file={options}"], check=True)
        client = ["mariadb", f"--socket={data}/socket"]
        user = "'slurm'@'localhost'"
        sql = "create database if not exists slurm_acct_db; "
        sql += (
            f"create user if not exists {user} identified by 'slurm'; grant all on slurm_acct_db.* to {user}"
        )
        answering([*client, "--execute", sql])
        (self.etc / "slurmdbd.conf").write_text(SLURMDBD.format(folder=self.folder, port=port))
        (self.etc / "slurmdbd.conf").chmod(0o600)
        self.start_daemon()

    def start_daemon(self) -> None:
        """Start slurmdbd and wait until it answers."""
        subprocess.run(["/usr/sbin/slurmdbd"], check=True)
        answering(["sacctmgr", "--noheader", "list", "cluster"])

    def make_accounts(self) -> None:
        """The cluster, an account, and root as its user."""
        manager = ["sacctmgr", "--immediate", "add"]
        for words in (
            ["cluster", "centigan-test"],
            ["account", "gan", "cluster=centigan-test"],
            ["user", "root", "account=gan", "defaultaccount=gan", "cluster=centigan-test"],
        ):
            subprocess.run([*manager, *words], check=False, capture_output=True)  # there already: no matter

    def down(self) -> None:
        """End the database; slurmdbd has ended."""
        pid = self.folder / "mysql/pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            while pid.exists():
                time.sleep(0.1)


def answering(command: list[str], seconds: float = 60) -> None:
    """Try a command until it succeeds."""
    end = time.monotonic() + seconds
    while (tried := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        if time.monotonic() > end:
            raise TimeoutError(f"{command[0]}: {tried.stderr}")
        time.sleep(0.1)
