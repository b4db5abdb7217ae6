"""Lists of numbers that a condition filters or a transformation changes."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number
from pytest_coderobust.tiny.parts import CONDITION, TRANSFORM

_EACH = {"obj": ("{each} {number} in {A}", "{each} {number} of {A}", "all {numbers} in {A}")}

FILTERS = (
    family(
        "fold_where",
        "ints",
        "return $op(x for x in $a if $cond)",
        """
        {op} of the {some} in {A}
        {op} over all {some} found in {A}
        {op} of only the {some} in {A}
        ! {act} the {some} in {A}
        ! go through {A} and {act} the {some}
        * {op} you get from the {some} in {A}
        *! look at {A} and {act} those {some}
        """,
        CONDITION,
        choose(
            Choice(
                "sum",
                {"op": ("the {sum}",), "act": ("add up", "sum", "sum up", "total")},
                {"op": "sum"},
            ),
            Choice(
                "largest",
                {
                    "op": ("the maximum", "the {largest}"),
                    "act": ("find the {largest} of", "pick the maximum of"),
                },
                {"op": "max"},
            ),
            Choice(
                "smallest",
                {
                    "op": ("the minimum", "the {smallest}"),
                    "act": ("find the {smallest} of", "pick the minimum of"),
                },
                {"op": "min"},
            ),
        ),
    ),
    family(
        "count_where",
        "ints",
        "return sum(1 for x in $a if $cond)",
        """
        {how_many} {some} in {A}
        {how_many} {some} that {A} contains
        ! {count} the {some} in {A}
        ! {count} how many {numbers} in {A} {are}
        * how often {A} holds a {number} that {is}
        *! say how many {some} there are in {A}
        """,
        CONDITION,
    ),
    family(
        "keep_where",
        "ints",
        "return [x for x in $a if $cond]",
        """
        a list of the {some} in {A}
        all {some} from {A}
        a new list with only the {some} of {A}
        ! {keep} only the {some} in {A}
        ! {make} a list of the {some} in {A}
        ! filter {A} so that only {some} remain
        * those {numbers} of {A} that {are}
        *! take the {some} out of {A} into a new list
        """,
        CONDITION,
    ),
    family(
        "drop_where",
        "ints",
        "return [x for x in $a if not ($cond)]",
        """
        {A} {without} the {some}
        what is left of {A} after the {some} are removed
        a copy of {A} {without} any {some}
        ! {remove} the {some} from {A}
        ! {remove} {each} {one} from {A}
        * the rest of {A} once all {some} are gone
        *! get rid of the {some} in {A}
        """,
        CONDITION,
    ),
    family(
        "map_each",
        "ints",
        "return [$new for x in $a]",
        """
        a list of {each} {number} in {A} {applied}
        {each} {number} of {A} {applied}
        a new list in which {each} {number} of {A} is {applied}
        ! {apply}
        ! {apply} and collect the results in a list
        * {A} with {each} {number} {applied}
        *! walk through {A} and {apply}
        """,
        TRANSFORM,
        slots=_EACH,
    ),
    family(
        "map_where",
        "ints",
        "return [$new for x in $a if $cond]",
        """
        the {some} in {A}, each {applied}
        a list of the {some} in {A}, {each} one {applied}
        ! {apply} and drop the other numbers
        ! {keep} the {some} in {A} and give them back, each {applied}
        * only the {some} from {A}, and each of them {applied}
        """,
        CONDITION,
        TRANSFORM,
        slots={"obj": ("the {some} in {A}", "{each} {one} in {A}")},
    ),
    family(
        "change_where",
        "ints",
        "return [$new if $cond else x for x in $a]",
        """
        {A} where {each} {one} is {applied} and the others stay the same
        {A} with the {some} {applied} and the others unchanged
        ! {apply} and leave the others as they are
        ! {apply} but keep the others unchanged
        * a copy of {A} in which nothing changes but the {some}, which are {applied}
        """,
        CONDITION,
        TRANSFORM,
        slots={"obj": ("the {some} in {A}", "{each} {one} in {A}")},
    ),
    family(
        "replace_where",
        "ints",
        "return [$k if $cond else x for x in $a]",
        """
        {A} with {each} {one} replaced by {k}
        a copy of {A} where all {some} become {k}
        ! replace the {some} in {A} with {k}
        ! put {k} in the place of {each} {one} in {A}
        * {A}, but with {k} instead of the {some}
        """,
        CONDITION,
        number("k", range(20)),
    ),
    family(
        "sum_mapped",
        "ints",
        "return $op($new for x in $a)",
        """
        {op} of all {numbers} in {A}, each {applied}
        {op} of the {numbers} in {A} after {each} one is {applied}
        ! {apply} and then {act} the results
        ! first {apply}, then {act} what you get
        * {op} over {A} where each {number} counts {applied}
        """,
        TRANSFORM,
        choose(
            Choice(
                "sum", {"op": ("the {sum}",), "act": ("add up", "sum", "sum up")}, {"op": "sum"}
            ),
            Choice(
                "largest",
                {"op": ("the maximum", "the {largest}"), "act": ("find the {largest} of",)},
                {"op": "max"},
            ),
            Choice(
                "smallest",
                {"op": ("the minimum", "the {smallest}"), "act": ("find the {smallest} of",)},
                {"op": "min"},
            ),
        ),
        slots=_EACH,
    ),
)
