"""Lists as sequences: slices, windows, order."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option

LISTS = (
    family(
        "ends",
        "list",
        "return $code",
        """
        {op} of {A}
        a list of {op} of {A}
        a new list made of {op} of {A}
        ! take {op} of {A}
        ! {make} a list of {op} of {A}
        * nothing of {A} but {op}
        """,
        number("k", range(2, 13)),
        choose(
            Choice("first", {"op": ("the first {k} {elements}",)}, {"code": "$a[:$k]"}),
            Choice("last", {"op": ("the last {k} {elements}",)}, {"code": "$a[-$k:]"}),
            Choice(
                "but_first",
                {
                    "op": (
                        "all but the first {k} {elements}",
                        "everything after the first {k} {elements}",
                    )
                },
                {"code": "$a[$k:]"},
            ),
            Choice(
                "but_last",
                {
                    "op": (
                        "all but the last {k} {elements}",
                        "everything before the last {k} {elements}",
                    )
                },
                {"code": "$a[:-$k]"},
            ),
            Choice(
                "step",
                {"op": ("every {k}th {element}, counted from the first one,",)},
                {"code": "$a[::$k]"},
            ),
        ),
    ),
    family(
        "rotate",
        "list size",
        "return $code",
        """
        {A} rotated to the {op} by {b} {positions}
        {A} after a rotation by {b} steps to the {op}
        ! rotate {A} by {b} {positions} to the {op}
        ! move the {elements} of {A} {b} steps to the {op}, around the end
        *! turn {A} around to the {op} by {b} places
        """,
        choose(
            Choice("left", {"op": ("left",)}, {"code": "$a[$b:] + $a[:$b]"}),
            Choice("right", {"op": ("right",)}, {"code": "$a[-$b:] + $a[:-$b]"}),
        ),
    ),
    family(
        "chunks",
        "list",
        "return [$a[i:i + $k] for i in range(0, len($a), $k)]",
        """
        the chunks of length {k} that {A} consists of
        {A} in groups of {k}
        ! split {A} into chunks of {k} {elements}
        ! cut {A} into pieces of length {k}
        *! break {A} up so that {each} part has {k} {elements}
        """,
        number("k", range(2, 15)),
    ),
    family(
        "windows",
        "ints",
        "return [$op($a[i:i + $k]) for i in range(len($a) - $k + 1)]",
        """
        the {op} of {each} window of {k} neighbouring {numbers} in {A}
        a list with the {op} of {each} run of {k} {numbers} in {A}
        ! slide a window of length {k} over {A} and collect {each} {op}
        * for all windows of {k} {numbers} in {A}, their {op}
        """,
        number("k", range(2, 8)),
        choose(
            option("sum", "sum", "sum", "total"),
            option("largest", "max", "maximum"),
            option("smallest", "min", "minimum"),
        ),
    ),
    family(
        "sort",
        "ints",
        "return sorted($a$how)$cut",
        """
        {cut} {A} in {op} {order}
        {cut} {A}, {ordered} in {op} {order}
        ! sort {A} in {op} {order} and return {cut} the {result}
        ! put {A} into {op} {order} and keep {cut} it
        * {cut} {A} once it stands in {op} {order}
        """,
        choose(
            Choice("up", {"op": ("ascending", "increasing", "rising")}, {"how": ""}),
            Choice(
                "down", {"op": ("descending", "decreasing", "falling")}, {"how": ", reverse=True"}
            ),
            Choice(
                "absolute",
                {"op": ("ascending absolute", "increasing absolute")},
                {"how": ", key=abs"},
            ),
        ),
        choose(
            Choice("all", {"cut": ("all of", "the whole of")}, {"cut": ""}),
            *(
                Choice(f"cut:{k}", {"cut": (f"the first {k} of",)}, {"cut": f"[:{k}]"})
                for k in range(2, 9)
            ),
            name="cut",
        ),
    ),
    family(
        "unique",
        "list",
        "return $code",
        """
        {A} without repeated {elements}, {op}
        the distinct {elements} of {A}, {op}
        ! remove repeated {elements} from {A}, {op}
        ! {keep} one copy of {each} {element} in {A}, {op}
        * what is in {A}, with {each} {element} only once, {op}
        """,
        choose(
            Choice(
                "kept",
                {"op": ("in the original {order}", "in {order} of first appearance")},
                {"code": "list(dict.fromkeys($a))"},
            ),
            Choice(
                "sorted", {"op": ("sorted", "in ascending {order}")}, {"code": "sorted(set($a))"}
            ),
            Choice(
                "down",
                {"op": ("in descending {order}", "sorted from {largest} to {smallest}")},
                {"code": "sorted(set($a), reverse=True)"},
            ),
        ),
    ),
    family(
        "ranked",
        "ints",
        "return sorted($pool$how)[$k]",
        """
        the {number} at {position} {k} of {A} sorted {op}
        {position} {k} of the {numbers} in {A} sorted {op}
        ! sort {A} {op} and return the {number} at {position} {k}
        * what stands at {position} {k} once {A} is sorted {op}
        """,
        number("k", range(1, 6)),
        choose(
            Choice(
                "down",
                {"op": ("from {largest} to {smallest}", "in descending {order}")},
                {"pool": "$a", "how": ", reverse=True"},
            ),
            Choice(
                "up",
                {"op": ("from {smallest} to {largest}", "in ascending {order}")},
                {"pool": "$a", "how": ""},
            ),
            Choice(
                "distinct",
                {"op": ("in ascending {order} after duplicates are removed",)},
                {"pool": "set($a)", "how": ""},
            ),
        ),
    ),
)
