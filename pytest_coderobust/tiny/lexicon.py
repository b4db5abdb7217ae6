"""The words of the prose: synonyms, frames around a core, remarks, names of arguments.

Everything is in lower case and correctly spelled. Only the first letter of a sentence becomes a
capital.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.tiny.family import PhraseForm, WordSlots

SYNONYMS: WordSlots = {
    "return": ("return", "compute", "calculate", "find", "determine", "give back", "work out"),
    "returns": ("returns", "computes", "calculates", "finds", "determines", "gives back"),
    "check": ("check", "decide", "determine", "test", "find out", "tell"),
    "checks": ("checks", "decides", "determines", "tests", "tells"),
    "numbers": ("numbers", "integers", "numbers", "figures"),
    "number": ("number", "integer", "number", "figure"),
    "elements": ("elements", "entries", "members", "items"),
    "element": ("element", "entry", "member", "item"),
    "words": ("words", "strings"),
    "word": ("word", "string"),
    "each": ("each", "every", "each single"),
    "position": ("position", "index"),
    "positions": ("positions", "indices", "places"),
    "largest": ("largest", "biggest", "greatest", "highest"),
    "smallest": ("smallest", "lowest", "least"),
    "remove": ("remove", "drop", "discard", "leave out", "delete"),
    "keep": ("keep", "retain", "select", "pick", "choose"),
    "make": ("make", "build", "create", "construct", "form"),
    "count": ("count", "tally"),
    "how_many": ("how many", "the number of", "the count of", "the quantity of"),
    "sum": ("sum", "total", "combined total"),
    "first": ("first", "earliest", "leftmost"),
    "last": ("last", "final", "rightmost"),
    "equals": ("equals", "is equal to", "is the same as"),
    "order": ("order", "sequence"),
    "ordered": ("sorted", "ordered", "arranged"),
    "replace": ("replace", "substitute", "exchange"),
    "join": ("join", "connect", "link", "glue together"),
    "result": ("result", "outcome", "answer"),
    "start": ("start", "begin"),
    "starting": ("starting", "beginning"),
    "without": ("without", "except for", "apart from"),
    "pair": ("pair", "tuple"),
}

FRAMES: Mapping[PhraseForm, tuple[str, ...]] = {
    "result": (
        "{return} {core}.",
        "{return} {core}.",
        "given {given}, {return} {core}.",
        "write a function that {returns} {core}.",
        "the function should {return} {core}.",
        "the {result} is {core}.",
        "for {given}, the {result} is {core}.",
        "your task is to {return} {core}.",
        "this function {returns} {core}.",
    ),
    "action": (
        "{core}.",
        "{core}.",
        "{core} and return the {result}.",
        "given {given}, {core}.",
        "write a function to {core}.",
        "the function should {core}.",
        "your task is to {core}.",
    ),
    "claim": (
        "{check} whether {core}.",
        "{check} if {core}.",
        "return True if {core}, and False otherwise.",
        "return True when {core}.",
        "given {given}, {check} whether {core}.",
        "write a function that {checks} whether {core}.",
        "the {result} is True if {core} and False if not.",
    ),
}

UNSEEN_FRAMES: Mapping[PhraseForm, tuple[str, ...]] = {
    "result": (
        "please {return} {core}.",
        "we would like to know {core}.",
        "take {given} and {return} {core}.",
    ),
    "action": (
        "please {core}.",
        "you have to {core}.",
        "take {given}, then {core}.",
    ),
    "claim": (
        "please {check} whether {core}.",
        "the function must answer True exactly when {core}.",
        "we would like to know if {core}.",
    ),
}

REMARKS: tuple[str, ...] = (
    "you may assume that the input is valid.",
    "the input must not be changed.",
    "there is no need to print anything.",
    "keep the code short.",
    "use plain Python.",
    "speed is not important here.",
    "the arguments are always valid.",
    "do not raise an error.",
    "a simple solution is enough.",
    "no other checks are needed.",
    "the caller will use the result later.",
    "assume that the caller knows what to pass.",
    "this is part of a larger program.",
    "do not read any files.",
    "the examples below show how it works.",
    "see the examples.",
    "prefer clear code.",
    "avoid global state.",
    "memory is not a concern.",
    "note that the original argument stays the same.",
)

FUNCTIONS: tuple[str, ...] = (
    "solve", "f", "task", "func", "answer", "solution", "run", "process", "compute", "apply",
    "handle", "work",
)  # fmt: skip

# Names by shape of argument. They are generic: a list of numbers and a list of words share them.
_LIST = ("values", "items", "data", "xs", "seq")
_TEXT = ("text", "s", "content", "line", "source")
_INT = ("n", "num", "value", "number", "amount")
_TABLE = ("table", "mapping", "d", "lookup")

NAMES: Mapping[str, tuple[str, ...]] = {
    "list": _LIST,
    "text": _TEXT,
    "int": _INT,
    "table": _TABLE,
}

SECOND_NAMES: Mapping[str, tuple[str, ...]] = {
    "list": ("others", "second", "ys", "rest"),
    "text": ("other", "t", "part", "mark"),
    "int": ("k", "m", "size", "limit"),
    "table": ("extra", "update", "e"),
}
