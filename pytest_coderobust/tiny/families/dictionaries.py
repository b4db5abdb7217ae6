"""Dictionaries as arguments: lookups, filters, inversions."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option
from pytest_coderobust.tiny.parts import CONDITION, TRANSFORM, WORD_CONDITION

DICTIONARIES = (
    family(
        "looked_up",
        "table key",
        "return $a.get($b, $k)",
        """
        what {a} holds for the key {b}, or {k} if the key is missing
        the value stored under {b} in {A}, with {k} as default
        ! look up {b} in {A} and use {k} if it is not there
        ! {return} the entry of {A} for {b}, or {k} for an unknown key
        * {k}, unless {b} is a key of {a}: then its value
        """,
        number("k", range(20)),
    ),
    family(
        "table_fold",
        "table",
        "return $op(x for x in $a.values() if $cond)",
        """
        {op} of the values in {A} that {are}
        {op} of those values of {A} that {are}
        ! look at the values of {A} and find {op} of those that {are}
        * for the values of {A} that {are}, {op}
        """,
        CONDITION,
        choose(
            option("sum", "sum", "the {sum}"),
            option("largest", "max", "the maximum"),
            option("smallest", "min", "the minimum"),
        ),
    ),
    family(
        "keys_where",
        "table",
        "return $wrap(w for w, x in $a.items() if $cond)",
        """
        {wrap} the keys of {A} whose value {is}
        {wrap} those keys of {A} that belong to a value that {is}
        ! {keep} the keys of {A} whose value {is} and return {wrap} them
        * for {each} value in {A} that {is}, its key, as {wrap} keys
        """,
        CONDITION,
        choose(
            option("list", "list", "a list of", slot="wrap"),
            option("sorted", "sorted", "a sorted list of", slot="wrap"),
            name="wrap",
        ),
    ),
    family(
        "table_where",
        "table",
        "return {w: x for w, x in $a.items() if $cond}",
        """
        a dictionary with the entries of {A} whose {op}
        the part of {A} where the {op}
        ! filter {A} so that only entries remain whose {op}
        ! {keep} only the entries of {A} whose {op}
        * {A} reduced to the entries whose {op}
        """,
        choose(
            *(
                Choice(
                    f"value-{c.key}",
                    {"op": tuple(f"value {p}" for p in c.prose["is"])},
                    c.code,
                    c.hints,
                )
                for c in CONDITION.choices
            ),
            *(
                Choice(
                    f"key-{c.key}",
                    {"op": tuple(f"key {p}" for p in c.prose["is"])},
                    c.code,
                    c.hints,
                )
                for c in WORD_CONDITION.choices
            ),
            fair=True,
        ),
    ),
    family(
        "table_map",
        "table",
        "return {w: $new for w, x in $a.items()}",
        """
        a dictionary like {A} with {each} value {applied}
        {A} with all its values {applied}
        ! {apply} and keep the keys
        ! {make} a copy of {A} in which {each} value is {applied}
        * the keys of {A}, {each} one with its value {applied}
        """,
        TRANSFORM,
        slots={"obj": ("{each} value in {A}", "all values of {A}")},
    ),
    family(
        "inverted",
        "table",
        "return $code",
        """
        {op}
        ! work out {op}
        ! {make} {op}
        * what one would call {op}
        """,
        choose(
            Choice(
                "swap",
                {
                    "op": (
                        "a dictionary from the values of {A} to its keys",
                        "{A} with keys and values swapped",
                    )
                },
                {"code": "{x: w for w, x in $a.items()}"},
            ),
            Choice(
                "pairs",
                {"op": ("a list of the pairs of key and value in {A}",)},
                {"code": "list($a.items())"},
            ),
            Choice(
                "by_key",
                {"op": ("a list of the pairs in {A}, sorted by key",)},
                {"code": "sorted($a.items())"},
            ),
            Choice(
                "by_value",
                {"op": ("the keys of {A}, sorted by their values",)},
                {"code": "sorted($a, key=$a.get)"},
            ),
            Choice("keys", {"op": ("a sorted list of the keys of {A}",)}, {"code": "sorted($a)"}),
            Choice(
                "values",
                {"op": ("a sorted list of the values of {A}",)},
                {"code": "sorted($a.values())"},
            ),
        ),
    ),
    family(
        "best_key",
        "table",
        "return $op($a, key=$a.get)$cut",
        """
        {op} value in {A}
        {op} value that {A} holds
        ! search {A} for {op} value
        * in {A}, {op} value
        """,
        choose(
            Choice(
                "largest",
                {"op": ("the key with the {largest}", "the key that has the maximum")},
                {"op": "max", "cut": ""},
            ),
            Choice(
                "smallest",
                {"op": ("the key with the {smallest}", "the key that has the minimum")},
                {"op": "min", "cut": ""},
            ),
            Choice(
                "first_letter",
                {"op": ("the first letter of the key with the {largest}",)},
                {"op": "max", "cut": "[0]"},
            ),
            Choice(
                "last_letter",
                {"op": ("the last letter of the key with the {largest}",)},
                {"op": "max", "cut": "[-1]"},
            ),
        ),
    ),
)
