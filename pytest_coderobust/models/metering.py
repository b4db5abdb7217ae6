"""Metering of the requests that get to know a served model and watch over it.

The handshake, the canaries and the checks of long prompts cost as rows do. A backend asks its meter
before each of them, and tells it afterwards what the server counted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_coderobust.records import Usage, Variant

if TYPE_CHECKING:
    from pytest_coderobust.ledger import Ledger

FRAME = 64
"""Tokens that a server's chat template may put around a message of which only the bytes are known.
"""

NOTHING = Usage()
"""The price of no request."""


class Meter(Protocol):
    """An account of single requests; one is on its way at a time."""

    def turn(self) -> AbstractContextManager[object]:
        """Waits until no other process of the session may spend what this one is about to."""
        ...

    def reserve(self, most: Usage) -> None:
        """Takes note of a request that is about to go out.

        Args:
            most: all tokens that it may cost.

        Raises:
            ModelError: the budget has no room for it.
        """
        ...

    def settle(self, most: Usage, used: Usage) -> None:
        """Books a request that ended.

        Args:
            most: as it was reserved.
            used: as the server counted; without tokens where it told none.
        """
        ...


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """The part of a run that its watching depends on.

    Attributes:
        digest: of the model's identity; "" where nobody knows it without asking.
        own: the suite's first prompt, which is a canary, too, and the language of its code.
        longest: the longest prompt that is to be asked, and its language.
        looks: looks at the model, the first one included; 0 where no row is to be asked.
        opening: the handshake is still to come.
    """

    digest: str
    own: tuple[str, str]
    longest: tuple[str, str]
    looks: int
    opening: bool


@dataclass(frozen=True, slots=True)
class WatchForecast:
    """The requests that would watch over a model in a run.

    Attributes:
        expected: as they are expected.
        most: the same requests with the bound of their tokens.
    """

    expected: Usage = NOTHING
    most: Usage = NOTHING

    def __add__(self, other: WatchForecast) -> WatchForecast:
        return WatchForecast(self.expected + other.expected, self.most + other.most)


def bound_look(backend: object, own: tuple[tuple[str, str], ...]) -> Usage:
    """Bounds what the next look at a model costs; nothing for a backend that has no looks."""
    bound: Callable[[tuple[tuple[str, str], ...]], Usage] | None = getattr(
        backend, "bound_look", None
    )
    return bound(own) if bound is not None else Usage()


def bound_check(backend: object, variant: Variant) -> Usage:
    """Bounds what is asked before this row goes out, to find out whether its prompt is cut."""
    bound: Callable[[Variant], Usage] | None = getattr(backend, "bound_check", None)
    return bound(variant) if bound is not None else Usage()


def forecast_watch(backend: object, ledger: Ledger, plan: WatchPlan) -> WatchForecast:
    """Forecasts the requests that watch over a model; none for one that is not watched."""
    make: Callable[[Ledger, WatchPlan], WatchForecast] | None = getattr(
        backend, "forecast_watch", None
    )
    return make(ledger, plan) if make is not None else WatchForecast()
