"""Clock that goes another time: an outcome that depends on the day is not the same under it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

SHIFT = 400 * 86_400 + 3 * 3_600 + 7 * 60 + 11
"""Seconds: year, month, day, day of the week, hour, minute and second are all others."""


class _ClockKind(type):
    """Lets dates that were made elsewhere pass for those of the shifted classes."""

    def __instancecheck__(cls, value: object) -> bool:
        real = _REAL.get(cls)
        return isinstance(value, real) if real else type.__instancecheck__(cls, value)

    def __subclasscheck__(cls, kind: type) -> bool:
        real = _REAL.get(cls)
        return issubclass(kind, real) if real else type.__subclasscheck__(cls, kind)


class ShiftedDate(datetime.date, metaclass=_ClockKind):
    """A date of another today."""

    def __repr__(self) -> str:
        module = "datetime." if type(self) is ShiftedDate else ""  # as that of the class in C
        return f"{module}{super().__repr__()}"

    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(time.time())


class ShiftedDateTime(datetime.datetime, metaclass=_ClockKind):
    """A date and time of another now."""

    def __repr__(self) -> str:
        module = "datetime." if type(self) is ShiftedDateTime else ""  # as that of the class in C
        return f"{module}{super().__repr__()}"

    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(time.time())

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.fromtimestamp(time.time(), datetime.timezone.utc).replace(tzinfo=None)


_REAL: dict[type, type] = {ShiftedDate: datetime.date, ShiftedDateTime: datetime.datetime}


def shift_clock() -> None:
    """Shifts the clock of this process for all that is imported from now on."""
    clock, clock_ns = time.time, time.time_ns
    _replace("time", lambda: clock() + SHIFT)
    _replace("time_ns", lambda: clock_ns() + SHIFT * 10**9)
    for name in ("localtime", "gmtime", "ctime"):
        _replace(name, _shift_seconds(getattr(time, name)))
    asctime, strftime, local = time.asctime, time.strftime, time.localtime

    def shifted_asctime(given: Any = None) -> str:
        return asctime(local() if given is None else given)

    def shifted_strftime(form: str, given: Any = None) -> str:
        return strftime(form, local() if given is None else given)

    _replace("asctime", shifted_asctime)
    _replace("strftime", shifted_strftime)
    for kind, name in ((ShiftedDate, "date"), (ShiftedDateTime, "datetime")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
        setattr(datetime, name, kind)


def _shift_seconds(function: Callable[[float], Any]) -> Callable[..., Any]:
    def shifted(seconds: float | None = None) -> Any:
        return function(time.time() if seconds is None else seconds)

    return shifted


def _replace(name: str, value: object) -> None:
    setattr(time, name, value)
