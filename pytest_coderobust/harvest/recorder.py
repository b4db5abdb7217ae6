"""Recorder of calls, in the process that runs a project's tests: arguments and results as data.

Python 3.12 and later tell of the starts and ends of chosen functions alone (`sys.monitoring`);
before, `sys.settrace` tells of every call of a function in Python, and the others are passed over.
"""

from __future__ import annotations

import dis
import inspect
import sys
import threading
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any

from pytest_coderobust.harvest.functions import CodePlace
from pytest_coderobust.harvest.objects import read_state
from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.cage.frames import WireError, to_json

DISTINCT = 40
"""Different calls of one function that are kept."""
SEEN = 3000
"""Calls of one function that are looked at."""
ROOM = 2000
"""Characters of one value, at most."""
_TOOL = 4
"""Number of the tool for `sys.monitoring`; 0, 1, 2 and 5 are spoken for."""
_ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST"})
SeenCall = dict[str, Any]
"""One call: {"named", "rest", "extra"}, its arguments, and "outcome" with maybe "value"."""


class NotPlainError(Exception):
    """A value is not plain data; the message is its type."""


class CallRecorder:
    """Records calls of the functions at some places, by frame.

    Args:
        places: each with the name of the class that the function is a method of, or "".

    Attributes:
        found: the calls of each place, in order, without repetitions.
        refused: by place, why calls were not recorded, with how many.
    """

    def __init__(self, places: Mapping[CodePlace, str]) -> None:
        self.found: dict[CodePlace, dict[str, SeenCall]] = {place: {} for place in places}
        self._owners = dict(places)
        self.refused: dict[CodePlace, dict[str, int]] = {}
        self._places: dict[CodeType, CodePlace | None] = {}
        self._counts: dict[CodePlace, int] = {}
        self._open: dict[int, SeenCall] = {}
        self._defaults: dict[CodeType, dict[str, Any]] = {}

    @property
    def begun(self) -> int:
        """Calls that began so far, recorded or not."""
        return sum(self._counts.values())

    def is_wanted(self, code: CodeType) -> bool:
        """Whether a code is that of a function which is recorded."""
        if code not in self._places:
            place = (code.co_filename, code.co_firstlineno)
            own = place in self.found and code.co_name not in (
                "<lambda>",
                "<listcomp>",
                "<genexpr>",
            )
            self._places[code] = place if own else None
        return self._places[code] is not None

    def begin(self, frame: FrameType) -> None:
        """Notes the arguments of a call that begins."""
        place = self._places[frame.f_code]
        assert place is not None
        self._counts[place] = self._counts.get(place, 0) + 1
        if self._counts[place] > SEEN or len(self.found[place]) >= DISTINCT:
            return
        try:
            seen = self._bind(frame, self._owners[place])
        except NotPlainError as error:
            told = self.refused.setdefault(place, {})
            told[str(error)] = told.get(str(error), 0) + 1
            return
        known = self.found[place].setdefault(to_json(seen), seen)
        if known is seen:
            self._open[id(frame)] = seen

    def end(self, frame: FrameType, value: object, *, raised: bool) -> None:
        """Notes the outcome of a call."""
        seen = self._open.pop(id(frame), None)
        if seen is None:
            return
        if raised:
            seen["outcome"] = "raised"
        elif not frame.f_code.co_flags & inspect.CO_GENERATOR:
            try:
                seen.update(value=encode(value), outcome="returned")
            except NotPlainError:
                seen["outcome"] = "other"  # an iterator must stay whole, for one

    def _bind(self, frame: FrameType, owner: str) -> SeenCall:
        """Reads the arguments of a frame that has just begun."""
        code, values = frame.f_code, frame.f_locals
        count = code.co_argcount + code.co_kwonlyargcount
        names = list(code.co_varnames[:count])
        after = list(code.co_varnames[count : count + 2])
        rest = values[after.pop(0)] if code.co_flags & inspect.CO_VARARGS else ()
        extra = values[after.pop(0)] if code.co_flags & inspect.CO_VARKEYWORDS else {}
        state = encode_state(values[names.pop(0)], owner) if owner else None
        usual = self._find_defaults(frame)
        given = [name for name in names if name not in usual or values[name] is not usual[name]]
        return {
            "named": {name: encode(values[name]) for name in given},
            "rest": [encode(value) for value in rest],
            "extra": {name: encode(value) for name, value in extra.items()},
            **({} if state is None else {"state": state}),
        }

    def _find_defaults(self, frame: FrameType) -> dict[str, Any]:
        """The values of parameters that are left out, by the object: a sentinel is no data."""
        code = frame.f_code
        if code not in self._defaults:
            found = find_function(frame)
            usual = {} if found is None else inspect.signature(found).parameters
            self._defaults[code] = {
                name: each.default for name, each in usual.items() if each.default is not each.empty
            }
        return self._defaults[code]


