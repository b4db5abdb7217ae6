"""A module in the place of Ray: actors are objects of this process, and each call is a thread's.

It has what our code calls of Ray 2.60, under the same names and with the same arguments; the slow tests
hold the same code against Ray itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest


class RayTaskError(Exception):
    """Ray's error of code that failed on a living actor."""


class ActorDiedError(Exception):
    """Ray's error of an actor that is gone."""


@dataclass
class NodeAffinitySchedulingStrategy:
    """Ray's way to say on which node an actor starts."""

    node_id: str
    soft: bool


@dataclass(eq=False)
class StubRef:
    """Ray's reference to a value that is on its way."""

    value: Future[Any]

    def future(self) -> Future[Any]:
        return self.value


@dataclass(eq=False)
class StubMethod:
    """A method of an actor."""

    actor: StubActor
    name: str

    def remote(self, *arguments: Any) -> StubRef:
        return StubRef(self.actor.call(self.name, arguments))


@dataclass(eq=False)
class StubActor:
    """An actor; `dead` says why it is, `act` may answer in its place."""

    body: Any
    options: dict[str, Any]
    cluster: StubRay
    dead: str = ""

    def __getattr__(self, name: str) -> StubMethod:
        return StubMethod(self, name)

    def call(self, name: str, arguments: tuple[Any, ...]) -> Future[Any]:
        return self.cluster.threads.submit(self._run, name, arguments)

    def _run(self, name: str, arguments: tuple[Any, ...]) -> Any:
        node = self.options["scheduling_strategy"].node_id
        if not self.dead:
            self.dead = self.cluster.act(node, name, arguments) or ""
        if self.dead:
            raise ActorDiedError(self.dead)
        found = getattr(self.body, name)(*arguments)
        return self.cluster.change(node, name, found)


@dataclass(eq=False)
class StubRay:
    """A cluster.

    Attributes:
        machines: processors by name; one without any is a head.
        act: gets node, method and arguments of each call; returns why the actor dies of it, if it does.
        change: gets node, method and what the call returned; returns what arrives.
    """

    machines: dict[str, float]
    threads: ThreadPoolExecutor
    act: Callable[[str, str, Any], str | None] = lambda *_: None
    change: Callable[[str, str, Any], Any] = lambda _node, _name, found: found
    actors: list[StubActor] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    connected: bool = False

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, **settings: Any) -> None:
        self.settings, self.connected = settings, True

    def shutdown(self) -> None:
        self.connected = False

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"NodeID": name, "Alive": True, "NodeManagerHostname": name, "NodeManagerAddress": "10.0.0.1",
             "Resources": {"CPU": lanes} if lanes else {}}
            for name, lanes in self.machines.items()
        ]  # fmt: skip

    def remote(self, **options: Any) -> Callable[[type], Any]:
        def make(kind: type) -> Any:
            def start(*arguments: Any) -> StubActor:
                self.actors.append(StubActor(kind(*arguments), options, self))
                return self.actors[-1]

            maker = ModuleType("maker")
            maker.remote = start  # type: ignore[attr-defined]
            return maker

        return make

    def wait(self, refs: list[StubRef], timeout: float) -> tuple[list[StubRef], list[StubRef]]:
        done = [ref for ref in refs if not isinstance(_look(ref.value, timeout), TimeoutError)]
        return done, [ref for ref in refs if ref not in done]

    def get(self, ref: StubRef) -> Any:
        return ref.value.result()

    def kill(self, actor: StubActor) -> None:
        actor.dead = actor.dead or "it was killed"

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Makes this the module `ray` of the process."""
        names = ("is_initialized", "init", "shutdown", "nodes", "remote", "wait", "get", "kill")
        module, util = ModuleType("ray"), ModuleType("ray.util")
        strategies = ModuleType("ray.util.scheduling_strategies")
        exceptions = ModuleType("ray.exceptions")
        for name in names:
            setattr(module, name, getattr(self, name))
        strategies.NodeAffinitySchedulingStrategy = NodeAffinitySchedulingStrategy  # type: ignore[attr-defined]
        exceptions.RayTaskError = RayTaskError  # type: ignore[attr-defined]
        module.exceptions, module.util = exceptions, util  # type: ignore[attr-defined]
        for each in (module, util, strategies, exceptions):
            patch.setitem(sys.modules, each.__name__, each)


def _look(future: Future[Any], timeout: float) -> BaseException | None:
    try:
        return future.exception(timeout)
    except TimeoutError as error:
        return error
