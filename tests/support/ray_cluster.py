"""A Ray cluster on this machine: a head that offers nothing, and nodes of one processor each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

RESTRICTED = Path(__file__).parent / "restricted.py"
STORE_BYTES = 80 << 20


def require_ray() -> Any:
    """The module, or a skip with the reason."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return pytest.importorskip(
        "ray", reason="Ray is not installed (pip install --group clusters): 240 MB"
    )


@contextmanager
def open_cluster(nodes: int) -> Iterator[Any]:
    """Starts a cluster; yields it. Nobody is connected to it."""
    require_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
        },
    )
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        yield cluster
    finally:
        cluster.shutdown()


@contextmanager
def open_restricted_node(address: str, refused: str) -> Iterator[None]:
    """A node more, whose kernel refuses some system calls; it is there when this is entered."""
    command = [
        sys.executable, str(RESTRICTED), refused, "ray.scripts.scripts", "start", f"--address={address}",
        "--num-cpus=1", f"--object-store-memory={STORE_BYTES}", "--block",
    ]  # fmt: skip
    environment = {**os.environ, "PATH": "/nowhere"}  # bubblewrap may be allowed what it is not
    with subprocess.Popen(
        command, env=environment, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as node:  # fmt: skip
        assert node.stdout is not None
        said = []
        for line in node.stdout:
            said.append(line)
            if "Ray runtime started" in line:
                break
        else:
            raise AssertionError("".join(said))
        try:
            yield
        finally:
            node.terminate()
