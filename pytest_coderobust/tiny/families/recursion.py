"""Functions that call themselves."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option

RECURSION = (
    family(
        "recursive_series",
        "small",
        """
        if $a == 0:
            return $k
        return $new $op $f($a - 1)
        """,
        """
        {op} from 1 to {a}, starting with {k}, by recursion
        recursively {op} from 1 to {a}, with {k} as the value for zero
        ! use recursion to find {op} from 1 to {a}, where zero gives {k}
        * with a function that calls itself and gives {k} for zero, {op} from 1 to {a}
        """,
        number("k", range(1, 13)),
        choose(
            Choice("sum", {"op": ("the {sum} of all {numbers}",)}, {"new": "$a", "op": "+"}),
            Choice(
                "squares",
                {"op": ("the {sum} of the squares of all {numbers}",)},
                {"new": "$a ** 2", "op": "+"},
            ),
            Choice(
                "cubes",
                {"op": ("the {sum} of the cubes of all {numbers}",)},
                {"new": "$a ** 3", "op": "+"},
            ),
            Choice("product", {"op": ("the product of all {numbers}",)}, {"new": "$a", "op": "*"}),
        ),
    ),
    family(
        "fibonacci",
        "small",
        """
        if $a < 2:
            return $k if $a == 0 else $m
        return $f($a - 1) $op $f($a - 2)
        """,
        """
        term {a} of the {order} that starts with {k} and {m}, where {each} term is {op} the \
two before it
        {element} {a} of a {order} with {k} and {m} at the {start} in which {each} term is {op} \
the last two
        ! {start} with {k} and {m}, let {each} term be {op} the two before it, and return term {a}
        * what stands at {position} {a} if {k} and {m} come first and then always {op} the last two
        """,
        number("k", range(6)),
        number("m", range(1, 8)),
        choose(
            option("sum", "+", "the {sum} of"),
            option("difference", "-", "the difference of"),
            option("product", "*", "the product of"),
        ),
        slots={"start": ("start", "beginning"), "order": ("sequence", "series")},
    ),
    family(
        "recursive_digits",
        "nat",
        """
        if $a < 10:
            return $last
        return $step + $f($a // 10)
        """,
        """
        recursively {op} of {a}
        {op} of {A}, by recursion
        ! use recursion to find {op} of {a}
        * with a function that calls itself, {op} of {A}
        """,
        choose(
            Choice("sum", {"op": ("the {sum} of the digits",)}, {"last": "$a", "step": "$a % 10"}),
            Choice("count", {"op": ("{how_many} digits",)}, {"last": "1", "step": "1"}),
            Choice(
                "squares",
                {"op": ("the {sum} of the squared digits",)},
                {"last": "$a ** 2", "step": "($a % 10) ** 2"},
            ),
            Choice(
                "even",
                {"op": ("{how_many} even digits",)},
                {"last": "int($a % 2 == 0)", "step": "int($a % 2 == 0)"},
            ),
            Choice("odd", {"op": ("{how_many} odd digits",)}, {"last": "$a % 2", "step": "$a % 2"}),
        ),
    ),
    family(
        "countdown",
        "small",
        """
        if $a <= 0:
            return [$k]
        return $code
        """,
        """
        recursively a list that {op} and {k} in place of zero
        a list, built by recursion, that {op} and {k} in place of zero
        ! use recursion to {make} a list that {op} and {k} in place of zero
        * by self calls, a list that {op} and {k} in place of zero
        """,
        number("k", range(1, 16)),
        choose(
            Choice(
                "down",
                {"op": ("counts down from {a} to 1, then has zero",)},
                {"code": "[$a] + $f($a - 1)"},
            ),
            Choice(
                "up",
                {"op": ("starts at zero and counts up to {a}",)},
                {"code": "$f($a - 1) + [$a]"},
            ),
            Choice(
                "twos",
                {"op": ("counts down from {a} in steps of two to zero or less",)},
                {"code": "[$a] + $f($a - 2)"},
            ),
            Choice(
                "mirror",
                {"op": ("counts down from {a} to zero and up again",)},
                {"code": "[$a] + $f($a - 1) + [$a]"},
            ),
        ),
    ),
    family(
        "nested",
        "nested",
        """
        total = $start
        for x in $a:
            if isinstance(x, list):
                total += $f(x)
            else:
                total += $one
        return total
        """,
        """
        {op} in the nested list {a}, at any depth
        {op} in {a} and in the lists inside it
        ! go through the nested list {a} and find {op}
        * {op} that {a} holds, however deeply nested
        """,
        choose(
            Choice("sum", {"op": ("the {sum} of all {numbers}",)}, {"start": "0", "one": "x"}),
            Choice("count", {"op": ("{how_many} {numbers}",)}, {"start": "0", "one": "1"}),
            Choice(
                "flat", {"op": ("a flat list of all {numbers}",)}, {"start": "[]", "one": "[x]"}
            ),
            Choice(
                "squares",
                {"op": ("the {sum} of the squares of all {numbers}",)},
                {"start": "0", "one": "x ** 2"},
            ),
            Choice(
                "doubled",
                {"op": ("twice the {sum} of all {numbers}",)},
                {"start": "0", "one": "x * 2"},
            ),
        ),
    ),
    family(
        "recursive_fold",
        "ints",
        """
        if not $a:
            return $k
        return $new
        """,
        """
        recursively {op} {A}, with {k} for an empty list
        {op} {A} by recursion, where an empty list gives {k}
        ! use recursion to find {op} {A}, and {k} for an empty list
        * by self calls {op} {A}, and {k} where nothing is left
        """,
        number("k", range(12)),
        choose(
            Choice("sum", {"op": ("the {sum} of",)}, {"new": "$a[0] + $f($a[1:])"}),
            Choice("product", {"op": ("the product of",)}, {"new": "$a[0] * $f($a[1:])"}),
            Choice(
                "largest",
                {"op": ("the maximum of", "the {largest} {number} of")},
                {"new": "max($a[0], $f($a[1:]))"},
            ),
            Choice(
                "smallest",
                {"op": ("the minimum of", "the {smallest} {number} of")},
                {"new": "min($a[0], $f($a[1:]))"},
            ),
            Choice(
                "alternating", {"op": ("the alternating {sum} of",)}, {"new": "$a[0] - $f($a[1:])"}
            ),
        ),
    ),
    family(
        "recursive_power",
        "base small",
        """
        if $b == 0:
            return $k
        return $a $op $f($a, $b - 1)
        """,
        """
        {op} {b} copies of {a}, starting from {k}, by recursion
        recursively {op} {b} copies of the {number} {a}, with {k} at the start
        ! use recursion to find {op} {b} copies of {a}, starting from {k}
        * by self calls {op} {k} and then {b} copies of {a}
        """,
        number("k", range(1, 12)),
        choose(
            option("product", "*", "the product of"),
            option("sum", "+", "the {sum} of"),
        ),
    ),
)
