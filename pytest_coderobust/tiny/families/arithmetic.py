"""One or two numbers: arithmetic, words for numbers, other notations."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, string
from pytest_coderobust.tiny.parts import CONDITION, move_to_argument

ARITHMETIC = (
    family(
        "clamp",
        "int",
        "return max($low, min($high, $a))",
        """
        {A} limited to the range from {low} to {high}
        {A}, but not less than {low} and not more than {high}
        ! clamp {A} to the range from {low} to {high}
        ! force {A} to lie between {low} and {high}
        * the nearest {number} to {a} that lies between {low} and {high}
        """,
        number("low", range(10)),
        number("high", range(12, 30, 2)),
    ),
    family(
        "linear",
        "int",
        "return $first",
        """
        {op}
        the {result} of this calculation: {op}
        ! take {a} and {return} {op}
        * what you get for {op}
        """,
        choose(
            Choice(
                "times_plus",
                {"op": ("{k} times {a} plus {m}", "{a} multiplied by {k}, increased by {m}")},
                {"first": "$k * $a + $m"},
            ),
            Choice(
                "times_minus",
                {"op": ("{k} times {a} minus {m}", "{a} multiplied by {k}, decreased by {m}")},
                {"first": "$k * $a - $m"},
            ),
            Choice(
                "plus_times",
                {"op": ("{k} times the {sum} of {a} and {m}",)},
                {"first": "$k * ($a + $m)"},
            ),
            Choice(
                "square_plus",
                {"op": ("the square of {a} times {k} plus {m}",)},
                {"first": "$k * $a ** 2 + $m"},
            ),
        ),
        number("k", range(2, 10)),
        number("m", range(1, 16)),
    ),
    family(
        "two_numbers",
        "int int",
        "return $op",
        """
        {op} of {a} and {b}
        {op} of the two {numbers} {a} and {b}
        ! take {a} and {b} and {return} their {short}
        * for {a} and {b}, their {short}
        """,
        choose(
            Choice("larger", {"op": ("the larger",), "short": ("maximum",)}, {"op": "max($a, $b)"}),
            Choice(
                "smaller", {"op": ("the smaller",), "short": ("minimum",)}, {"op": "min($a, $b)"}
            ),
            Choice(
                "distance",
                {
                    "op": ("the absolute difference", "the distance"),
                    "short": ("absolute difference",),
                },
                {"op": "abs($a - $b)"},
            ),
            Choice(
                "average",
                {"op": ("the average", "half the {sum}"), "short": ("average",)},
                {"op": "($a + $b) / 2"},
            ),
            Choice("product", {"op": ("the product",), "short": ("product",)}, {"op": "$a * $b"}),
            Choice(
                "squares",
                {"op": ("the {sum} of the squares",), "short": ("sum of squares",)},
                {"op": "$a ** 2 + $b ** 2"},
            ),
        ),
    ),
    family(
        "grade",
        "int",
        "return $yes if $cond else $no",
        """
        {yes} if {a} {is} and {no} otherwise
        {yes} when {A} {is}, else {no}
        ! answer {yes} if {a} {is} and {no} if not
        * one of two strings, {yes} in case {a} {is}, {no} in all other cases
        """,
        move_to_argument(CONDITION),
        string("yes", ("yes", "ok", "high", "good", "hot", "big", "open", "in")),
        string("no", ("no", "bad", "low", "cold", "small", "shut", "out", "none")),
    ),
    family(
        "buzz",
        "nat",
        "return $word if $a % $k == 0 else $other",
        """
        {word} if {a} is a multiple of {k} and {other} otherwise
        {word} for multiples of {k} and {other} for all other {numbers}
        ! answer {word} when {k} divides {a} and {other} if not
        * {other}, unless {A} is a multiple of {k}: then {word}
        """,
        number("k", range(2, 13)),
        string("word", ("fizz", "buzz", "ping", "tick", "beep", "hop")),
        choose(
            Choice("number", {"other": ("the {number} itself", "{a} itself")}, {"other": "$a"}),
            Choice(
                "text",
                {"other": ("the {number} as a string", "{a} as a string")},
                {"other": "str($a)"},
            ),
            Choice("empty", {"other": ("an empty string",)}, {"other": "''"}),
            name="other",
        ),
    ),
    family(
        "based",
        "nat",
        "return $code",
        """
        {A} written in {op}
        the {op} digits of {a} as a string
        the {op} form of {a}
        ! convert {A} to {op}
        * a string that shows {a} in {op}
        """,
        choose(
            Choice("binary", {"op": ("binary", "base 2")}, {"code": "format($a, 'b')"}),
            Choice("octal", {"op": ("octal", "base 8")}, {"code": "format($a, 'o')"}),
            Choice("hex", {"op": ("hexadecimal", "base 16")}, {"code": "format($a, 'x')"}),
        ),
    ),
    family(
        "padded",
        "nat",
        "return str($a).$how($k, $fill)",
        """
        {a} as a string of length {k}, padded with {fill} on the {op}
        the digits of {a}, filled up with {fill} on the {op} to length {k}
        ! pad {a} with {fill} on the {op} until it has {k} characters
        * {a} as text, {k} characters wide, with {fill} as filling on the {op}
        """,
        number("k", range(3, 11)),
        string("fill", ("0", "*", "-", ".", "#", "_")),
        choose(
            Choice("left", {"op": ("left",)}, {"how": "rjust"}),
            Choice("right", {"op": ("right",)}, {"how": "ljust"}),
        ),
    ),
    family(
        "steps",
        "nat",
        """
        count = 0
        while $cond:
            $a = $new
            count += 1
        return count
        """,
        """
        {how_many} times {a} can be {op}
        {how_many} steps in which {a} can be {op}
        ! {count} how often {a} can be {op}
        * the length of the way on which {a} is {op}
        """,
        choose(
            *(
                Choice(
                    f"divided:{k}",
                    {"op": (f"divided by {k} and rounded down before it reaches zero",)},
                    {"cond": "$a > 0", "new": f"$a // {k}"},
                )
                for k in range(2, 12)
            ),
            *(
                Choice(
                    f"reduced:{k}",
                    {"op": (f"reduced by {k} while it is at least {k}",)},
                    {"cond": f"$a >= {k}", "new": f"$a - {k}"},
                )
                for k in range(2, 12)
            ),
            fair=True,
        ),
    ),
)
