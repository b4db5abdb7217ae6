"""Calls of a function with the outcomes that were seen, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_coderobust.harvest.spelling import write_value

TaggedValue = Any
"""A value as the sandbox's wire has it: tagged JSON."""


@dataclass(frozen=True, slots=True)
class HarvestCall:
    """The arguments of a call.

    Attributes:
        args: by position, tagged.
        kwargs: by name, tagged.
        state: of the object whose method is called, tagged; None for a function.
    """

    args: tuple[TaggedValue, ...] = ()
    kwargs: Mapping[str, TaggedValue] = field(default_factory=dict[str, TaggedValue])
    state: Mapping[str, TaggedValue] | None = None

    @property
    def text(self) -> str:
        """All of it as text; equal calls have the same. Raises UnwritableError."""
        state = "" if self.state is None else f"{write_state(self.state)} "
        return f"{state}{self.write_arguments()}"

    def write_arguments(self) -> str:
        """Writes the arguments as source, as they stand in a call. Raises UnwritableError."""
        named = (f"{name}={write_value(value)}" for name, value in self.kwargs.items())
        return ", ".join([*map(write_value, self.args), *named])


def write_state(state: Mapping[str, TaggedValue]) -> str:
    """Writes a state as a dictionary. Raises UnwritableError."""
    items = (f"{name!r}: {write_value(value)}" for name, value in sorted(state.items()))
    return f"{{{', '.join(items)}}}"


@dataclass(frozen=True, slots=True)
class HarvestCase:
    """A call and its outcome.

    Attributes:
        raised: the name of the exception that it raised; "" for none.
        value: the result, tagged.
        after: the arguments by position after the call, where it changed them.
        state_after: the state after the call, where it changed.
        arcs: pairs of lines that it ran one after the other in the function's body.
        recorded: it was seen while tests ran, rather than drawn.
    """

    call: HarvestCall
    raised: str = ""
    value: TaggedValue = None
    after: tuple[TaggedValue, ...] | None = None
    state_after: Mapping[str, TaggedValue] | None = None
    arcs: frozenset[tuple[int, int]] = frozenset()
    recorded: bool = False

    @property
    def size(self) -> int:
        """Characters that its call takes."""
        return len(self.call.text)


def encode_case(case: HarvestCase) -> dict[str, Any]:
    """Turns a case into plain JSON."""
    return {
        "args": list(case.call.args),
        "kwargs": dict(case.call.kwargs),
        "state": case.call.state,
        "state_after": case.state_after,
        "raised": case.raised,
        "value": case.value,
        "after": None if case.after is None else list(case.after),
        "arcs": sorted(map(list, case.arcs)),
        "recorded": case.recorded,
    }


def decode_case(data: Mapping[str, Any]) -> HarvestCase:
    """Makes a case of the JSON of `encode_case`."""
    after = data["after"]
    return HarvestCase(
        HarvestCall(tuple(data["args"]), dict(data["kwargs"]), data["state"]),
        raised=str(data["raised"]),
        value=data["value"],
        after=None if after is None else tuple(after),
        state_after=data["state_after"],
        arcs=frozenset((int(a), int(b)) for a, b in data["arcs"]),
        recorded=bool(data["recorded"]),
    )
