"""Functions of re: substitute, find, split."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, string

_CLASSES = choose(
    Choice("digits", {"what": ("run of digits",)}, {"what": r"r'\d+'"}, ("7 up 42", "a1b22")),
    Choice(
        "spaces", {"what": ("run of blanks", "run of spaces")}, {"what": "r' +'"}, ("a  b   c",)
    ),
    Choice("upper", {"what": ("run of capital letters",)}, {"what": "r'[A-Z]+'"}, ("ABc De",)),
    Choice("lower", {"what": ("run of small letters",)}, {"what": "r'[a-z]+'"}, ("ABc De",)),
    Choice("vowels", {"what": ("run of small vowels",)}, {"what": "r'[aeiou]+'"}, ("queen bee",)),
    *(
        Choice(f"one:{c}", {"what": (f"run of {c!r}",)}, {"what": f"r'{c}+'"}, (c, c * 2 + "n" + c))
        for c in "abdegmnoprstz"
    ),
    name="what", fair=True,
)  # fmt: skip

PATTERNS = (
    family(
        "substituted",
        "text",
        "import re\nreturn re.sub($what, $new, $a)",
        """
        {A} with {each} {what} replaced by {new}
        a copy of {A} where {new} stands for {each} {what}
        ! replace {each} {what} in {A} with {new}
        ! put {new} in the place of {each} {what} in {A}
        * {A}, but with {new} instead of {each} {what}
        """,
        _CLASSES,
        string("new", ("*", "_", "-", "#", "+", ".", "")),
        api="re.sub",
    ),
    family(
        "matches",
        "text",
        "import re\nreturn $op",
        """
        {op} {what} in {A}
        {op} {what} that {A} contains
        ! search {A} and {return} {op} {what}
        * in {A}, {op} {what} one can see
        """,
        choose(
            Choice(
                "list",
                {"op": ("a list of {each}", "as a list {each}")},
                {"op": "re.findall($what, $a)"},
            ),
            Choice(
                "count",
                {"op": ("how often there is a", "the number of times there is a")},
                {"op": "len(re.findall($what, $a))"},
            ),
            Choice(
                "joined",
                {"op": ("the characters of {each}", "one string with {each}")},
                {"op": "''.join(re.findall($what, $a))"},
            ),
        ),
        _CLASSES,
        api="re.findall",
    ),
    family(
        "pieces",
        "text",
        "import re\nreturn re.split($what, $a)$cut",
        """
        {cut} {A} is split at {each} {what}
        {cut} {A} is cut at {each} {what}
        ! split {A} at {each} {what} and return {cut} that is done
        * {cut} {each} {what} has divided {A}
        """,
        _CLASSES,
        choose(
            Choice("all", {"cut": ("the parts after", "the pieces once")}, {"cut": ""}),
            Choice(
                "first", {"cut": ("the first part after", "the first piece once")}, {"cut": "[0]"}
            ),
            Choice(
                "last", {"cut": ("the last part after", "the last piece once")}, {"cut": "[-1]"}
            ),
            name="cut",
        ),
        api="re.split",
    ),
)
