"""Uses of a changed API that count, and kinds of change beside a new name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from support.api_changes import run_check

from pytest_coderobust.records import ApiChange, ApiUse, Level
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


USED = {
    "an attribute of the class": "import itertools\ndef f():\n    return next(itertools.link.from_iterable([[1]]))\n",
    "an instance check": "import itertools\ndef f():\n    return int(not isinstance(1, itertools.link))\n",
    "a subclass check": "import itertools\ndef f():\n    return int(not issubclass(int, itertools.link))\n",
    "an import alone": "from itertools import link\ndef f():\n    return 1\n",
    "an import under another name": "def f():\n    from itertools import link as l\n    return 1\n",
    "an import and its call": "from itertools import link\ndef f():\n    return next(link([1]))\n",
}
UNUSED = {
    "a module's import": "import itertools\ndef f():\n    return 1\n",
    "a star": "from itertools import *\ndef f():\n    return 1\n",
    "a question": "import itertools\ndef f():\n    return int(hasattr(itertools, 'link'))\n",
    "a private attribute": "import itertools\ndef f():\n    return len(itertools.link.__mro__) - 1\n",
}


@pytest.mark.parametrize("way", [*USED, *UNUSED])
def test_each_way_to_use_a_new_class_counts_once(sandbox: Sandbox, way: str) -> None:
    change = ApiChange("itertools.chain", "itertools.link")
    verdict = run_check(sandbox, {**USED, **UNUSED}[way], change)
    assert verdict.full, verdict
    assert verdict.api_uses == (ApiUse(0, int(way in USED)),)


def test_what_is_watched_stays_and_counts(sandbox: Sandbox) -> None:
    watched = [ApiChange(name, kind="watched") for name in ("math.sqrt", "sorted", "math.floor")]
    solution = "import math\ndef f():\n    return sorted([math.sqrt(1), math.sqrt(4)])[0]\n"
    verdict = run_check(sandbox, solution, *watched)
    assert (verdict.full, verdict.api_uses) == (True, (ApiUse(0, 2), ApiUse(0, 1), ApiUse(0, 0)))


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("math.power(3, 2)", 8),
        ("math.power(x=2, y=3)", 8),
        ("math.power(3, x=2)", 8),
        ("math.power(3)", "TypeError"),
        ("math.power(1, 2, 3)", "TypeError: power() takes 2 positional arguments but 3 were given"),
        ("math.power(3, y=2)", "TypeError: power() got multiple values for argument 'y'"),
    ],
)
def test_swapped_arguments(sandbox: Sandbox, call: str, answer: object) -> None:
    change = ApiChange("math.pow", "math.power", "swapped", ("x", "y"))
    verdict = run_check(
        sandbox, f"import math\ndef f():\n    return {call}\n", change, source="assert f() == 8\n"
    )
    assert verdict.full is (answer == 8), verdict
    assert verdict.full or verdict.detail.startswith(str(answer))
    assert verdict.api_uses == (ApiUse(0, 1),)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("round_to(number=3.14159, ndigits=2)", 3.14),
        ("round_to(ndigits=2, number=3.14159)", 3.14),
        ("round_to(3.14159, 2)", "TypeError: round_to() takes 0 positional arguments but 2"),
        ("list(map(round_to, [3.14]))[0]", "TypeError: round_to() takes 0 positional"),
    ],
)
def test_keyword_only_arguments(sandbox: Sandbox, call: str, answer: object) -> None:
    change = ApiChange("round", "round_to", "keyword-only", ("number", "ndigits"))
    verdict = run_check(
        sandbox, f"def f():\n    return {call}\n", change, source="assert f() == 3.14\n"
    )
    assert verdict.full is (answer == 3.14), verdict
    assert verdict.full or verdict.detail.startswith(str(answer))
    assert verdict.api_uses == (ApiUse(0, 1),)
    assert not run_check(sandbox, "def f():\n    return round(1.2)\n", change).full


def test_a_moved_function_is_found_at_its_new_place_alone(sandbox: Sandbox) -> None:
    change = ApiChange("math.sqrt", "operator.sqrt")
    new = run_check(sandbox, "from operator import sqrt\ndef f():\n    return sqrt(1)\n", change)
    assert (new.full, new.api_uses) == (True, (ApiUse(0, 1),))
    old = run_check(sandbox, "from math import sqrt\ndef f():\n    return sqrt(1)\n", change)
    assert (old.level, old.api_uses) == (Level.COMPILE, (ApiUse(1, 0),))


def test_as_many_changes_as_there_may_be_hold_at_once(sandbox: Sandbox) -> None:
    places = ("math", "ast", "inspect", "statistics", "decimal", "asyncio", "operator", "os")
    found = {
        f"{place}.{name}": getattr(module, name)
        for place, module in ((place, importlib.import_module(place)) for place in places)
        for name in dir(module)
        if name[0] != "_"
    }
    old = [
        name
        for name, value in found.items()
        if callable(value) and not (isinstance(value, type) and issubclass(value, BaseException))
    ]
    fillers = [ApiChange(name, f"{name}_" + "x" * (99 - len(name))) for name in old[:512]]
    assert len(fillers) == 512
    heir = next(change.new for change in fillers if change.old == "math.sqrt")
    solution = f"import math\ndef f():\n    return {heir}(1)\n"
    verdict = run_check(sandbox, solution, *fillers)
    assert verdict.full, verdict
    assert len(verdict.api_uses) == 512
    assert sum(use.new for use in verdict.api_uses) == 1
