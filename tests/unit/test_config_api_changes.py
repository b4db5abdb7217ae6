"""Declarations of API changes, and the sentences about those that are not valid."""

from __future__ import annotations

import pytest

from pytest_coderobust.config.api_changes import Declared, read_changes, read_declared
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import ApiChange


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("math.sqrt", "math.square_root"),
        ("math.sqrt", "math.isqrt"),
        ("os.path.join", "os.path.joined"),
        ("collections.Counter", "collections.Tally"),
        ("collections.deque", ""),
        ("sorted", "in_order"),
        ("len", "builtin_length"),
        ("xml.dom.minidom.parseString", "xml.dom.minidom.parse_text"),
        ("posixpath.join", "my_join"),
    ],
)
def test_functions_and_builtins_can_be_declared(old: str, new: str) -> None:
    assert read_changes([{"old": old, "new": new}], DataError) == (ApiChange(old, new),)


def test_a_suite_says_which_tasks_it_is_for() -> None:
    found = read_declared([{"old": "math.sqrt", "tag": "roots"}, {"old": "math.floor"}], DataError)
    assert found == (Declared(ApiChange("math.sqrt"), "roots"), Declared(ApiChange("math.floor")))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("math.sqrt", "an API change is a table like"),
        ({"new": "math.root"}, "needs the key 'old'"),
        ({"old": ""}, "needs the key 'old'"),
        ({"old": 3}, "'old' of an API change must be a string, not 3"),
        (
            {"old": "math.sqrt", "neu": "x"},
            "unknown key 'neu' of an API change; did you mean 'new'",
        ),
        ({"old": "math.sqrt", "tag": "x"}, "unknown key 'tag'"),
        ({"old": "math.sqrt()"}, "'math.sqrt\\(\\)' is not a full name of a function"),
        ({"old": "math."}, "is not a full name"),
        ({"old": "math.class"}, "is not a full name"),
        (
            {"old": "math.sqrtt"},
            "no function 'math.sqrtt' in the standard library; did you mean 'math.sqrt'",
        ),
        ({"old": "sortd"}, "no function 'sortd' in the standard library; did you mean 'sorted'"),
        ({"old": "maths.sqrt"}, "no module 'maths'; did you mean 'math'"),
        ({"old": "numpie.sqrt"}, "no module 'numpie'"),
        ({"old": "this.s"}, "no module 'this'"),
        (
            {"old": "str.format"},
            "'str.format' is a method of the type 'str', which cannot be changed",
        ),
        ({"old": "math.sqrt", "new": "str.root"}, "'str.root' is a method of the type 'str'"),
        ({"old": "itertools.chain.from_iterable"}, "is a method of the type 'itertools.chain'"),
        ({"old": "datetime.datetime.now"}, "is a method of the type 'datetime.datetime'"),
        ({"old": "pathlib.Path.exists"}, "is a method of the type 'pathlib.Path'"),
        ({"old": "os.path"}, "'os.path' is a module"),
        ({"old": "math.pi"}, "'math.pi' is not a function but a value of type 'float'"),
        ({"old": "math.sqrt", "new": "math.pi"}, "'math.pi' is not a function"),
        ({"old": "ValueError"}, "'ValueError' is an exception"),
        ({"old": "__import__"}, "'__import__' is part of the language"),
    ],
)
def test_what_cannot_be_declared_gets_a_sentence(table: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_changes([table], DataError)


def test_one_name_stands_in_one_place() -> None:
    with pytest.raises(DataError, match=r"'math\.floor' is in two places"):
        read_changes([{"old": "math.sqrt", "new": "math.floor"}, {"old": "math.floor"}], DataError)


def test_there_is_an_end_to_it() -> None:
    with pytest.raises(DataError, match="513 API changes for one task; at most 512"):
        read_changes([{"old": "math.sqrt"}] * 513, DataError)


def test_adapters_say_which_arguments_they_are_about() -> None:
    table = {"old": "math.pow", "new": "math.power", "kind": "swapped", "parameters": ["x", "y"]}
    found = read_changes([table], DataError)
    assert found == (ApiChange("math.pow", "math.power", "swapped", ("x", "y")),)
    assert found[0].label == "math.pow -> math.power (swapped)"
    assert found[0].parts == ("math.pow", "math.power", "swapped", "x", "y")
    assert ApiChange("math.pow", "math.power").parts == ("math.pow", "math.power")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"kind": "swaped"}, "'swaped' is not a kind of API change; did you mean 'swapped'"),
        ({"kind": "watched"}, "'watched' is not a kind of API change"),
        ({"kind": "swapped"}, "'swapped' of an API change needs 'parameters', the names of 2"),
        ({"kind": "swapped", "parameters": ["x"]}, "the names of 2 or more"),
        ({"kind": "swapped", "parameters": ["x", "x"]}, "a name stands twice"),
        ({"kind": "swapped", "parameters": "x y"}, "must be a list of names, not 'x y'"),
        ({"kind": "keyword-only", "parameters": [1]}, r"must be a list of names, not \[1\]"),
        ({"parameters": ["x"]}, "'parameters' of an API change needs a 'kind'"),
        ({"new": "", "kind": "swapped", "parameters": ["x", "y"]}, "needs the key 'new'"),
        (
            {"new": "math.prod", "kind": "swapped", "parameters": ["x", "y"]},
            "'math.prod' exists, and 'swapped' needs a new name",
        ),
        (
            {"old": "collections.Counter", "kind": "keyword-only", "parameters": ["x"]},
            "'collections.Counter' is a class, and 'keyword-only' is about a function",
        ),
        ({"new": "math." + "p" * 99}, "is longer than 100 characters"),
    ],
)
def test_what_is_no_adapter_gets_a_sentence(more: dict[str, object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_changes([{"old": "math.pow", "new": "math.power", **more}], DataError)
