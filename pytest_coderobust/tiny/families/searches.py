"""Lists of numbers that a condition checks, searches or splits."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, option
from pytest_coderobust.tiny.parts import CONDITION

SEARCHES = (
    family(
        "any_where",
        "ints",
        "return any($cond for x in $a)",
        """
        ? any {number} in {A} {is}
        ? at least one {number} in {A} {is}
        ? {A} contains a {one}
        ? there is a {one} in {A}
        *? a {one} occurs somewhere in {A}
        """,
        CONDITION,
    ),
    family(
        "all_where",
        "ints",
        "return all($cond for x in $a)",
        """
        ? {each} {number} in {A} {is}
        ? all {numbers} in {A} {are}
        ? {A} contains nothing but {some}
        ? {A} consists only of {some}
        *? there is no {number} in {A} unless it {is}
        """,
        CONDITION,
    ),
    family(
        "none_where",
        "ints",
        "return not any($cond for x in $a)",
        """
        ? no {number} in {A} {is}
        ? none of the {numbers} in {A} {are}
        ? {A} has no {some}
        ? there are no {some} in {A}
        *? {A} is free of {some}
        """,
        CONDITION,
    ),
    family(
        "first_where",
        "ints",
        """
        for x in $over:
            if $cond:
                return x
        return $default
        """,
        """
        the {op} {one} in {A}, or {default} if there is none
        the {op} of the {some} in {A}, or {default} when there are none
        ! find the {op} {one} in {A} and fall back to {default}
        ! search {A} for the {op} {one}, with {default} if the search fails
        * {default} or, if {A} has any {some}, the {op} of them
        """,
        CONDITION,
        choose(
            Choice("first", {"op": ("first", "leftmost", "earliest")}, {"over": "$a"}),
            Choice("last", {"op": ("last", "rightmost", "final")}, {"over": "reversed($a)"}),
        ),
        choose(
            option("none", "None", "None", slot="default"),
            option("zero", "0", "0", slot="default"),
            option("minus", "-1", "-1", slot="default"),
            name="default",
        ),
    ),
    family(
        "positions_where",
        "ints",
        "return [i for i, x in enumerate($a) if $cond]",
        """
        the {positions} of the {some} in {A}
        a list of the {positions} at which {A} has {some}
        ! list the {positions} of all {some} in {A}
        ! collect {each} {position} in {A} where the {number} {is}
        * where the {some} are in {A}, as a list of {positions}
        """,
        CONDITION,
    ),
    family(
        "split_where",
        "ints",
        """
        left = [x for x in $a if $cond]
        right = [x for x in $a if $opposite]
        return left, right
        """,
        """
        two lists, the {some} in {A} and all the others
        a {pair} of lists with the {some} of {A} and the remaining ones
        ! split {A} into the {some} and the rest
        ! divide {A} into two lists, the {some} and the others
        *! separate the {some} in {A} from everything else
        """,
        CONDITION,
    ),
    family(
        "product_where",
        "ints",
        """
        result = 1
        for x in $a:
            if $cond:
                result *= x
        return result
        """,
        """
        the product of the {some} in {A}
        the product of all {some} found in {A}
        ! multiply the {some} in {A} together
        ! multiply all {some} of {A} with each other
        * what the {some} in {A} give when multiplied together
        """,
        CONDITION,
    ),
)
