"""A sandbox on a Ray cluster: its machines are asked, compared and used, or refused by name."""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from pytest_coderobust.errors import MissingExtra, SandboxError, UsageError
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts, find_facts, find_tier
from pytest_coderobust.sandbox.nodes.node import OPEN_SECONDS
from pytest_coderobust.sandbox.nodes.ray_node import RayMachine, RayNode, explain, list_machines
from pytest_coderobust.sandbox.nodes.sandbox import NodeSandbox

LOCAL = "local"
"""The address of a Ray that is started on this machine, for this session alone."""
CONNECT_SECONDS = 10.0
STORE_BYTES = 100 << 20
"""Shared memory of a Ray of our own; frames hardly use it, and Ray would take a third of all."""


class RaySandbox(NodeSandbox):
    """A Sandbox whose nodes are machines of a Ray cluster.

    Args:
        disconnect: leaves the cluster, when everything is closed.
    """

    def __init__(
        self,
        nodes: Sequence[RayNode],
        facts: JudgeFacts,
        notes: Sequence[str],
        disconnect: Callable[[], None],
    ) -> None:
        super().__init__(nodes, facts, notes)
        self._disconnect = disconnect

    def close(self) -> None:
        super().close()
        self._disconnect()


def open_ray_sandbox(
    address: str = "", lanes: int | None = None, *, allow_unsafe: bool = False
) -> RaySandbox:
    """Opens a sandbox on every machine of a cluster that judges as this one does.

    Args:
        address: HOST:PORT of the cluster, or "local"; "" is the variable RAY_ADDRESS, or "local".
        lanes: checks that a machine judges at a time, at most; the default is one for each
            processor that it offers to Ray.
        allow_unsafe: as in `open_sandbox`.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: no cluster answers there.
        SandboxError: no isolation works here, or no machine there judges as this one does.
    """
    place = address or os.environ.get("RAY_ADDRESS", "") or LOCAL
    facts = find_facts(find_tier(allow_unsafe=allow_unsafe))
    ray, disconnect = connect(place)
    try:
        nodes, refused = open_nodes(ray, list_machines(ray, lanes), facts)
        if not nodes:
            told = "; ".join(refused) or "none offers a processor"
            raise SandboxError(f"no node of the Ray cluster {place!r} can judge: {told}")
    except BaseException:
        disconnect()
        raise
    total = sum(node.lanes for node in nodes)
    machines = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    notes = [f"judged by {machines} of Ray {place}, {total} checks at a time"]
    notes += [f"not used: node {each}" for each in refused]
    return RaySandbox(nodes, facts, notes, disconnect)


def open_nodes(
    ray: Any, machines: Sequence[RayMachine], facts: JudgeFacts
) -> tuple[list[RayNode], list[str]]:
    """Starts an actor on each machine; returns those that judge as here, and why others do not."""
    due = time.monotonic() + OPEN_SECONDS
    started = [RayNode(ray, machine, facts) for machine in machines]
    found: list[RayNode] = []
    refused: list[str] = []
    try:
        for node in started:
            try:
                node.confirm(due)
            except SandboxError as error:
                refused.append(f"{node.name}: {error}")
            else:
                found.append(node)
    except BaseException:  # Ctrl-C: actors would hold the machines until Ray notices
        for node in started:
            node.close()
        raise
    return found, refused


def connect(place: str) -> tuple[Any, Callable[[], None]]:
    """Connects to a cluster; returns the module, and what leaves the cluster again.

    A process that is connected already stays so, whatever the address, and is not disconnected.

    Raises:
        MissingExtra, UsageError: as `open_ray_sandbox`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported or started
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ray: Any = import_module("ray")
        except ModuleNotFoundError:
            raise MissingExtra("judging on Ray", "ray") from None
        if ray.is_initialized():
            return ray, lambda: None
        own: dict[str, object] = {}
        if place == LOCAL:
            own = {"include_dashboard": False, "object_store_memory": STORE_BYTES}
        else:
            _demand_answer(place)
        try:
            # Never a runtime_env: it would send code, and nodes have what is installed there.
            ray.init(address=place, log_to_driver=False, logging_level="ERROR", **own)
        except Exception as error:  # noqa: BLE001  foreign code, with errors of many kinds
            raise UsageError(f"Ray does not start with {place!r}: {explain(error)}") from None
    return ray, ray.shutdown


def _demand_answer(place: str) -> None:
    """Refuses an address where nobody listens, which Ray would try for minutes."""
    host, _, port = place.rpartition(":")
    try:
        if not host or not port.isdecimal():
            raise UsageError(f"Ray's address {place!r} must be HOST:PORT, or {LOCAL!r}")
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError, ValueError) as error:  # a name may be none that DNS can have
        raise UsageError(f"no Ray cluster answers at {place!r}: {error}") from None
