"""Functions of modules that calculate: math and statistics."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option
from pytest_coderobust.tiny.parts import CONDITION

MATHEMATICS = (
    family(
        "square_root",
        "nat",
        "import math\nreturn $code",
        """
        the square root of {A}{op}
        the root of {a}{op}
        ! take the square root of {A}{op}
        * the {number} whose square is {a}{op}
        """,
        choose(
            Choice("plain", {"op": ("", "")}, {"code": "math.sqrt($a)"}),
            *(
                Choice(
                    f"plus:{k}",
                    {"op": (f" plus {k}", f", increased by {k}")},
                    {"code": f"math.sqrt($a) + {k}"},
                )
                for k in range(1, 13)
            ),
            *(
                Choice(
                    f"times:{k}",
                    {"op": (f" times {k}", f", multiplied by {k}")},
                    {"code": f"math.sqrt($a) * {k}"},
                )
                for k in range(2, 13)
            ),
            *(
                Choice(
                    f"rounded:{k}",
                    {"op": (f" rounded to {k} decimals",)},
                    {"code": f"round(math.sqrt($a), {k})"},
                )
                for k in range(1, 6)
            ),
            fair=True,
        ),
        api="math.sqrt",
    ),
    family(
        "rounded",
        "int",
        "import math\nreturn math.$op($a / $k)",
        """
        {a} divided by {k} and rounded {op} to a whole {number}
        the quotient of {a} and {k}, rounded {op}
        ! divide {a} by {k} and round {op}
        * {a} over {k}, brought {op} to the next whole {number}
        """,
        number("k", range(2, 16)),
        choose(
            option("up", "ceil", "up", "upwards", api="math.ceil"),
            option("down", "floor", "down", "downwards", api="math.floor"),
        ),
    ),
    family(
        "common_divisor",
        "nat nat",
        "import math\nreturn math.$op($a, $b)$more",
        """
        the {op} of {a} and {b}{more}
        the {op} of the two {numbers} {a} and {b}{more}
        ! {return} the {op} of {a} and {b}{more}
        * for {a} and {b}, their {op}{more}
        """,
        choose(
            option(
                "gcd", "gcd", "greatest common divisor", "largest common divisor", api="math.gcd"
            ),
            option(
                "lcm", "lcm", "least common multiple", "smallest common multiple", api="math.lcm"
            ),
        ),
        choose(
            Choice("plain", {"more": ("", "")}, {"more": ""}),
            *(
                Choice(f"plus:{k}", {"more": (f" plus {k}",)}, {"more": f" + {k}"})
                for k in range(1, 13)
            ),
            name="more",
            fair=True,
        ),
    ),
    family(
        "arrangements",
        "small",
        "import math\nreturn math.$op",
        """
        {op}
        ! {return} {op}
        ! work out {op}
        * for {a}, {op}
        """,
        choose(
            Choice(
                "factorial",
                {"op": ("the factorial of {a} divided by {k} and rounded down",)},
                {"op": "factorial($a) // $k"},
                api="math.factorial",
            ),
            Choice(
                "choose",
                {"op": ("{how_many} ways to choose {k} out of {a} things",)},
                {"op": "comb($a, $k)"},
                api="math.comb",
            ),
            Choice(
                "arrange",
                {"op": ("{how_many} ways to arrange {k} out of {a} things in a row",)},
                {"op": "perm($a, $k)"},
                api="math.perm",
            ),
        ),
        number("k", range(1, 10)),
    ),
    family(
        "product_of",
        "ints",
        "import math\nreturn math.prod($what) $op $k",
        """
        the product of {what}, {op} {k}
        ! multiply {what} with each other, then give the product {op} {k}
        ! take the product of {what}, {op} {k}
        * all of {what} multiplied up, {op} {k}
        """,
        choose(
            Choice("all", {"what": ("{A}", "the {numbers} in {A}")}, {"what": "$a"}),
            Choice("tail", {"what": ("{A} after the first {number}",)}, {"what": "$a[1:]"}),
            name="what",
        ),
        choose(
            option("plus", "+", "plus", "increased by"),
            option("minus", "-", "minus", "decreased by"),
            option("modulo", "%", "modulo"),
        ),
        number("k", range(2, 14)),
        api="math.prod",
    ),
    family(
        "average_of",
        "ints",
        "import statistics\nreturn statistics.$op($what)",
        """
        the {op} of {what}
        the {op} over {what}
        ! {return} the {op} of {what}
        * as far as {what} go, their {op}
        """,
        choose(
            option("mean", "mean", "arithmetic mean", "average", api="statistics.mean"),
            option("median", "median", "median", "middle value", api="statistics.median"),
            option("mode", "mode", "mode", "most frequent value", api="statistics.mode"),
        ),
        choose(
            Choice(
                "all", {"what": ("the {numbers} in {A}", "all {numbers} in {A}")}, {"what": "$a"}
            ),
            *(
                Choice(
                    f"cut:{k}",
                    {"what": (f"the first {k} {{numbers}} in {{A}}",)},
                    {"what": f"$a[:{k}]"},
                )
                for k in range(2, 9)
            ),
            *(
                Choice(
                    c.key,
                    {"what": tuple(f"the {p} in {{A}}" for p in c.prose["some"])},
                    {"what": f"[x for x in $a if {c.code['cond']}]"},
                    c.hints,
                )
                for c in CONDITION.choices
            ),
            name="what",
            fair=True,
        ),
    ),
)
