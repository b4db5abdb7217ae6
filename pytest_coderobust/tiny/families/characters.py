"""Strings as characters: classes of them, case, slices."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option, string
from pytest_coderobust.tiny.parts import CHARACTERS

CHARACTER_STRINGS = (
    family(
        "count_characters",
        "text",
        "return sum(1 for c in $a if $cond)",
        """
        {how_many} {some} in {A}
        {how_many} {some} that {A} contains
        ! {count} the {some} in {A}
        * how often you meet {some} in {A}
        """,
        CHARACTERS,
    ),
    family(
        "keep_characters",
        "text",
        "return ''.join(c for c in $a if $cond)",
        """
        a string with only the {some} of {A}
        only the {some} from {A}, as one string
        ! {keep} only the {some} of {A}
        ! filter {A} so that only {some} remain
        * nothing of {A} but its {some}
        """,
        CHARACTERS,
    ),
    family(
        "drop_characters",
        "text",
        "return ''.join(c for c in $a if $opposite)",
        """
        {A} {without} the {some}
        a copy of {A} {without} any {some}
        ! {remove} all {some} from {A}
        ! {remove} the {some} that {A} contains
        * the rest of {A} once its {some} are gone
        """,
        CHARACTERS,
    ),
    family(
        "replace_characters",
        "text",
        "return ''.join($new if $cond else c for c in $a)",
        """
        {A} with all {some} replaced by {new}
        {A} where {new} stands in the place of the {some}
        ! replace the {some} in {A} with {new}
        ! turn all {some} in {A} into {new}
        * {A} after {new} has taken the place of its {some}
        """,
        CHARACTERS,
        string("new", ("*", "_", "-", "?", "#", "+", "x")),
    ),
    family(
        "positions_characters",
        "text",
        "return [i for i, c in enumerate($a) if $cond]",
        """
        the {positions} of the {some} in {A}
        a list of the {positions} where {A} has {some}
        ! list the {positions} of all {some} in {A}
        * where the {some} are in {A}, as a list of {positions}
        """,
        CHARACTERS,
    ),
    family(
        "any_characters",
        "text",
        "return $code",
        """
        ? {op}
        *? it holds that {op}
        """,
        choose(
            Choice(
                "any",
                {"op": ("{A} contains any {some}", "there are {some} in {A}")},
                {"code": "any($cond for c in $a)"},
            ),
            Choice(
                "all",
                {"op": ("{A} consists only of {some}", "{A} has nothing but {some}")},
                {"code": "all($cond for c in $a)"},
            ),
            Choice(
                "none",
                {"op": ("{A} contains no {some}", "there are no {some} in {A}")},
                {"code": "not any($cond for c in $a)"},
            ),
        ),
        CHARACTERS,
    ),
    family(
        "letter_case",
        "text",
        "return $code.$op()",
        """
        {code} in {op}
        {code}, written in {op}
        ! convert {code} to {op}
        ! change {code} to {op}
        * {code}, but in {op}
        """,
        choose(
            option("upper", "upper", "upper case", "capital letters"),
            option("lower", "lower", "lower case", "small letters"),
            option("swap", "swapcase", "swapped case", "the opposite case"),
            option("title", "title", "title case"),
        ),
        choose(
            Choice("all", {"code": ("{A}", "the whole of {A}")}, {"code": "$a"}),
            Choice(
                "reversed", {"code": ("the reverse of {A}", "{A} backwards")}, {"code": "$a[::-1]"}
            ),
            *(
                Choice(
                    f"cut:{k}",
                    {"code": (f"the first {k} characters of {{A}}",)},
                    {"code": f"$a[:{k}]"},
                )
                for k in range(2, 9)
            ),
            name="what",
        ),
    ),
    family(
        "character_ends",
        "text",
        "return $code",
        """
        {op} {A}
        a string with {op} {A}
        ! take {op} {A}
        * just {op} {A}
        """,
        number("k", range(2, 13)),
        choose(
            Choice("first", {"op": ("the first {k} characters of",)}, {"code": "$a[:$k]"}),
            Choice("last", {"op": ("the last {k} characters of",)}, {"code": "$a[-$k:]"}),
            Choice(
                "but_first", {"op": ("all but the first {k} characters of",)}, {"code": "$a[$k:]"}
            ),
            Choice(
                "but_last", {"op": ("all but the last {k} characters of",)}, {"code": "$a[:-$k]"}
            ),
            Choice(
                "swap",
                {"op": ("the last {k} characters, then the first {k} characters of",)},
                {"code": "$a[-$k:] + $a[:$k]"},
            ),
        ),
    ),
)
