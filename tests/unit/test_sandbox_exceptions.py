"""Exceptions that a candidate raised, rebuilt for the tests."""

from __future__ import annotations

import builtins

import pytest

from pytest_coderobust.sandbox.judge.outcome import CandidateError, CandidateExit
from pytest_coderobust.sandbox.judge.proxy import rebuild

ORDINARY = sorted(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and "Group" not in name
)


@pytest.mark.parametrize("name", ORDINARY)
def test_every_builtin_exception_is_rebuilt_with_its_message(name: str) -> None:
    error = rebuild({"kinds": ["Mine", name, "Exception"], "text": "why"})
    assert isinstance(error, getattr(builtins, name))
    assert isinstance(error, CandidateError)
    assert str(error) == "why"


@pytest.mark.parametrize(
    "raised",
    [
        {"kinds": ["SystemExit", "BaseException", "object"], "text": "0"},
        {"kinds": ["AssertionFailure"], "text": ""},
        {"kinds": [], "text": ""},
        {},
        {"kinds": "int", "text": 3},
    ],
)
def test_other_names_end_up_outside_what_tests_catch(raised: object) -> None:
    assert isinstance(rebuild(raised), CandidateExit)


@pytest.mark.parametrize("name", ["\x00", "\ud800", "a b", "", "x" * 10_000])
def test_hostile_names_do_no_harm(name: str) -> None:
    assert isinstance(rebuild({"kinds": [name, "ValueError"], "text": name}), ValueError)
