"""Strings as words and pieces: order, separators, conditions."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, string
from pytest_coderobust.tiny.parts import WORD_CONDITION

WORDS = (
    family(
        "reversal",
        "sentence",
        "return $code",
        """
        {op}
        a string with {op}
        ! work out {op}
        * what you get for {op}
        """,
        choose(
            Choice(
                "all",
                {
                    "op": (
                        "{A} reversed",
                        "{A} backwards",
                        "the characters of {A} in reverse {order}",
                    )
                },
                {"code": "$a[::-1]"},
            ),
            Choice(
                "words",
                {"op": ("the words of {A} in reverse {order}",)},
                {"code": "' '.join($a.split()[::-1])"},
            ),
            Choice(
                "each",
                {"op": ("the words of {A}, {each} one reversed", "{each} word of {A} reversed")},
                {"code": "' '.join(w[::-1] for w in $a.split())"},
            ),
            Choice(
                "initials",
                {
                    "op": (
                        "the first letters of the words of {A}",
                        "the initials of the words in {A}",
                    )
                },
                {"code": "''.join(w[0] for w in $a.split())"},
            ),
            Choice(
                "finals",
                {"op": ("the last letters of the words of {A}",)},
                {"code": "''.join(w[-1] for w in $a.split())"},
            ),
            Choice(
                "sorted",
                {"op": ("the words of {A} in alphabetical {order}",)},
                {"code": "' '.join(sorted($a.split()))"},
            ),
        ),
    ),
    family(
        "repeated",
        "text",
        "return $sep.join([$a] * $k)",
        """
        {A} repeated {k} times with {sep} in between
        {k} copies of {A}, separated by {sep}
        ! repeat {A} {k} times and put {sep} between the copies
        ! {join} {k} copies of {A} with {sep}
        * {A} written {k} times in a row, with {sep} after all but the last
        """,
        number("k", range(2, 10)),
        string("sep", ("-", ", ", "+", "/", "_", " ", ":")),
    ),
    family(
        "fields",
        "text",
        "return $a.split($sep)$k",
        """
        {k} {A} is split at {sep}
        {k} {A} is cut at {each} {sep}
        ! split {A} at {sep} and return {k} that is done
        * {k} {sep} has been used to divide {A}
        """,
        string("sep", (",", ";", "-", ":", "/", "|", "+", "_")),
        choose(
            Choice("first", {"k": ("the first part after", "the first piece once")}, {"k": "[0]"}),
            Choice("last", {"k": ("the last part after", "the last piece once")}, {"k": "[-1]"}),
            Choice("all", {"k": ("a list of the parts after", "all the pieces once")}, {"k": ""}),
            Choice("reversed", {"k": ("the parts in reverse {order} after",)}, {"k": "[::-1]"}),
            Choice("but_first", {"k": ("all but the first part after",)}, {"k": "[1:]"}),
            name="which",
        ),
    ),
    family(
        "words_where",
        "sentence",
        "return $code",
        """
        {op} {some} in {A}
        {op} {some} that occur in {A}
        ! go through the words of {A} and find {op} {some}
        * {op} {some} that you can read in {A}
        """,
        WORD_CONDITION,
        choose(
            Choice(
                "list",
                {"op": ("a list of the", "all the")},
                {"code": "[w for w in $a.split() if $cond]"},
            ),
            Choice(
                "count", {"op": ("{how_many}",)}, {"code": "sum(1 for w in $a.split() if $cond)"}
            ),
            Choice(
                "text",
                {"op": ("one string with the",)},
                {"code": "' '.join(w for w in $a.split() if $cond)"},
            ),
        ),
    ),
    family(
        "list_words",
        "words",
        "return $code",
        """
        {op} the {some} in {A}
        {op} those {some} that {A} contains
        ! look at {A} and find {op} the {some}
        * for the {some} in {A}, {op} them
        """,
        WORD_CONDITION,
        choose(
            Choice("list", {"op": ("a list of", "all of")}, {"code": "[w for w in $a if $cond]"}),
            Choice(
                "upper",
                {"op": ("an upper case copy of",)},
                {"code": "[w.upper() for w in $a if $cond]"},
            ),
            Choice(
                "lengths",
                {"op": ("the lengths of", "a list of the lengths of")},
                {"code": "[len(w) for w in $a if $cond]"},
            ),
            Choice(
                "sorted",
                {"op": ("a sorted list of", "in alphabetical {order}")},
                {"code": "sorted(w for w in $a if $cond)"},
            ),
        ),
    ),
)
