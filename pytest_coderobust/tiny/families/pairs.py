"""Neighbours, two lists at once, lists of lists."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option

_PAIRWISE = choose(
    Choice("sum", {"op": ("sums", "totals")}, {"new": "x + y"}),
    Choice("product", {"op": ("products",)}, {"new": "x * y"}),
    Choice("difference", {"op": ("differences",)}, {"new": "x - y"}),
    Choice("larger", {"op": ("maxima", "larger ones")}, {"new": "max(x, y)"}),
    Choice("smaller", {"op": ("minima", "smaller ones")}, {"new": "min(x, y)"}),
)

PAIRS = (
    family(
        "neighbours",
        "ints",
        "return [$new for x, y in zip($a, $a[1:])]",
        """
        the {op} of neighbouring {numbers} in {A}
        a list of the {op} of {each} two adjacent {numbers} in {A}
        ! collect the {op} of adjacent {numbers} in {A}
        * for {each} {number} in {A} and the one after it, the {op}
        """,
        choose(
            *_PAIRWISE.choices,
            Choice("gap", {"op": ("gaps", "absolute differences")}, {"new": "abs(x - y)"}),
        ),
    ),
    family(
        "elementwise",
        "ints ints",
        "return [$new for x, y in zip($a, $b)]",
        """
        the {op} of the {numbers} at the same {position} in {a} and {b}
        a list of the {op} of corresponding {numbers} in {a} and {b}
        ! walk through {a} and {b} together and collect the {op}
        * the {op} you get from {a} and {b}, {position} by {position}
        """,
        _PAIRWISE,
    ),
    family(
        "fold_pairs",
        "ints ints",
        "return $fold($new for x, y in zip($a, $b))",
        """
        the {fold} of the {op} of the {numbers} at the same {position} in {a} and {b}
        the {fold} of all {op} of corresponding {numbers} in {a} and {b}
        ! form the {op} of corresponding {numbers} in {a} and {b} and find their {fold}
        * the {fold} over all {op} that {a} and {b} give {position} by {position}
        """,
        _PAIRWISE,
        choose(
            option("sum", "sum", "sum", "total", slot="fold"),
            option("largest", "max", "maximum", slot="fold"),
            option("smallest", "min", "minimum", slot="fold"),
            name="fold",
        ),
    ),
    family(
        "membership",
        "list list",
        "return $wrap($code)",
        """
        {wrap} the {elements} {op}
        {wrap} those {elements} {op}
        ! {keep} the {elements} {op} and return {wrap} them
        * {wrap} everything {op}
        """,
        choose(
            Choice(
                "both",
                {"op": ("of {a} that are also in {b}", "that {a} shares with {b}")},
                {"code": "x for x in $a if x in $b"},
            ),
            Choice(
                "left",
                {"op": ("of {a} that are not in {b}", "of {a} missing from {b}")},
                {"code": "x for x in $a if x not in $b"},
            ),
            Choice(
                "right",
                {"op": ("of {b} that are not in {a}", "of {b} missing from {a}")},
                {"code": "x for x in $b if x not in $a"},
            ),
        ),
        choose(
            Choice("list", {"wrap": ("a list of",)}, {"wrap": "list"}),
            Choice(
                "sorted", {"wrap": ("a sorted list of", "in sorted {order}")}, {"wrap": "sorted"}
            ),
            Choice("set", {"wrap": ("the set of", "a set of")}, {"wrap": "set"}),
            name="wrap",
        ),
    ),
    family(
        "pair_count",
        "ints",
        """
        count = 0
        for i, x in enumerate($a):
            for y in $a[i + 1:]:
                if $cond:
                    count += 1
        return count
        """,
        """
        {how_many} pairs in {A} whose {op}
        {how_many} pairs of {numbers} from {A} whose {op}
        ! {count} the pairs in {A} whose {op}
        * how often two {numbers} of {A} make a pair whose {op}
        """,
        number("k", range(2, 25)),
        choose(
            Choice(
                "sum",
                {"op": ("sum is {k}", "sum {equals} {k}", "total is {k}")},
                {"cond": "x + y == $k"},
            ),
            Choice(
                "product",
                {"op": ("product is {k}", "product {equals} {k}")},
                {"cond": "x * y == $k"},
            ),
            Choice(
                "gap",
                {"op": ("absolute difference is {k}", "distance is {k}")},
                {"cond": "abs(x - y) == $k"},
            ),
        ),
    ),
    family(
        "rows",
        "rows",
        "return $code",
        """
        {op} {A}
        a list of {op} {A}
        {op} the nested list {a}
        * {op} a grid such as {a}
        """,
        choose(
            Choice(
                "sums",
                {"op": ("the {sum} of {each} row of",)},
                {"code": "[sum(row) for row in $a]"},
            ),
            Choice(
                "maxima",
                {"op": ("the maximum of {each} row of", "the {largest} {number} of {each} row of")},
                {"code": "[max(row) for row in $a]"},
            ),
            Choice(
                "lengths",
                {"op": ("the length of {each} row of",)},
                {"code": "[len(row) for row in $a]"},
            ),
            Choice(
                "reversed",
                {"op": ("{each} row reversed of", "the reversed rows of")},
                {"code": "[row[::-1] for row in $a]"},
            ),
            Choice(
                "sorted",
                {"op": ("{each} row sorted of", "the sorted rows of")},
                {"code": "[sorted(row) for row in $a]"},
            ),
            Choice(
                "firsts",
                {"op": ("the first {number} of {each} row of",)},
                {"code": "[row[0] for row in $a]"},
            ),
        ),
    ),
    family(
        "inserted",
        "list",
        "return $code",
        """
        {A} with {k} {op}
        a new list like {A} with {k} {op}
        ! put {k} into {A}, {op}
        * a copy of {A} that has {k} {op}
        """,
        number("k", range(10)),
        choose(
            Choice(
                "front",
                {"op": ("at the front", "before the first {element}")},
                {"code": "[$k] + $a"},
            ),
            Choice(
                "end", {"op": ("at the end", "after the last {element}")}, {"code": "$a + [$k]"}
            ),
            Choice(
                "both",
                {"op": ("at both ends", "at the front and at the end")},
                {"code": "[$k] + $a + [$k]"},
            ),
        ),
    ),
)
