"""Parts that many families share: conditions on numbers, words and characters, and arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_coderobust.tiny.family import Choice, FamilyPart, Hint


def _condition(
    key: str, code: str, *predicates: str, adjective: str = "", hints: tuple[Hint, ...] = ()
) -> Choice:
    """Makes a condition on a number `x`; the predicates follow "is" or "are"."""
    some = [f"{{numbers}} that are {p}" for p in predicates]
    one = [f"{{number}} that is {p}" for p in predicates]
    if adjective:
        some += [f"{adjective} {{numbers}}"] * 2
        one += [f"{adjective} {{number}}"] * 2
    else:
        some += [f"{{numbers}} {p}" for p in predicates]
        one += [f"{{number}} {p}" for p in predicates]
    prose = {
        "some": tuple(some),
        "one": tuple(one),
        "is": tuple(f"is {p}" for p in predicates),
        "are": tuple(f"are {p}" for p in predicates),
    }
    return Choice(key, prose, {"cond": code, "opposite": _opposite(code)}, hints)


def _opposite(code: str) -> str:
    """Writes the opposite of a comparison as a person would: `x > 3` becomes `x <= 3`."""
    swaps = {"==": "!=", "!=": "==", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}
    parts = code.split(" ")
    if parts.count("<=") == 2:
        return f"not {code}"
    return " ".join(swaps.get(part, part) for part in parts)


def _number_conditions() -> Iterator[Choice]:
    yield _condition("even", "x % 2 == 0", "even", adjective="even")
    yield _condition("odd", "x % 2 != 0", "odd", adjective="odd")
    yield _condition("positive", "x > 0", "positive", "above zero", adjective="positive")
    yield _condition(
        "negative", "x < 0", "negative", "below zero", adjective="negative", hints=(-4,)
    )
    yield _condition("nonzero", "x != 0", "not zero", "different from zero", hints=(0,))
    for k in range(1, 21):
        near = (k - 1, k, k + 1)
        above = (f"greater than {k}", f"larger than {k}", f"above {k}", f"more than {k}")
        below = (f"less than {k}", f"smaller than {k}", f"below {k}")
        yield _condition(f"greater:{k}", f"x > {k}", *above, hints=near)
        yield _condition(f"less:{k}", f"x < {k}", *below, hints=near)
        yield _condition(
            f"least:{k}", f"x >= {k}", f"at least {k}", f"not less than {k}", hints=near
        )
        yield _condition(
            f"most:{k}", f"x <= {k}", f"at most {k}", f"not greater than {k}", hints=near
        )
    for k in range(3, 13):
        divisible = (f"divisible by {k}", f"evenly divisible by {k}")
        yield _condition(f"divisible:{k}", f"x % {k} == 0", *divisible, hints=(k, 2 * k, k + 1))
    for low in (1, 2, 3, 5, 8):
        for high in (9, 10, 12, 15):
            between = (f"between {low} and {high} inclusive", f"in the range from {low} to {high}")
            yield _condition(
                f"between:{low}-{high}", f"{low} <= x <= {high}", *between,
                hints=(low - 1, low, high, high + 1),
            )  # fmt: skip


CONDITION = FamilyPart("condition", tuple(_number_conditions()), fair=True)
"""Conditions on a number `x`: `{some}`, `{one}`, `{is}`, `{are}`; `$cond`, `$opposite`."""


def move_to_argument(part: FamilyPart) -> FamilyPart:
    """Makes a part with the same conditions on the first argument instead of `x`."""
    return FamilyPart(
        part.name, tuple(replace(c, code=_move_to_argument(c.code)) for c in part.choices), True
    )


def _move_to_argument(code: Mapping[str, str]) -> Mapping[str, str]:
    return {slot: re.sub(r"\bx\b", "$a", source) for slot, source in code.items()}


def _transform(key: str, code: str, apply: tuple[str, ...], applied: tuple[str, ...]) -> Choice:
    return Choice(key, {"apply": apply, "applied": applied}, {"new": code})


def _transforms() -> Iterator[Choice]:
    yield _transform("double", "x * 2", ("double {obj}",), ("doubled", "times two"))
    yield _transform("square", "x ** 2", ("square {obj}", "take the square of {obj}"), ("squared",))
    yield _transform("cube", "x ** 3", ("cube {obj}", "take the cube of {obj}"), ("cubed",))
    yield _transform(
        "negate", "-x", ("negate {obj}", "change the sign of {obj}"),
        ("negated", "with the opposite sign"),
    )  # fmt: skip
    yield _transform(
        "absolute", "abs(x)", ("take the absolute value of {obj}", "remove the sign of {obj}"),
        ("without its sign", "as an absolute value"),
    )  # fmt: skip
    for k in range(1, 16):
        yield _transform(
            f"plus:{k}", f"x + {k}", (f"add {k} to {{obj}}", f"increase {{obj}} by {k}"),
            (f"plus {k}", f"increased by {k}"),
        )  # fmt: skip
        yield _transform(
            f"minus:{k}", f"x - {k}",
            (f"subtract {k} from {{obj}}", f"decrease {{obj}} by {k}", f"reduce {{obj}} by {k}"),
            (f"minus {k}", f"decreased by {k}", f"reduced by {k}"),
        )  # fmt: skip
    for k in range(3, 13):
        yield _transform(
            f"times:{k}", f"x * {k}", (f"multiply {{obj}} by {k}", f"scale {{obj}} by {k}"),
            (f"times {k}", f"multiplied by {k}"),
        )  # fmt: skip
        yield _transform(
            f"modulo:{k}", f"x % {k}",
            (f"take the remainder of {{obj}} after division by {k}", f"take {{obj}} modulo {k}"),
            (f"modulo {k}",),
        )  # fmt: skip
        yield _transform(
            f"over:{k}", f"x // {k}", (f"divide {{obj}} by {k} and round down",),
            (f"divided by {k} and rounded down",),
        )  # fmt: skip


TRANSFORM = FamilyPart("transform", tuple(_transforms()), fair=True)
"""Transformations of a number `x`: `{apply}` with an object `{obj}`, `{applied}`; `$new`."""


def _word(key: str, code: str, plural: tuple[str, ...], single: tuple[str, ...],
          hints: tuple[Hint, ...] = ()) -> Choice:  # fmt: skip
    """Makes a condition on a word `w` of verb phrases in the plural and the singular."""
    prose = {
        "some": tuple(f"{{words}} that {p}" for p in plural),
        "one": tuple(f"{{word}} that {p}" for p in single),
        "is": single,
        "are": plural,
    }
    return Choice(key, prose, {"cond": code}, hints)


def _word_conditions() -> Iterator[Choice]:
    for k in range(1, 9):
        near = ("stones"[:k], "umbrellas"[: k + 1])
        yield _word(
            f"longer:{k}", f"len(w) > {k}",
            (f"have more than {k} letters", f"are longer than {k} letters"),
            (f"has more than {k} letters", f"is longer than {k} letters"), near,
        )  # fmt: skip
        yield _word(
            f"shorter:{k}", f"len(w) < {k + 1}",
            (f"have less than {k + 1} letters", f"are shorter than {k + 1} letters"),
            (f"has less than {k + 1} letters", f"is shorter than {k + 1} letters"), near,
        )  # fmt: skip
        yield _word(
            f"length:{k}", f"len(w) == {k}",
            (f"have exactly {k} letters", f"are {k} letters long"),
            (f"has exactly {k} letters", f"is {k} letters long"), near,
        )  # fmt: skip
    for letter in "abcdeglmnoprst":
        q = repr(letter)
        close = (letter, letter + "un", "so" + letter, "de" + letter + "k")
        yield _word(
            f"starts:{letter}", f"w.startswith({q})", (f"start with {q}", f"begin with {q}"),
            (f"starts with {q}", f"begins with {q}"), close,
        )  # fmt: skip
        yield _word(
            f"ends:{letter}", f"w.endswith({q})", (f"end with {q}", f"end in {q}"),
            (f"ends with {q}", f"ends in {q}"), close,
        )  # fmt: skip
        yield _word(
            f"contains:{letter}", f"{q} in w", (f"contain {q}", f"include the letter {q}"),
            (f"contains {q}", f"includes the letter {q}"), close,
        )  # fmt: skip
    yield _word("palindrome", "w == w[::-1]",
                ("are palindromes", "read the same backwards"),
                ("is a palindrome", "reads the same backwards"), ("level", "noon"))  # fmt: skip


WORD_CONDITION = FamilyPart("word_condition", tuple(_word_conditions()), fair=True)
"""Conditions on a word `w`: `{some}`, `{one}`, `{is}`, `{are}`; `$cond`."""


def _character(key: str, code: str, *plurals: str, hints: tuple[Hint, ...] = ()) -> Choice:
    return Choice(key, {"some": plurals}, {"cond": code, "opposite": _negate(code)}, hints)


def _negate(code: str) -> str:
    if " == " in code:
        return code.replace(" == ", " != ")
    if " in " in code:
        return code.replace(" in ", " not in ")
    return code.removeprefix("not ") if code.startswith("not ") else f"not {code}"


CHARACTERS = FamilyPart(
    "characters",
    (
        _character("vowels", "c.lower() in 'aeiou'", "vowels"),
        _character("digits", "c.isdigit()", "digits", "decimal digits", hints=("7 up 42",)),
        _character("upper", "c.isupper()", "upper case letters", "capital letters"),
        _character("lower", "c.islower()", "lower case letters", "small letters"),
        _character("letters", "c.isalpha()", "letters", "letters of the alphabet"),
        _character("spaces", "c == ' '", "spaces", "blanks"),
        _character("symbols", "not c.isalnum()", "symbols that are neither letters nor digits",
                   "signs other than letters and digits", hints=("a-b!", "c#, d")),
        *(
            _character(f"one:{c}", f"c == {c!r}", f"characters equal to {c!r}",
                       f"occurrences of {c!r}", f"copies of the character {c!r}",
                       hints=(c, f"s{c}o{c}", c.upper()))
            for c in "abcdefgilmnoprstu"
        ),
    ),
    fair=True,
)  # fmt: skip
"""Conditions on a character `c`: `{some}`; `$cond`, `$opposite`."""
