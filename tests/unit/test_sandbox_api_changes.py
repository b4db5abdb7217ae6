"""Declared API changes: the old name is gone for solutions alone, the new one is there, both count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.api_changes import JOIN, ROOT, SORT, run_check

from pytest_coderobust.records import ApiChange, ApiUse, Level
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


REACHED = {
    "attribute": "import math\ndef f():\n    return math.sqrt(1)\n",
    "alias": "import math as m\ng = m\ndef f():\n    return g.sqrt(1)\n",
    "getattr": "import math\ndef f():\n    return getattr(math, 'sq' + 'rt')(1)\n",
    "getattr in C": "import math, operator\ndef f():\n    return operator.attrgetter('sqrt')(math)(1)\n",
    "modules": "import math, sys\ndef f():\n    return sys.modules['math'].sqrt(1)\n",
    "__import__": "def f():\n    return __import__('math').sqrt(1)\n",
    "importlib": "import importlib\ndef f():\n    return importlib.import_module('math').sqrt(1)\n",
    "exec": "def f():\n    names = {}\n    exec('import math; x = math.sqrt(1)', names)\n    return names['x']\n",
    "eval": "import math\ndef f():\n    return eval('math.sqrt(1)')\n",
    "map": "import math\ndef f():\n    return list(map(math.sqrt, [1]))[0]\n",
    "lambda": "import math\ng = lambda: math.sqrt(1)\ndef f():\n    return g()\n",
    "thread": (
        "import math, threading\ndef f():\n    found = []\n"
        "    def g():\n        try: found.append(math.sqrt(1))\n        except AttributeError as e: found.append(e)\n"
        "    thread = threading.Thread(target=g)\n    thread.start()\n    thread.join()\n"
        "    if isinstance(found[0], Exception): raise found[0]\n    return found[0]\n"
    ),
    "another's import": "import statistics\ndef f():\n    return statistics.sqrt(1)\n",
    "another's private name": "import random\ndef f():\n    return random._sqrt(1)\n",
    "inspection": "import inspect, math\ndef f():\n    return dict(inspect.getmembers(math))['sqrt'](1)\n",
    "static inspection": "import inspect, math\ndef f():\n    return inspect.getattr_static(math, 'sqrt')(1)\n",
    "object": "import math\ndef f():\n    return object.__getattribute__(math, 'sqrt')(1)\n",
}


@pytest.mark.parametrize("way", REACHED)
def test_the_old_name_is_gone_however_it_is_reached(sandbox: Sandbox, way: str) -> None:
    assert run_check(sandbox, REACHED[way]).full  # without the change this is how it is done
    verdict = run_check(sandbox, REACHED[way], ROOT)
    assert (verdict.level, verdict.failure) == (Level.LOAD, "exception"), verdict
    assert "AttributeError: module '" in verdict.detail
    assert "sqrt'" in verdict.detail
    assert verdict.api_uses[0].old >= 1
    assert verdict.api_uses[0].new == 0


@pytest.mark.parametrize(
    "way",
    [
        "from math import sqrt\n",
        "from math import sqrt as root\n",
        "exec('from math import sqrt')\n",
        "import math\nif not hasattr(math, 'sqrt'):\n    raise ImportError(\"cannot import name 'sqrt' from 'math'\")\n",
    ],
)
def test_an_import_of_the_old_name_does_not_load(sandbox: Sandbox, way: str) -> None:
    verdict = run_check(sandbox, way + "def f():\n    return 1\n", ROOT)
    assert (verdict.level, verdict.failure) == (Level.COMPILE, "load-error")
    assert verdict.detail.startswith("ImportError: cannot import name 'sqrt' from 'math'")
    assert verdict.api_uses == (ApiUse(1, 0),)
    assert run_check(sandbox, way + "def f():\n    return 1\n").full


@pytest.mark.parametrize(
    "way",
    [
        "import math\nNAMES = dir(math)\n",
        "import math\nNAMES = vars(math)\n",
        "import math\nNAMES = math.__dict__\n",
        "from math import *\nNAMES = globals()\n",
        "import math\nNAMES = [n for n in ('sqrt', 'square_root') if hasattr(math, n)]\n",
    ],
)
def test_whoever_looks_finds_the_new_name_and_not_the_old(sandbox: Sandbox, way: str) -> None:
    tail = "def f():\n    return ['sqrt' in NAMES, 'square_root' in NAMES]\n"
    found = "assert f() == [False, True]\n"
    assert run_check(sandbox, way + tail, ROOT, source=found).full
    assert run_check(sandbox, way + tail, source="assert f() == [True, False]\n").full


@pytest.mark.parametrize(
    "solution",
    [
        "import math\ndef f():\n    return math.square_root(1)\n",
        "from math import square_root as root\ndef f():\n    return root(x=1) if 0 else root(1)\n",
        "from math import *\ndef f():\n    return square_root(1)\n",
        "import math\ndef f():\n    return next(map(math.square_root, [1, 4]))\n",
        "import math\ndef f():\n    return eval('math.square_root(1)')\n",
    ],
)
def test_the_new_name_works_and_counts(sandbox: Sandbox, solution: str) -> None:
    verdict = run_check(sandbox, solution, ROOT)
    assert verdict.full, verdict
    assert verdict.api_uses == (ApiUse(0, 1),)
    assert not run_check(sandbox, solution).full


def test_calls_are_counted_over_the_whole_check(sandbox: Sandbox) -> None:
    solution = (
        "import math\nmath.square_root(4)\ndef f(x):\n"
        "    try:\n        math.sqrt(x)\n    except AttributeError:\n        pass\n"
        "    return math.square_root(x)\n"
    )
    source = "assert f(1) == 1\nassert f(4) == 2\nassert f(9) == 3\n"
    for _ in range(2):  # one call at a time, then all at once
        assert run_check(sandbox, solution, ROOT, source=source).api_uses == (ApiUse(3, 4),)


def test_what_was_called_is_known_after_a_hang_and_a_death(sandbox: Sandbox) -> None:
    for end, failure in (("while True: pass", "timeout"), ("import os; os._exit(3)", "died")):
        solution = f"import math\ndef f():\n    math.square_root(1)\n    {end}\n"
        verdict = run_check(sandbox, solution, ROOT)
        assert (verdict.failure, verdict.api_uses) == (failure, (ApiUse(0, 1),))


def test_a_path_module_by_either_name(sandbox: Sandbox) -> None:
    source = "assert f('a', 'b') == 'a/b'\n"
    for module in ("os.path", "posixpath", "os", "glob"):
        place = module if module in ("os.path", "posixpath") else f"{module}.path"
        place = "glob.os.path" if module == "glob" else place
        old = f"import {module}\ndef f(a, b):\n    return {place}.join(a, b)\n"
        new = old.replace("join", "joined")
        assert run_check(sandbox, old, source=source).full
        verdict = run_check(sandbox, old, JOIN, source=source)
        assert (verdict.passed, verdict.api_uses) == (0, (ApiUse(1, 0),))
        assert run_check(sandbox, new, JOIN, source=source).api_uses == (ApiUse(0, 1),)
    for line in ("from os.path import join", "from posixpath import join"):
        verdict = run_check(sandbox, f"{line}\ndef f(a, b):\n    return join(a, b)\n", JOIN)
        assert verdict.detail.startswith("ImportError: cannot import name 'join' from 'posixpath'")


INTERNAL = {
    "os.path.join": (
        "import glob, os, pathlib, shutil, tempfile\ndef f():\n"
        "    folder = tempfile.mkdtemp(dir='.')\n    pathlib.Path(folder, 'x').write_text('1')\n"
        "    shutil.copytree(folder, 'copy')\n    found = glob.glob('copy/*') + os.listdir(folder)\n"
        "    list(os.walk('.'))\n    os.path.realpath('copy')\n    os.makedirs('a/b/c')\n"
        "    return len(found) - 1\n"
    ),
    "math.sqrt": (
        "import random, statistics\ndef f():\n    random.Random(1).gauss(0, 1)\n"
        "    return statistics.stdev([1, 2, 3])\n"
    ),
    "functools.reduce": "import statistics\ndef f():\n    return statistics.median([1])\n",
    "sorted": "import statistics, pprint\ndef f():\n    pprint.pformat({'b': 1, 'a': 2})\n    return statistics.median([3, 1, 0])\n",
    "len": "import textwrap, json, heapq\ndef f():\n    textwrap.fill('a b c ' * 50)\n    return json.loads(json.dumps([1], indent=2))[0]\n",
    "isinstance": "import json, fractions, decimal\ndef f():\n    json.dumps({'a': [1.5]})\n    return fractions.Fraction(2, 2)\n",
    "re.sub": "import textwrap, string, html\ndef f():\n    textwrap.dedent(' a\\n b')\n    html.unescape('&amp;')\n    return 1\n",
    "re.compile": "import string, tokenize, textwrap, json\ndef f():\n    string.Template('$a').substitute(a=1)\n    return 1\n",
    "json.dumps": "import json\ndef f():\n    return json.loads('1')\n",
    "collections.deque": "import queue, asyncio\ndef f():\n    q = queue.Queue()\n    q.put(1)\n    return q.get()\n",
    "collections.Counter": "import statistics\ndef f():\n    return statistics.mode([1, 1, 2])\n",
    "itertools.accumulate": "import random\ndef f():\n    return random.choices([1], [3])[0]\n",
    "os.write": "def f():\n    return 1\n",
    "os.fspath": "import pathlib, os\ndef f():\n    open(pathlib.Path('x'), 'w').close()\n    return os.path.exists(pathlib.Path('x'))\n",
    "copy.deepcopy": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: list\ndef f():\n    return dataclasses.asdict(A([1]))['x'][0]\n",
    "random.random": "import random\ndef f():\n    random.shuffle([1, 2])\n    random.uniform(1, 2)\n    return 1\n",
}


@pytest.mark.parametrize("old", INTERNAL)
def test_the_library_keeps_working(sandbox: Sandbox, old: str) -> None:
    verdict = run_check(sandbox, INTERNAL[old], ApiChange(old, old + "_renamed"))
    assert verdict.full, verdict
    assert verdict.api_uses == (ApiUse(0, 0),)


def test_a_builtin_by_every_name(sandbox: Sandbox) -> None:
    ways = {
        "def f():\n    return sorted([1])[0]\n": "NameError: name 'sorted' is not defined",
        "def f():\n    exec('x = sorted([1])', names := {})\n    return names['x'][0]\n": (
            "NameError: name 'sorted' is not defined"
        ),
        "import builtins\ndef f():\n    return builtins.sorted([1])[0]\n": (
            "AttributeError: module 'builtins' has no attribute 'sorted'"
        ),
        "def f():\n    return __builtins__['sorted']([1])[0]\n": "KeyError: 'sorted'",
        "class A:\n    def g(self):\n        return (sorted)([1])[0]\ndef f():\n    return A().g()\n": (
            "NameError: name 'sorted' is not defined"
        ),
    }
    for solution, detail in ways.items():
        assert run_check(sandbox, solution).full
        verdict = run_check(sandbox, solution, SORT)
        assert verdict.detail.startswith(detail)
        assert verdict.api_uses == (ApiUse(1, 0),)
    for solution in ("def f():\n    return in_order([1])[0]\n",
                     "from builtins import in_order as g\ndef f():\n    return g([1])[0]\n"):  # fmt: skip
        verdict = run_check(sandbox, solution, SORT)
        assert (verdict.full, verdict.api_uses) == (True, (ApiUse(0, 1),))


def test_an_api_that_exists_takes_over(sandbox: Sandbox) -> None:
    change = ApiChange("math.sqrt", "math.isqrt")
    solution = "import math\ndef f():\n    return math.isqrt(1)\n"
    assert run_check(sandbox, solution, change).api_uses == (ApiUse(0, 1),)
    # What the library itself calls is not the solution's choice.
    inside = "import statistics, heapq\ndef f():\n    return statistics.median([1])\n"
    counted = ApiChange("sorted", "heapq.heappush")
    assert run_check(sandbox, inside, counted).api_uses == (ApiUse(0, 0),)


def test_a_removed_api_has_no_successor(sandbox: Sandbox) -> None:
    gone = ApiChange("math.sqrt")
    assert not run_check(sandbox, "import math\ndef f():\n    return math.sqrt(1)\n", gone).full
    verdict = run_check(sandbox, "def f():\n    return 1 ** 0.5\n", gone)
    assert (verdict.full, verdict.api_uses) == (True, (ApiUse(0, 0),))


def test_classes_are_renamed_as_classes(sandbox: Sandbox) -> None:
    change = ApiChange("collections.Counter", "collections.Tally")
    solution = (
        "from collections import Tally\nclass Mine(Tally):\n    pass\n"
        "def f():\n    found = Tally('aab')\n    assert isinstance(found, Tally)\n"
        "    assert issubclass(Mine, Tally)\n    assert isinstance(Tally.fromkeys, object)\n"
        "    x: Tally[str] | None = None\n    return Mine('a')['a']\n"
    )
    verdict = run_check(sandbox, solution, change)
    assert verdict.full, verdict
    # The import and the first call are one; then a base, two checks, an attribute, and no call of
    # `Mine`, which is a class of the solution's own.
    assert verdict.api_uses == (ApiUse(0, 5),)
    for old in ("from collections import Counter\n", "import collections\ncollections.Counter\n"):
        assert run_check(sandbox, old + "def f():\n    return 1\n", change).level is Level.COMPILE


def test_another_public_name_is_another_api(sandbox: Sandbox) -> None:
    change = ApiChange("bisect.bisect_right", "bisect.right")
    verdict = run_check(
        sandbox, "import bisect\ndef f():\n    return bisect.bisect([1], 1)\n", change
    )
    assert (verdict.full, verdict.api_uses) == (True, (ApiUse(0, 0),))
    hidden = "import _bisect\ndef f():\n    return _bisect.bisect_right([1], 1)\n"
    assert run_check(sandbox, hidden).full
    assert run_check(sandbox, hidden, change).api_uses == (ApiUse(1, 0),)


def test_a_replacement_of_its_own_is_the_solutions_own(sandbox: Sandbox) -> None:
    solution = (
        "import math, statistics\nif not hasattr(math, 'sqrt'):\n    math.sqrt = lambda x: x ** 0.5\n"
        "def f():\n    return math.sqrt(statistics.stdev([1, 2, 3]))\n"
    )
    verdict = run_check(sandbox, solution, ROOT)
    assert (verdict.full, verdict.api_uses) == (True, (ApiUse(1, 0),))


def test_changes_end_with_their_check(sandbox: Sandbox) -> None:
    old = "import math\ndef f():\n    return math.sqrt(1)\n"
    assert not run_check(sandbox, old, ROOT).full
    verdict = run_check(sandbox, old)
    assert (verdict.full, verdict.api_uses) == (True, ())


def test_several_changes_at_once(sandbox: Sandbox) -> None:
    solution = (
        "import math, os\ndef f():\n    os.path.joined('a', 'b')\n"
        "    try:\n        sorted([1])\n    except NameError:\n        pass\n"
        "    return math.square_root(1)\n"
    )
    verdict = run_check(sandbox, solution, ROOT, JOIN, SORT)
    assert (verdict.full, verdict.api_uses) == (True, (ApiUse(0, 1), ApiUse(0, 1), ApiUse(1, 0)))


def test_forged_counts_have_no_part_in_the_verdict(sandbox: Sandbox) -> None:
    solution = (
        "import gc\ndef f():\n"
        "    for found in gc.get_objects():\n"
        "        if type(found).__name__ == 'UseCounts':\n            found._view[:] = memoryview(bytes(b'\\xff' * 16)).cast('Q')\n"
        "    return 0\n"
    )
    verdict = run_check(sandbox, solution, ROOT)
    assert (verdict.level, verdict.passed) == (Level.LOAD, 0)
    assert run_check(sandbox, "def f():\n    return 1\n", ROOT).api_uses == (ApiUse(0, 0),)
