"""Dictionaries as results: mappings, counts, groups, merges."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family
from pytest_coderobust.tiny.parts import CONDITION, TRANSFORM, WORD_CONDITION

TABLES = (
    family(
        "described",
        "words",
        "return {w: $new for w in $a$cond}",
        """
        a dictionary from {each} {word} in {A}{cond} to {op}
        a mapping of the {words} in {A}{cond} to {op}
        ! map {each} {word} in {A}{cond} to {op}
        * a table with {each} {word} of {A}{cond} as key and {op} as value
        """,
        choose(
            Choice("length", {"op": ("its length", "its number of characters")}, {"new": "len(w)"}),
            Choice("upper", {"op": ("its upper case form",)}, {"new": "w.upper()"}),
            Choice(
                "reverse", {"op": ("its reverse", "the same {word} backwards")}, {"new": "w[::-1]"}
            ),
            Choice("first", {"op": ("its first letter",)}, {"new": "w[0]"}),
            Choice("last", {"op": ("its last letter",)}, {"new": "w[-1]"}),
        ),
        choose(
            Choice("all", {"cond": ("",)}, {"cond": ""}),
            *(
                Choice(
                    c.key,
                    {"cond": tuple(f" that {p}" for p in c.prose["is"])},
                    {"cond": f" if {c.code['cond']}"},
                    c.hints,
                )
                for c in WORD_CONDITION.choices
            ),
            name="cond",
            fair=True,
        ),
    ),
    family(
        "counted",
        "list",
        """
        count = {}
        for x in $a:
            count[x] = count.get(x, $k) + $m
        return count
        """,
        """
        a dictionary that counts the {elements} of {A}, {op}
        {how_many} times {each} {element} occurs in {A}, as a dictionary, {op}
        ! {count} {each} {element} of {A} in a dictionary, {op}
        * a table with {each} {element} of {A} and its frequency, {op}
        """,
        choose(
            *(
                Choice(
                    f"start:{k}",
                    {"op": (f"starting at {k}", f"beginning with {k}")},
                    {"k": str(k), "m": "1"},
                )
                for k in range(10)
            ),
            *(
                Choice(
                    f"step:{m}",
                    {"op": (f"in steps of {m}", f"with {m} points each time")},
                    {"k": "0", "m": str(m)},
                )
                for m in range(2, 12)
            ),
            fair=True,
        ),
    ),
    family(
        "grouped",
        "words",
        """
        groups = {}
        for w in $a:
            groups.setdefault($key, []).append($new)
        return groups
        """,
        """
        the {words} in {A}, {new}grouped by {op}
        a dictionary from {op} to the {words} of {A}, {new}in {order}
        ! group the {words} of {A}, {new}by {op}
        * {A}, {new}split into groups that share {op}
        """,
        choose(
            Choice("length", {"op": ("their length",)}, {"key": "len(w)"}),
            Choice("first", {"op": ("their first letter",)}, {"key": "w[0]"}),
            Choice("last", {"op": ("their last letter",)}, {"key": "w[-1]"}),
            Choice("lower", {"op": ("their lower case form",)}, {"key": "w.lower()"}),
        ),
        choose(
            Choice("plain", {"new": ("", "")}, {"new": "w"}),
            Choice(
                "upper",
                {"new": ("in upper case and ", "in capital letters and ")},
                {"new": "w.upper()"},
            ),
            Choice(
                "reversed",
                {"new": ("each reversed and ", "spelled backwards and ")},
                {"new": "w[::-1]"},
            ),
            name="new",
        ),
    ),
    family(
        "merged",
        "table table",
        "return $code",
        """
        {op}
        ! work out {op}
        ! {make} {op}
        * one dictionary, namely {op}
        """,
        choose(
            Choice(
                "second",
                {
                    "op": (
                        "{a} and {b} merged, where {b} wins",
                        "the entries of {a} and {b}, with those of {b} preferred",
                    )
                },
                {"code": "{**$a, **$b}"},
            ),
            Choice(
                "first",
                {
                    "op": (
                        "{a} and {b} merged, where {a} wins",
                        "the entries of {a} and {b}, with those of {a} preferred",
                    )
                },
                {"code": "{**$b, **$a}"},
            ),
            Choice(
                "common",
                {"op": ("the entries of {a} whose keys are also in {b}",)},
                {"code": "{w: x for w, x in $a.items() if w in $b}"},
            ),
            Choice(
                "missing",
                {"op": ("the entries of {a} whose keys are not in {b}",)},
                {"code": "{w: x for w, x in $a.items() if w not in $b}"},
            ),
            Choice(
                "sum",
                {"op": ("the common keys of {a} and {b} with the {sum} of both values",)},
                {"code": "{w: x + $b[w] for w, x in $a.items() if w in $b}"},
            ),
        ),
    ),
    family(
        "indexed",
        "ints",
        "return {x: $new for x in $a if $cond}",
        """
        a dictionary from {each} {one} in {A} to the same {number} {applied}
        a mapping of the {some} in {A} to these {numbers} {applied}
        ! map {each} {one} in {A} to the same {number} {applied}
        * a table whose keys are the {some} of {A} and whose values are the keys {applied}
        """,
        CONDITION,
        TRANSFORM,
        slots={"obj": ("it",)},
    ),
)
