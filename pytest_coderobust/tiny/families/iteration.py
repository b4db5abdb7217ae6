"""Functions of modules for iteration: itertools, functools, collections, bisect, heapq."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option, string

ITERATION = (
    family(
        "running",
        "ints",
        "import itertools\nreturn list(itertools.accumulate($what$op))",
        """
        the running {op} of {what}
        a list of the running {op} of {what}
        ! {return} the running {op} of {what}
        * for {each} prefix of {what}, the {op}, as a running list
        """,
        choose(
            Choice("sum", {"op": ("sum", "total")}, {"op": ""}),
            Choice("largest", {"op": ("maximum",)}, {"op": ", max"}),
            Choice("smallest", {"op": ("minimum",)}, {"op": ", min"}),
        ),
        choose(
            Choice("all", {"what": ("the {numbers} in {A}", "{A}")}, {"what": "$a"}),
            Choice(
                "reversed",
                {"what": ("{A} from back to front", "the reverse of {A}")},
                {"what": "$a[::-1]"},
            ),
            Choice(
                "sorted",
                {"what": ("{A} after sorting", "the sorted list of {A}")},
                {"what": "sorted($a)"},
            ),
            Choice(
                "squares",
                {"what": ("the squares of the {numbers} in {A}",)},
                {"what": "[x ** 2 for x in $a]"},
            ),
            name="what",
        ),
        api="itertools.accumulate",
    ),
    family(
        "reduced",
        "ints",
        "from functools import reduce\nreturn reduce(lambda x, y: $op, $a, $k)",
        """
        {k} combined with {each} {number} in {A} from left to right, where {op}
        ! fold {A} into one {number}, starting with {k}, where {op}
        ! reduce {A} from left to right, starting with {k}, where {op}
        * what remains of {A} after folding from {k} on, where {op}
        """,
        number("k", range(13)),
        choose(
            Choice(
                "weighted",
                {"op": ("{each} step doubles the result and adds the next {number}",)},
                {"op": "2 * x + y"},
            ),
            Choice(
                "decimal",
                {"op": ("{each} step multiplies the result by 10 and adds the next {number}",)},
                {"op": "10 * x + y"},
            ),
            Choice(
                "subtract", {"op": ("{each} step subtracts the next {number}",)}, {"op": "x - y"}
            ),
            Choice(
                "turn",
                {"op": ("{each} step subtracts the result from the next {number}",)},
                {"op": "y - x"},
            ),
        ),
        api="functools.reduce",
    ),
    family(
        "selections",
        "list",
        "import itertools\nreturn $wrap(itertools.$op($a, $k))",
        """
        {wrap} {op} of {k} {elements} of {A}
        {wrap} {op} of length {k} from {A}
        ! {make} {wrap} {op} of {k} {elements} of {A}
        * as far as {op} of {k} {elements} of {A} go, {wrap} them
        """,
        choose(
            Choice("list", {"wrap": ("a list of the", "all")}, {"wrap": "list"}),
            Choice("sorted", {"wrap": ("a sorted list of the",)}, {"wrap": "sorted"}),
            name="wrap",
        ),
        choose(
            option(
                "combinations",
                "combinations",
                "combinations",
                "selections without repetition",
                api="itertools.combinations",
            ),
            option(
                "permutations",
                "permutations",
                "permutations",
                "ordered arrangements",
                api="itertools.permutations",
            ),
        ),
        number("k", range(1, 5)),
    ),
    family(
        "chained",
        "rows",
        "import itertools\nreturn $code",
        """
        {op} {A} in a single list
        {op} the nested list {a}, in one flat list
        ! chain {op} {A} into one flat list
        * with the brackets inside gone, {op} {A}
        """,
        choose(
            Choice(
                "all",
                {"op": ("all rows of", "{each} row of")},
                {"code": "list(itertools.chain.from_iterable($a))"},
            ),
            Choice(
                "sorted",
                {"op": ("in sorted {order} all rows of",)},
                {"code": "sorted(itertools.chain.from_iterable($a))"},
            ),
            Choice(
                "reversed",
                {"op": ("from the last to the first all rows of",)},
                {"code": "list(itertools.chain.from_iterable($a[::-1]))"},
            ),
            *(
                Choice(
                    f"cut:{k}",
                    {"op": (f"the first {k} {{numbers}} out of all rows of",)},
                    {"code": f"list(itertools.chain.from_iterable($a))[:{k}]"},
                )
                for k in range(2, 9)
            ),
        ),
        api="itertools.chain.from_iterable",
    ),
    family(
        "most_common",
        "list",
        "from collections import Counter\nreturn $code",
        """
        {op} in {A}
        {op} of {A}
        ! count everything in {A} and {return} {op}
        * as to frequency, {op} of {A}
        """,
        choose(
            *(
                Choice(
                    f"top:{k}",
                    {"op": (f"the {k} most common {{elements}} with their counts",)},
                    {"code": f"Counter($a).most_common({k})"},
                )
                for k in range(1, 11)
            ),
            *(
                Choice(
                    f"often:{k}",
                    {"op": (f"a list of the {{elements}} that occur at least {k} times",)},
                    {"code": f"[x for x, y in Counter($a).items() if y >= {k}]"},
                )
                for k in range(2, 8)
            ),
            *(
                Choice(
                    f"exactly:{k}",
                    {"op": (f"a list of the {{elements}} that occur exactly {k} times",)},
                    {"code": f"[x for x, y in Counter($a).items() if y == {k}]"},
                )
                for k in range(1, 7)
            ),
            fair=True,
        ),
        api="collections.Counter",
    ),
    family(
        "last_seen",
        "ints",
        "from collections import deque\nreturn list(deque($what, maxlen=$k))",
        """
        the last {k} {what} in a queue of limited length
        ! keep the last {k} {what} in a queue of limited length
        ! pass the {what} through a queue that holds {k}, and return what it holds
        * what a queue with room for {k} holds after the {what}
        """,
        number("k", range(1, 11)),
        choose(
            Choice("all", {"what": ("{numbers} of {A}",)}, {"what": "$a"}),
            Choice(
                "sorted", {"what": ("{numbers} of the sorted list {a}",)}, {"what": "sorted($a)"}
            ),
            Choice(
                "reversed", {"what": ("{numbers} of {A} read backwards",)}, {"what": "$a[::-1]"}
            ),
            name="what",
        ),
        api="collections.deque",
    ),
    family(
        "insertion_point",
        "sorted",
        "import bisect\nreturn bisect.$op($a, $k)",
        """
        the {position} where {k} belongs in the sorted list {a}, {op} equal {numbers}
        the {position} at which to insert {k} into the sorted list {a}, {op} equal {numbers}
        ! find where {k} belongs in the sorted list {a}, {op} equal {numbers}
        * how far into the sorted list {a} one has to go with {k}, {op} equal {numbers}
        """,
        number("k", range(21)),
        choose(
            option("left", "bisect_left", "before", "in front of", api="bisect.bisect_left"),
            option("right", "bisect_right", "after", "behind", api="bisect.bisect_right"),
        ),
    ),
    family(
        "extremes",
        "ints",
        "import heapq\nreturn heapq.$op($k, $a$key)",
        """
        the {k} {op} {numbers} in {A}{key}
        a list of the {k} {op} {numbers} of {A}{key}
        ! find the {k} {op} {numbers} in {A}{key}
        * out of {A}{key} those {k} {numbers} that are {op}
        """,
        number("k", range(2, 13)),
        choose(
            option("largest", "nlargest", "{largest}", api="heapq.nlargest"),
            option("smallest", "nsmallest", "{smallest}", api="heapq.nsmallest"),
        ),
        choose(
            Choice("plain", {"key": ("", "")}, {"key": ""}),
            Choice(
                "absolute",
                {"key": (" by absolute value", " if signs are ignored")},
                {"key": ", key=abs"},
            ),
            name="key",
        ),
    ),
    family(
        "zipped",
        "list list",
        "import itertools\nreturn list(itertools.zip_longest($a, $b, fillvalue=$fill))",
        """
        the pairs of {elements} of {a} and {b}, with {fill} where one list is too short
        ! pair up {a} and {b} and fill the shorter list with {fill}
        ! walk through {a} and {b} side by side and use {fill} where one has ended
        * {a} and {b} side by side as pairs, {fill} standing in for what is missing
        """,
        choose(
            *number("fill", range(10)).choices,
            *string("fill", ("-", "?", "x", "none", "")).choices,
            Choice("nothing", {"fill": ("None",)}, {"fill": "None"}),
            fair=True,
        ),
        api="itertools.zip_longest",
    ),
)
