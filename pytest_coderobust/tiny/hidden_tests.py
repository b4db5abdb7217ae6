"""Hidden tests of the suite: edge cases, and inputs on which a composition's siblings fail.

A sibling is another composition of the same family.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from itertools import product

from pytest_coderobust.tiny.family import Composition
from pytest_coderobust.tiny.sample import (
    UNDEFINED,
    TaskFunction,
    TrainingSample,
    draw_arguments,
    load,
    write_answer,
)
from pytest_coderobust.tiny.values import KINDS, Value

_WANTED = 10
_MOST = 24
_TRIES = 400
_SIBLINGS = 150

Arguments = tuple[Value, ...]


def write_hidden_tests(sample: TrainingSample) -> str:
    """Writes the source of `check(candidate)` for a sample of the suite.

    It asserts every edge case on which the trusted code is defined. Random calls follow until each
    sibling fails at least one assert, as far as the tries find such calls.
    """
    composition = sample.composition
    trusted = _function(composition)
    rng = random.Random(f"hidden tests {composition.key} {sample.prompt}")
    cases = list(_edges(composition, trusted))
    rivals = [_function(sibling) for sibling in _siblings(composition, rng)]
    rivals = [rival for rival in rivals if _survives(rival, trusted, cases)]
    for _ in range(_TRIES):
        arguments = draw_arguments(composition, rng)
        if len(cases) >= _MOST or (len(cases) >= _WANTED and not rivals):
            break
        if not _is_defined(trusted, arguments) or arguments in cases:
            continue
        # Beyond the wanted number, a call is kept only if one more sibling fails on it.
        left = [rival for rival in rivals if _survives(rival, trusted, [arguments])]
        if len(left) < len(rivals) or len(cases) < _WANTED:
            cases.append(arguments)
        rivals = left
    return _source(cases, trusted)


def _siblings(composition: Composition, rng: random.Random) -> list[Composition]:
    """Lists the compositions that differ in one choice, or draws a sample of them if many."""
    parts = composition.family.parts
    near = [
        Composition(
            composition.family, (*composition.choices[:i], choice, *composition.choices[i + 1 :])
        )
        for i, part in enumerate(parts)
        for choice in part.choices
        if choice != composition.choices[i]
    ]
    return near if len(near) <= _SIBLINGS else rng.sample(near, _SIBLINGS)


def _function(composition: Composition) -> TaskFunction:
    names = [f"argument{i}" for i, _ in enumerate(composition.family.arguments)]
    return load(f"def f({', '.join(names)}):\n" + write_answer(composition, "f", names), "f")


def _edges(composition: Composition, trusted: TaskFunction) -> Iterator[Arguments]:
    kinds = [KINDS[kind] for kind in composition.family.arguments]
    for arguments in product(*(kind.edges[:3] if len(kinds) > 1 else kind.edges for kind in kinds)):
        if _is_defined(trusted, arguments):
            yield arguments


def _call(function: TaskFunction, arguments: Arguments) -> Value:
    return function(*copy.deepcopy(arguments))


def _is_defined(trusted: TaskFunction, arguments: Arguments) -> bool:
    try:
        _call(trusted, arguments)
    except UNDEFINED:
        return False
    return True


def _survives(rival: TaskFunction, trusted: TaskFunction, cases: Sequence[Arguments]) -> bool:
    """Says whether the rival answers like the trusted code in every case."""
    for arguments in cases:
        try:
            value = _call(rival, arguments)
        except Exception:  # noqa: BLE001 - a sibling may fail in any way on inputs not meant for it
            return False
        if repr(value) != repr(_call(trusted, arguments)):
            return False
    return True


def _source(cases: Sequence[Arguments], trusted: TaskFunction) -> str:
    lines = ["def check(candidate):"]
    for arguments in cases:
        value = _call(trusted, arguments)
        call = f"candidate({', '.join(map(repr, arguments))})"
        if isinstance(value, float):
            lines.append(f"    assert abs({call} - {value!r}) < 1e-6")
        else:
            lines.append(f"    assert {call} == {value!r}")
    return "\n".join(lines) + "\n"
