"""A SLURM cluster of one node, which is this machine: both daemons, in a folder of their own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("slurmctld", "slurmd", "sbatch", "scontrol")

_CONFIGURATION = """
ClusterName=shards
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmctldPort={control}
SlurmdPort={work}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def explain_absence() -> str:
    """Why no cluster can be started here, or ""."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not on PATH (Debian: apt-get install slurm-wlm)"
    return "" if os.getuid() == 0 else "slurmd starts jobs as root alone"


@contextmanager
def running_node(folder: Path) -> Generator[dict[str, str]]:
    """Starts the daemons; gives the environment in which SLURM's commands find them."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    file = folder / "slurm.conf"
    control, work = _free_port(), _free_port()
    file.write_text(
        _CONFIGURATION.format(
            host=host,
            user=getpass.getuser(),
            folder=folder,
            control=control,
            work=work,
            cores=os.cpu_count(),
        )
    )
    environment = {**os.environ, "SLURM_CONF": str(file)}
    daemons = [
        subprocess.Popen(
            [*words], env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for words in (("slurmctld", "-D", "-c"), ("slurmd", "-D", "-N", host))
    ]
    try:
        _wait_for_node(environment, daemons, folder)
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            daemon.wait()


def _wait_for_node(
    environment: dict[str, str], daemons: list[subprocess.Popen[bytes]], folder: Path
) -> None:
    """Waits until the node takes jobs; a daemon that ends is an error."""
    while True:
        told = subprocess.run(
            ["scontrol", "--oneliner", "show", "nodes"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        if "State=IDLE " in told:
            return
        if any(daemon.poll() is not None for daemon in daemons):
            logs = "".join(path.read_text() for path in folder.glob("*.log"))
            raise AssertionError(f"a daemon ended: {logs}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
