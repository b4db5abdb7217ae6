"""Nodes: machines or processes that judge checks for a coordinator."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

OPEN_SECONDS = 120.0
"""Time in which a node must have started and told its facts."""


class JudgeNode(Protocol):
    """A node, as the coordinator sees it; calls may overlap."""

    @property
    def name(self) -> str:
        """The name that errors and notes tell."""
        ...

    @property
    def lanes(self) -> int:
        """Number of checks that it judges at the same time."""
        ...

    def judge(self, frames: list[bytes]) -> Future[list[bytes]]:
        """Begins to judge frames of checks; the future has a frame for each, in order.

        Raises:
            Exception: the node cannot be called; so may the future.
        """
        ...

    def survives(self, error: BaseException) -> bool:
        """Whether the node can be called again after a call that failed so."""
        ...

    def replace(self) -> JudgeNode:
        """Ends what is left of a node that died or hangs, and starts another in its place.

        May take a minute. What is still sent to the old one must not reach the new one.

        Raises:
            SandboxError: it is gone for good.
        """
        ...

    def close(self) -> None:
        """Ends what judges there; a `replace` under way fails."""
        ...