def find_function(frame: FrameType) -> Any:
    """Finds the function of a frame by its name in its module; None where it is not there."""
    found: Any = sys.modules.get(str(frame.f_globals.get("__name__")))
    name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
    for part in name.split("."):
        found = getattr(found, part, None)
    for _ in range(10):
        if getattr(found, "__code__", None) is frame.f_code:
            return found
        found = getattr(found, "__wrapped__", None)
    return None


def encode(value: object) -> Any:
    """Encodes a value that is plain data, and reads no iterator. Raises NotPlainError."""
    if not is_plain(value):
        raise NotPlainError(type(value).__name__)
    encoder = Encoder(ROOM)
    try:
        tagged = encoder.encode(value)
        small = len(to_json(tagged)) <= 2 * ROOM
    except (WireError, RecursionError) as error:
        raise NotPlainError(str(error)) from None
    if encoder.opaque or encoder.flattened or not small:
        raise NotPlainError((encoder.opaque or [encoder.flattened or "large"])[0])
    return tagged


def encode_state(value: object, owner: str) -> dict[str, Any]:
    """Encodes the state of an object of a class, not of one that derives from it.

    Raises:
        NotPlainError: it is none, or its state is no plain data.
    """
    state = read_state(value) if type(value).__name__ == owner else None
    if state is None:
        raise NotPlainError(f"an object of {type(value).__name__}")
    return {name: encode(each) for name, each in state.items()}


def is_plain(value: object, depth: int = 0) -> bool:
    """Whether a value holds no iterator, which to look at would be to use up."""
    if depth > 20:
        return False
    if type(value) in (list, tuple, set, frozenset):
        return all(is_plain(each, depth + 1) for each in value)  # type: ignore[attr-defined]
    if type(value) is dict:
        return all(is_plain(each, depth + 1) for pair in value.items() for each in pair)
    return not hasattr(value, "__next__")


def start_recording(recorder: CallRecorder) -> Callable[[], bool]:
    """Records from now on, in every thread.

    Returns:
        A function that says whether calls are still told: another tool may take the hook over.
    """
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        _watch(recorder, monitoring)
        return lambda: bool(monitoring.get_events(_TOOL))
    trace = _make_trace(recorder)
    threading.settrace(trace)
    sys.settrace(trace)
    return lambda: sys.gettrace() is trace


def _watch(recorder: CallRecorder, monitoring: Any) -> None:
    tool, events = _TOOL, monitoring.events
    monitoring.use_tool_id(tool, "coderobust harvest")

    def begin(code: CodeType, _offset: int) -> Any:
        if not recorder.is_wanted(code):
            return monitoring.DISABLE
        return recorder.begin(sys._getframe(1))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def end(code: CodeType, _offset: int, value: object) -> Any:
        if not recorder.is_wanted(code):
            return monitoring.DISABLE
        return recorder.end(sys._getframe(1), value, raised=False)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def unwind(code: CodeType, _offset: int, _error: BaseException) -> None:
        if recorder.is_wanted(code):
            recorder.end(sys._getframe(1), None, raised=True)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    monitoring.register_callback(tool, events.PY_START, begin)
    monitoring.register_callback(tool, events.PY_RETURN, end)
    monitoring.register_callback(tool, events.PY_UNWIND, unwind)
    monitoring.set_events(tool, events.PY_START | events.PY_RETURN | events.PY_UNWIND)


def _make_trace(recorder: CallRecorder) -> Any:
    starts: dict[CodeType, int] = {}

    def begin(frame: FrameType, _event: str, _value: object) -> Any:
        code = frame.f_code
        if not recorder.is_wanted(code):
            return None
        if code not in starts:
            starts[code] = _find_start(code)
        if frame.f_lasti <= starts[code]:  # else a generator goes on
            recorder.begin(frame)
        frame.f_trace_lines = False
        return end

    def end(frame: FrameType, event: str, value: object) -> Any:
        if event == "return":
            code = frame.f_code
            raised = value is None and _name_operation(code, frame.f_lasti) not in _ENDS
            if not code.co_flags & inspect.CO_GENERATOR or raised:
                recorder.end(frame, value, raised=raised)
        return end

    return begin


def _find_start(code: CodeType) -> int:
    """The place in a code from which its first instruction of the source may run."""
    return next((each.offset for each in dis.get_instructions(code) if each.opname == "RESUME"), -1)


def _name_operation(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]] if offset >= 0 else ""
