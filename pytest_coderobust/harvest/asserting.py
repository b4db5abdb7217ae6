"""Source of a harvested task's tests: one assert a case, or two where arguments change."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_coderobust.harvest.cases import HarvestCase, write_state
from pytest_coderobust.harvest.spelling import list_imports, write_value

SAME = '''def is_same(found, expected):
    """Whether a result is the expected one; an iterator counts as its items, floats nearly."""
    if hasattr(found, "__next__"):
        found = list(found)
    if isinstance(expected, (list, tuple)):
        alike = isinstance(found, type(expected)) and len(found) == len(expected)
        return alike and all(is_same(a, b) for a, b in zip(found, expected))
    if isinstance(expected, dict):
        alike = isinstance(found, dict) and found.keys() == expected.keys()
        return alike and all(is_same(found[key], expected[key]) for key in expected)
    if isinstance(expected, float) and isinstance(found, (int, float)):
        both_nan = found != found and expected != expected
        return both_nan or math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return bool(found == expected)
'''
RAISED = '''def name_raised(call, *args, **kwargs):
    """The name of the exception that a call raises; "" for none."""
    try:
        found = call(*args, **kwargs)
        if hasattr(found, "__next__"):
            list(found)
    except Exception as error:
        return type(error).__name__
    return ""
'''


OBJECT = '''def make_object(method, name, state):
    """An object of the class that a method is for, with a state, whatever its constructor says."""
    kind = method.__globals__[name]
    setattr(kind, method.__name__, method)
    made = object.__new__(kind)
    for key, value in state.items():
        object.__setattr__(made, key, value)
    return made
'''


def write_tests(cases: Iterable[HarvestCase], owner: str = "") -> str:
    """Writes `check(candidate)` for cases, with the functions that it needs.

    Args:
        owner: the class that the function is a method of, or "".
    """
    lines = [line for case in cases for line in _write_case(case, owner)]
    body = "".join(f"    {line}\n" for line in lines)
    imports = list_imports(body)
    parts = [f"{text}\n" for text in imports]
    if "is_same(" in body:
        parts = ["import math\n", *parts, "\n\n", SAME]
    if "name_raised(" in body:
        parts += ["\n\n", RAISED]
    if "make_object(" in body:
        parts += ["\n\n", OBJECT]
    head = "".join(parts)
    return f"{head}{head and chr(10) * 2}def check(candidate):\n{body}"


def _write_case(case: HarvestCase, owner: str) -> list[str]:
    if case.call.state is None:
        return _write_call(case, case.call.write_arguments())
    held = f"held = make_object(candidate, {owner!r}, {write_state(case.call.state)})"
    lines = [
        held,
        *_write_call(case, ", ".join(filter(None, ["held", case.call.write_arguments()]))),
    ]
    if case.state_after is not None:
        found = f"{{key: getattr(held, key, None) for key in {sorted(case.state_after)!r}}}"
        lines.append(f"assert is_same({found}, {write_state(case.state_after)})")
    return lines


def _write_call(case: HarvestCase, arguments: str) -> list[str]:
    if case.raised:
        called = f"candidate, {arguments}" if arguments else "candidate"
        return [f"assert name_raised({called}) == {case.raised!r}"]
    expected = write_value(case.value)
    if case.after is None:
        return [f"assert is_same(candidate({arguments}), {expected})"]
    named = ", ".join(f"{name}={write_value(value)}" for name, value in case.call.kwargs.items())
    given = [write_value(value) for value in case.call.args]
    held = "" if case.call.state is None else "held, "
    handed = f"{held}*given, {named}" if named else f"{held}*given"
    return [
        f"given = [{', '.join(given)}]",
        f"assert is_same(candidate({handed}), {expected})",
        f"assert is_same(given, [{', '.join(map(write_value, case.after))}])",
    ]


def count_asserts(source: str) -> int:
    """Counts the asserts of written tests."""
    return len(re.findall(r"^ {4}assert ", source, re.M))
