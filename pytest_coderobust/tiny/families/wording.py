"""Strings: joining, shortening and checking them."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, string

WORDING = (
    family(
        "extreme_word",
        "words",
        "return $op($a, key=$key)",
        """
        the {key} of {A}, and the first one if several qualify
        the {key} in {A}
        ! find the {key} in {A}
        * the one {element} of {A} that is the {key}
        """,
        choose(
            Choice(
                "longest",
                {"key": ("longest {word}", "{word} with the most characters")},
                {"op": "max", "key": "len"},
            ),
            Choice(
                "shortest",
                {"key": ("shortest {word}", "{word} with the fewest characters")},
                {"op": "min", "key": "len"},
            ),
            Choice(
                "early",
                {"key": ("{word} that comes first in the alphabet",)},
                {"op": "min", "key": "str.lower"},
            ),
            Choice(
                "late",
                {"key": ("{word} that comes last in the alphabet",)},
                {"op": "max", "key": "str.lower"},
            ),
        ),
    ),
    family(
        "joined",
        "words",
        "return $sep.join($code)",
        """
        the {words} in {A}, {op}joined with {sep}
        one string made of the {words} of {A}, {op}with {sep} in between
        ! {join} the {words} of {A}, {op}with {sep} between them
        * {A} as a single string, {op}with {sep} after all but the last {word}
        """,
        string("sep", (", ", "-", " ", "+", "/", "; ", "_", " and ")),
        choose(
            Choice("plain", {"op": ("", "")}, {"code": "$a"}),
            Choice(
                "sorted",
                {"op": ("sorted and ", "in alphabetical {order} and ")},
                {"code": "sorted($a)"},
            ),
            Choice(
                "reversed",
                {"op": ("last {word} first and ", "in reverse {order} and ")},
                {"code": "reversed($a)"},
            ),
            Choice(
                "upper",
                {"op": ("in upper case and ", "in capital letters and ")},
                {"code": "[w.upper() for w in $a]"},
            ),
        ),
    ),
    family(
        "wrapped",
        "text",
        "return $code",
        """
        {A} with {op}
        a string made of {A} with {op}
        ! extend {A} with {op}
        * the same text as {A}, only with {op}
        """,
        string("left", ("<", "(", "[", "*", "--", "=", "begin ")),
        string("right", (">", ")", "]", "!", "++", "?", " end")),
        choose(
            Choice(
                "both",
                {
                    "op": (
                        "{left} before it and {right} after it",
                        "{left} in front and {right} at the end",
                    )
                },
                {"code": "$left + $a + $right"},
            ),
            Choice(
                "swapped",
                {
                    "op": (
                        "{right} before it and {left} after it",
                        "{right} in front and {left} at the end",
                    )
                },
                {"code": "$right + $a + $left"},
            ),
        ),
    ),
    family(
        "shortened",
        "text",
        "return $a if len($a) <= $k else $a[:$k] + $mark",
        """
        {A} cut to {k} characters and followed by {mark} if it is longer
        {A}, or only its first {k} characters and {mark} when it is too long
        ! shorten {A} to {k} characters and add {mark} if anything was cut
        * at most {k} characters of {A}, with {mark} at the end where something is missing
        """,
        number("k", range(2, 13)),
        string("mark", ("...", "~", "!", "+", "-", ".")),
    ),
    family(
        "text_claims",
        "text",
        "return $code",
        """
        ? {op}
        *? it can be said that {op}
        """,
        choose(
            Choice(
                "palindrome",
                {"op": ("{A} is a palindrome", "{A} reads the same in both directions")},
                {"code": "$a == $a[::-1]"},
            ),
            Choice(
                "folded",
                {
                    "op": (
                        "{A} is a palindrome if case is ignored",
                        "{A} reads the same in both directions, ignoring case",
                    )
                },
                {"code": "$a.lower() == $a.lower()[::-1]"},
            ),
            Choice(
                "repeats",
                {
                    "op": (
                        "any character occurs more than once in {A}",
                        "{A} has repeated characters",
                    )
                },
                {"code": "len(set($a)) < len($a)"},
            ),
            Choice(
                "isolated",
                {"op": ("all characters of {A} are different", "no character occurs twice in {A}")},
                {"code": "len(set($a)) == len($a)"},
            ),
            Choice(
                "sorted",
                {"op": ("the characters of {A} are in alphabetical {order}",)},
                {"code": "list($a) == sorted($a)"},
            ),
        ),
    ),
)
