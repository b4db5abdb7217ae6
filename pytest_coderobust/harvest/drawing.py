"""Strategies for arguments: made of annotations, and of values that were seen in calls.

Numbers stay small and texts short: a function is asked to do a little work, not to fill the memory.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]
LONGEST = 10
"""Items of a drawn container."""
LETTERS = "abcXYZ 0159_-.,"
DEPTH = 3
UNCHECKED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
)
"""Hints for people who write tests, which these draws are not."""
BASIC: Mapping[Any, Strategy] = {
    bool: st.booleans(),
    int: st.integers(-8, 24),
    float: st.floats(-100, 100, allow_nan=False, width=32),
    complex: st.complex_numbers(max_magnitude=100, allow_nan=False),
    str: st.text(LETTERS, max_size=16),
    bytes: st.binary(max_size=12),
    type(None): st.none(),
    Decimal: st.decimals(-100, 100, places=2),
    Fraction: st.fractions(-20, 20, max_denominator=12),
}
ANYTHING = st.one_of(st.integers(-3, 9), st.text("abc", max_size=4), st.none(), st.booleans())
_LISTS = frozenset({"list", "Sequence", "Iterable", "Collection", "MutableSequence", "Reversible"})
_SETS = frozenset({"set", "AbstractSet", "Set", "MutableSet"})
_MAPPINGS = frozenset({"dict", "Mapping", "MutableMapping"})


def strategy_of_type(hint: Any, depth: int = 0) -> Strategy | None:
    """Makes a strategy of an annotation; None where it is not of plain data."""
    if hint in BASIC:
        return BASIC[hint]
    if hint is Any or hint is object or isinstance(hint, TypeVar) or hint is Hashable:
        return ANYTHING
    if depth > DEPTH:
        return None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Annotated:
        return strategy_of_type(arguments[0], depth)
    if origin is Union or origin is types.UnionType:
        found = [
            each for each in (strategy_of_type(a, depth) for a in arguments) if each is not None
        ]
        return st.one_of(found) if found else None
    return _strategy_of_container(origin or hint, arguments, depth + 1)


def _strategy_of_container(kind: Any, arguments: Sequence[Any], depth: int) -> Strategy | None:
    """Makes a strategy of a container's type, whose items are anything where it does not say."""
    name = getattr(kind, "__name__", "")
    inner = [strategy_of_type(each, depth) for each in arguments if each is not ...]
    if any(each is None for each in inner):
        return None
    items = [each for each in inner if each is not None]
    first = items[0] if items else ANYTHING
    if name in _LISTS:
        return st.lists(first, max_size=LONGEST)
    if name in _SETS:
        return st.sets(first, max_size=LONGEST)
    if kind is frozenset:
        return st.frozensets(first, max_size=LONGEST)
    if name in _MAPPINGS:
        return st.dictionaries(first, items[1] if len(items) > 1 else ANYTHING, max_size=6)
    if kind is tuple:
        fixed = bool(items) and ... not in arguments
        return st.tuples(*items) if fixed else st.lists(first, max_size=LONGEST).map(tuple)
    return None


def strategy_like(values: Sequence[Any], depth: int = 0) -> Strategy:
    """Makes a strategy of values that resemble some, and of these themselves.

    Args:
        values: plain data, one at least.
    """
    made: list[Strategy] = [st.sampled_from(values)]
    for kind in dict.fromkeys(map(type, values)):
        own = [each for each in values if type(each) is kind]
        grow = _GROWERS.get(kind)
        if grow is not None and depth < DEPTH:
            made.append(grow(own, depth + 1))
    return st.one_of(made)


def _like_numbers(values: Sequence[int], _depth: int) -> Strategy:
    near = [each for each in values if abs(each) <= 1000] or [0]
    return st.integers(min(near) - 2, max(near) + 3)


def _like_floats(values: Sequence[float], _depth: int) -> Strategy:
    near = [each for each in values if abs(each) <= 1e6] or [0.0]
    low, high = min(near) - 1, max(near) + 1
    # Binary fractions, which are short to read: 0.375 rather than 0.3141592653589793.
    return st.integers(int(low * 8), int(high * 8) + 1).map(lambda eighths: eighths / 8)


def _like_texts(values: Sequence[str], _depth: int) -> Strategy:
    letters = sorted({letter for each in values for letter in each}) or list("ab ")
    longest = min(40, max(map(len, values)) + 3)
    words = sorted({word for each in values for word in each.split()})[:60]
    made: list[Strategy] = [st.text(letters, max_size=longest)]
    if len(words) > 1:
        made.append(st.lists(st.sampled_from(words), max_size=8).map(" ".join))
    cut = st.tuples(st.sampled_from(values), st.integers(0, 60), st.integers(0, 60))
    return st.one_of(*made, cut.map(lambda each: each[0][each[1] : each[1] + each[2]]))


def _like_bytes(values: Sequence[bytes], _depth: int) -> Strategy:
    return st.binary(max_size=min(20, max(map(len, values)) + 2))


def _like_items(make: Callable[[Iterable[Any]], Any]) -> Callable[[Sequence[Any], int], Strategy]:
    """Makes the grower of a container from what makes one of a list."""

    def grow(values: Sequence[Any], depth: int) -> Strategy:
        held = sorted((item for each in values for item in each), key=repr)[:200]
        longest = min(LONGEST, max(map(len, values)) + 2)
        if not held:
            return st.just(make([]))
        return st.lists(strategy_like(held, depth), max_size=longest).map(make)

    return grow


def _like_tuples(values: Sequence[tuple[Any, ...]], depth: int) -> Strategy:
    sizes = {len(each) for each in values}
    if len(sizes) == 1 and sizes != {0} and max(sizes) <= LONGEST:
        return st.tuples(*(strategy_like(column, depth) for column in zip(*values, strict=True)))
    return _like_items(tuple)(values, depth)


def _like_dicts(values: Sequence[dict[Any, Any]], depth: int) -> Strategy:
    keys = sorted((key for each in values for key in each), key=repr)[:100]
    held = [item for each in values for item in each.values()][:100]
    if not keys:
        return st.just(dict[Any, Any]())
    return st.dictionaries(strategy_like(keys, depth), strategy_like(held, depth), max_size=6)


def _like_fractions(values: Sequence[Fraction], _depth: int) -> Strategy:
    near = [each for each in values if abs(each) <= 1000] or [Fraction(0)]
    return st.fractions(floor(min(near)) - 1, ceil(max(near)) + 1, max_denominator=20)


_GROWERS: Mapping[type, Callable[[Sequence[Any], int], Strategy]] = {
    bool: lambda _values, _depth: st.booleans(),
    int: _like_numbers,
    float: _like_floats,
    str: _like_texts,
    bytes: _like_bytes,
    list: _like_items(list),
    set: _like_items(set),
    frozenset: _like_items(frozenset),
    tuple: _like_tuples,
    dict: _like_dicts,
    Fraction: _like_fractions,
}


def draw_values(strategy: Strategy, count: int, number: int) -> list[Any]:
    """Draws values; the same number draws the same.

    Args:
        count: how many, at most.
        number: seeds the draws.
    """
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=UNCHECKED,
    )
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    collect()
    return drawn
