"""Values of arguments for examples and hidden tests, by kind of argument."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.tiny.family import Hint

Value = object
ValueDraw = Callable[[random.Random, Sequence[Hint]], Value]

_POOL = (
    "red", "fox", "sun", "apple", "stone", "river", "tea", "moon", "level", "noon", "bird", "cat",
    "green", "orange", "lamp", "door", "night", "music", "pear", "gold", "ship", "nut", "ant",
    "egg", "Rome", "Paris", "ice", "bread", "table", "mop", "plum", "cloud", "tree", "radar",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of argument.

    Attributes:
        shape: "list", "text", "int" or "table"; the names that fit depend on it.
        nouns: noun phrases for such an argument ("the list").
        given: phrases that introduce it ("a list of numbers").
        draw: the function that draws a value.
        edges: edge cases, which every hidden test includes.
    """

    shape: str
    nouns: tuple[str, ...]
    given: tuple[str, ...]
    draw: ValueDraw
    edges: tuple[Value, ...]


def _ints_of(hints: Sequence[Hint]) -> list[int]:
    return [hint for hint in hints if isinstance(hint, int)]


def _texts_of(hints: Sequence[Hint]) -> list[str]:
    return [hint for hint in hints if isinstance(hint, str)]


def _int(rng: random.Random, hints: Sequence[Hint], low: int = -9, high: int = 24) -> int:
    near = _ints_of(hints)
    if near and rng.random() < 0.35:
        return rng.choice(near)
    return rng.randint(low, high)


def _integer(low: int, high: int) -> ValueDraw:
    return lambda rng, hints: max(low, min(high, _int(rng, hints, low, high)))


def _ints(rng: random.Random, hints: Sequence[Hint]) -> Value:
    values = [_int(rng, hints) for _ in range(rng.randint(3, 6))]
    if rng.random() < 0.3:
        values.append(rng.choice(values))
    return values


def _nats(rng: random.Random, _: Sequence[Hint]) -> Value:
    values = [rng.randint(0, 12) for _ in range(rng.randint(2, 5))]
    return [*values, rng.choice(values)]


def _sorted_ints(rng: random.Random, hints: Sequence[Hint]) -> Value:
    return sorted(_int(rng, [*hints, *hints], 0, 24) for _ in range(rng.randint(3, 6)))


def _word(rng: random.Random, hints: Sequence[Hint]) -> str:
    near = _texts_of(hints)
    if near and rng.random() < 0.4:
        return rng.choice(near)
    return rng.choice(_POOL)


def _words(rng: random.Random, hints: Sequence[Hint]) -> Value:
    words = [_word(rng, hints) for _ in range(rng.randint(2, 5))]
    return [word.capitalize() if rng.random() < 0.15 else word for word in words]


def _sentence(rng: random.Random, hints: Sequence[Hint]) -> Value:
    return " ".join(_word(rng, hints) for _ in range(rng.randint(2, 5)))


