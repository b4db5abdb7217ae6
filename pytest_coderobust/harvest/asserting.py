"""Source of a harvested task's tests: one assert a case, or two where arguments change."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_coderobust.harvest.cases import HarvestCase
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


def write_tests(cases: Iterable[HarvestCase]) -> str:
    """Writes `check(candidate)` for cases, with the functions that it needs."""
    lines = [line for case in cases for line in _write_case(case)]
    body = "".join(f"    {line}\n" for line in lines)
    imports = list_imports(body)
    parts = [f"{text}\n" for text in imports]
    if "is_same(" in body:
        parts = ["import math\n", *parts, "\n\n", SAME]
    if "name_raised(" in body:
        parts += ["\n\n", RAISED]
    head = "".join(parts)
    return f"{head}{head and chr(10) * 2}def check(candidate):\n{body}"


def _write_case(case: HarvestCase) -> list[str]:
    arguments = case.call.write_arguments()
    if case.raised:
        called = f"candidate, {arguments}" if arguments else "candidate"
        return [f"assert name_raised({called}) == {case.raised!r}"]
    expected = write_value(case.value)
    if case.after is None:
        return [f"assert is_same(candidate({arguments}), {expected})"]
    named = ", ".join(f"{name}={write_value(value)}" for name, value in case.call.kwargs.items())
    given = [write_value(value) for value in case.call.args]
    handed = f"*given, {named}" if named else "*given"
    return [
        f"given = [{', '.join(given)}]",
        f"assert is_same(candidate({handed}), {expected})",
        f"assert is_same(given, [{', '.join(map(write_value, case.after))}])",
    ]


def count_asserts(source: str) -> int:
    """Counts the asserts of written tests."""
    return len(re.findall(r"^ {4}assert ", source, re.M))
