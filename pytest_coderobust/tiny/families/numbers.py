"""Numbers and their parts: digits, ranges, divisors, primes."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, option
from pytest_coderobust.tiny.parts import CONDITION

_FOLD = choose(
    Choice("sum", {"fold": ("the {sum} of", )}, {"fold": "sum"}),
    Choice("count", {"fold": ("{how_many}",)}, {"fold": "len"}),
    Choice("list", {"fold": ("a list of", "all")}, {"fold": "list"}),
    Choice("largest", {"fold": ("the {largest} of",)}, {"fold": "max"}),
    Choice("smallest", {"fold": ("the {smallest} of",)}, {"fold": "min"}),
    name="fold",
)  # fmt: skip

NUMBERS = (
    family(
        "digits_fold",
        "nat",
        "return $op(int(d) for d in str($a))",
        """
        {op} of the digits of {a}
        {op} of all decimal digits of {A}
        ! go through the digits of {A} and find {op} of them
        * {op} of what {A} is written with, digit by digit
        """,
        choose(
            option("sum", "sum", "the {sum}"),
            option("largest", "max", "the {largest}", "the maximum"),
            option("smallest", "min", "the {smallest}", "the minimum"),
            option("sorted", "sorted", "a sorted list"),
            option("list", "list", "a list"),
            option("set", "set", "the set"),
        ),
    ),
    family(
        "digits_where",
        "nat",
        "return sum($what for x in map(int, str($a)) if $cond)",
        """
        {fold} digits of {A} that {are}
        {fold} those digits of {a} that {are}
        ! go through the digits of {a} and find {fold} those that {are}
        * for the digits of {A} that {are}, {fold} them
        """,
        CONDITION,
        choose(
            Choice("sum", {"fold": ("the {sum} of the",)}, {"what": "x"}),
            Choice("count", {"fold": ("{how_many}",)}, {"what": "1"}),
            name="fold",
        ),
    ),
    family(
        "range_where",
        "nat",
        "return $fold([x for x in range(1, $a + 1) if $cond])",
        """
        {fold} {some} from 1 to {a}
        {fold} {some} between 1 and {a}
        ! count up from 1 to {a} and find {fold} {some}
        * {fold} {some} that you meet on the way from 1 to {a}
        """,
        CONDITION,
        choose(*_FOLD.choices[:3], name="fold"),
    ),
    family(
        "divisors",
        "nat",
        "return $fold([d for d in range($low, $high) if $a % d == 0])",
        """
        {fold} {op} of {A}
        {fold} {op} that {A} has
        ! find {fold} {op} of {A}
        * {fold} {op} into which {a} can be divided
        """,
        choose(
            Choice(
                "all", {"op": ("divisors", "positive divisors")}, {"low": "1", "high": "$a + 1"}
            ),
            Choice(
                "proper",
                {"op": ("proper divisors", "divisors smaller than itself")},
                {"low": "1", "high": "$a"},
            ),
            Choice(
                "big",
                {"op": ("divisors greater than 1", "divisors other than 1")},
                {"low": "2", "high": "$a + 1"},
            ),
        ),
        choose(*_FOLD.choices[:3], name="fold"),
    ),
    family(
        "primes",
        "nat",
        "return $fold([x for x in range(2, $a + $edge) if all(x % d for d in range(2, x))])",
        """
        {fold} prime numbers {op} {a}
        {fold} primes {op} {a}
        ! find {fold} primes {op} {a}
        * {fold} numbers {op} {a} that only 1 and the number itself divide
        """,
        choose(*_FOLD.choices[:3], name="fold"),
        choose(
            Choice("up_to", {"op": ("up to and including", "not greater than")}, {"edge": "1"}),
            Choice("below", {"op": ("below", "less than", "smaller than")}, {"edge": "0"}),
        ),
    ),
)