def _text(rng: random.Random, hints: Sequence[Hint]) -> Value:
    pieces = [_word(rng, hints) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        pieces.append(str(rng.randint(0, 99)))
    if rng.random() < 0.4:
        pieces[0] = rng.choice((pieces[0].upper(), pieces[0].capitalize(), pieces[0].swapcase()))
    rng.shuffle(pieces)
    marks = [text for text in _texts_of(hints) if len(text) == 1] * 2
    return rng.choice((" ", " ", ", ", "-", "", *marks)).join(pieces)


def _table(rng: random.Random, hints: Sequence[Hint]) -> Value:
    return {_word(rng, hints): _int(rng, hints) for _ in range(rng.randint(2, 4))}


def _rows(rng: random.Random, _: Sequence[Hint]) -> Value:
    return [
        [rng.randint(0, 12) for _ in range(rng.randint(1, 3))] for _ in range(rng.randint(2, 4))
    ]


def _nested(rng: random.Random, _: Sequence[Hint]) -> Value:
    inner = [rng.randint(-3, 9), [rng.randint(0, 9)]]
    found: list[Value] = [rng.randint(0, 9), inner, rng.randint(-3, 9)]
    rng.shuffle(found)
    return found[: rng.randint(1, 3)]


def _path(rng: random.Random, _: Sequence[Hint]) -> Value:
    folders = [rng.choice(_POOL) for _ in range(rng.randint(0, 2))]
    name = rng.choice(_POOL) + rng.choice((".txt", ".py", ".tar.gz", ".md", ""))
    return "/".join((*folders, name))


def _name(rng: random.Random, _: Sequence[Hint]) -> Value:
    return rng.choice(_POOL) + rng.choice((".txt", ".py", ".csv", ""))


def _markup(rng: random.Random, _: Sequence[Hint]) -> Value:
    words = [rng.choice(_POOL) for _ in range(2)]
    return rng.choice(("{} < {}", "{} & {}", "<b>{}</b> {}", '"{}" {}', "{}'s {}")).format(*words)


_LIST = ("the list", "the given list", "the input list")
_TEXT = ("the string", "the text", "the given string", "the input string")
_TABLE = ("the dictionary", "the given dictionary", "the mapping")
_INT = ("the number", "the given number", "the integer")
_OF_NUMBERS = ("a list of numbers", "a list of integers", "some numbers in a list")
_A_TEXT = ("a string", "a text", "a piece of text")
_A_NUMBER = ("a number", "an integer", "a whole number")
_A_TABLE = ("a dictionary", "a mapping", "a dictionary with strings as keys")

KINDS: Mapping[str, ValueKind] = {
    "ints": ValueKind(
        "list", _LIST, _OF_NUMBERS, _ints, ([], [0], [-3], [5, 5, 5], [7, -2, 0, 11, -8])
    ),
    "list": ValueKind(
        "list",
        _LIST,
        ("a list", "some items in a list"),
        _nats,
        ([], [4], [2, 2, 2], [3, 1, 3, 2, 1, 9, 0]),
    ),
    "sorted": ValueKind(
        "list", _LIST, ("a sorted list of numbers",), _sorted_ints, ([], [5], [2, 2, 2])
    ),
    "words": ValueKind(
        "list",
        _LIST,
        ("a list of words", "a list of strings"),
        _words,
        ([], ["ab"], ["noon", "noon"], ["b", "A", "ccc"]),
    ),
    "rows": ValueKind(
        "list", _LIST, ("a list of lists", "a nested list"), _rows, ([], [[1]], [[3, 2], [2, 3, 9]])
    ),
    "nested": ValueKind("list", _LIST, ("a nested list",), _nested, ([], [[]], [1, [2, [3, [4]]]])),
    "text": ValueKind("text", _TEXT, _A_TEXT, _text, ("", "a", "AbC", "Hello, World 42!", "  x  ")),
    "sentence": ValueKind(
        "text",
        _TEXT,
        ("a sentence", "a text", "a string of words"),
        _sentence,
        ("", "a", "to be or not to be", "Noon  level"),
    ),
    "markup": ValueKind("text", _TEXT, _A_TEXT, _markup, ("", "a", "<&>", "a 'b' \"c\"")),
    "path": ValueKind("text", _TEXT, ("a path",), _path, ("", "a/b.c.d", "/x", "noext", "a.b/c")),
    "name": ValueKind("text", _TEXT, ("a file name",), _name, ("a", "b.txt")),
    "key": ValueKind("text", _TEXT, ("a key",), lambda rng, _: rng.choice(_POOL), ("",)),
    "int": ValueKind("int", _INT, _A_NUMBER, _integer(-30, 60), (0, 1, -1, -7, 100)),
    "nat": ValueKind("int", _INT, _A_NUMBER, _integer(1, 60), (1, 2, 97, 100)),
    "small": ValueKind("int", _INT, _A_NUMBER, _integer(2, 7), (0, 1, 2, 8)),
    "base": ValueKind("int", _INT, _A_NUMBER, _integer(-4, 9), (0, 1)),
    "size": ValueKind("int", _INT, _A_NUMBER, _integer(1, 4), (1, 2)),
    "table": ValueKind(
        "table",
        _TABLE,
        _A_TABLE,
        _table,
        ({}, {"a": 0}, {"b": 4, "a": 4}, {"noon": -4, "Door": 15, "x": 7}),
    ),
}
