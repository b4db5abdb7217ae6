"""A hand-made corpus for the builder: each task uses the library in one way of its own."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_coderobust.migration.benchmark import BuildPlan
from pytest_coderobust.migration.change_file import read_change_file
from pytest_coderobust.migration.kinds import read_kinds
from pytest_coderobust.migration.naming import open_names
from pytest_coderobust.records import ApiChange, Task
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.stubs import make_stub


def make_row(name: str, body: str, *asserts: str, prompt: str = "") -> dict[str, object]:
    """A task in HumanEval's shape whose function is `f`."""
    return {
        "task_id": f"Toy/{name}",
        "prompt": prompt or 'def f(x):\n    """Does it."""\n',
        "canonical_solution": body,
        "entry_point": "f",
        "test": "def check(candidate):\n" + "".join(f"    assert {each}\n" for each in asserts),
    }


ROWS = [
    make_row("alias", "    import math as m\n    return m.floor(x)\n", "candidate(2.5) == 2"),
    make_row("from", "    from math import floor as fl, ceil\n    return fl(x) + ceil(x)\n", "candidate(2.5) == 5"),
    make_row("star", "    return floor(x)\n\nfrom math import *\n", "candidate(2.5) == 2"),
    make_row("value", "    return sorted(x, key=len)\n", "candidate(['aa', 'b']) == ['b', 'aa']"),
    make_row("shadowed", "    len = sum(x)\n    return len\n", "candidate([1, 2]) == 3"),
    make_row("method", "    return x.split(',')\n", "candidate('a,b') == ['a', 'b']"),
    make_row("re", "    import re\n    return re.split(',', x) + x.split()\n", "candidate('a,b') == ['a', 'b', 'a,b']"),
    make_row("walrus", "    return [y for z in sorted(x) if (y := z)] and y\n", "candidate([2, 1]) == 2"),
    make_row("unused", "    from math import floor, tan\n    return floor(x)\n", "candidate(2.5) == 2"),
    make_row("nested", "    class A:\n        len = 3\n        def g(self):\n            return len(x)\n    return A().g() + A.len\n", "candidate('ab') == 5"),
    make_row("prompt", "    return g(x)\n", "candidate([1]) == 1", prompt='def g(x):\n    return len(x)\ndef f(x):\n    """Does it."""\n'),
    make_row("annotation", "    def g(y: len) -> int:\n        return y\n    return g(x)\n", "candidate(3) == 3"),
    make_row("shown", "    return sum(x)\n", "candidate([1]) == 1", prompt='def f(x):\n    """Does what sum(x) does."""\n'),
    make_row("taken", "    total_of = sum(x)\n    return total_of\n", "candidate([1]) == 1"),
    make_row("unreached", "    return sum(x) if x == 5 else 1\n", "candidate(3) == 1"),
    make_row("caught", "    try:\n        return sum(x)\n    except NameError:\n        return 3\n", "candidate([1, 2]) == 3"),
    make_row("both ways", "    import math\n    try:\n        getattr(math, 'floor')\n    except AttributeError:\n        pass\n    return math.floor(x)\n", "candidate(2.5) == 2"),
    make_row("broken", "    return sum(x)\n", "candidate([1, 2]) == 4"),
    make_row("loose", "    return sum(x)\n", "candidate([1, 2]) in (None, 3)"),
    make_row("chain", "    import itertools\n    return list(itertools.chain.from_iterable(x))\n", "candidate([[1], [2]]) == [1, 2]"),
    make_row("class", "    from collections import Counter\n    return isinstance(Counter(x), Counter)\n", "candidate([1]) is True"),
    make_row("power", "    import math\n    return math.pow(math.pow(x, 2), 3)\n", "candidate(2) == 64"),
    make_row("power2", "    from math import pow\n    return pow(x, 2) + pow(3, x)\n", "candidate(2) == 13"),
    make_row("plain", "    return x + 1\n", "candidate(1) == 2"),
    make_row("types", "    return list(range(x))\n", "candidate(2) == [0, 1]"),
    make_row("unchanged", "    import random\n    return random.Random(x).choice([x])\n", "candidate(2) == 2"),
]  # fmt: skip

APPS = [
    ("a sum", "n = int(input())\nprint(sum(int(input()) for _ in range(n)))\n", "2\n3\n4\n", "7\n"),
    ("a sorted line", "print(*sorted(map(int, input().split())))\n", "3 1 2\n", "1 2 3\n"),
    ("a count", "from collections import Counter\nprint(max(Counter(input()).values()))\n", "abca\n", "2\n"),
    ("a root", "import math\nprint(math.floor(math.sqrt(int(input()))))\n", "17\n", "4\n"),
    ("a length", "import sys\nlines = sys.stdin.read().split()\nprint(len(lines))\n", "a b c\n", "3\n"),
    ("a divisor", "from math import gcd as g\na, b = map(int, input().split())\nprint(g(a, b))\n", "12 18\n", "6\n"),
    ("a heap", "import heapq\nh = list(map(int, input().split()))\nheapq.heapify(h)\nprint(heapq.heappop(h))\n", "3 1 2\n", "1\n"),
    ("a pair", "def main():\n    print(min(map(len, input().split())))\nmain()\n", "aa b\n", "1\n"),
    ("a pattern", "import re\nprint(re.sub('a', 'b', input()))\n", "banana\n", "bbnbnb\n"),
    ("an echo", "print(input())\n", "hello\n", "hello\n"),
]  # fmt: skip


def write_corpus(folder: Path, rows: list[dict[str, object]] | None = None) -> Path:
    """Writes the corpus, or other rows, as a file of tasks."""
    path = folder / "toys.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows or ROWS), encoding="utf-8")
    return path


def write_apps(folder: Path) -> Path:
    """Writes ten rows in APPS's shape."""
    rows = [
        {
            "problem_id": number,
            "question": f"Print {name}.",
            "solutions": json.dumps([solution]),
            "input_output": json.dumps({"inputs": [given], "outputs": [printed]}),
            "difficulty": "introductory",
            "starter_code": "",
        }
        for number, (name, solution, given, printed) in enumerate(APPS)
    ]
    path = folder / "apps.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def make_plan(
    source: Path | str, *kinds: str, names: str = "table", seed: int = 0, preset: str = "study"
) -> BuildPlan:
    """A plan for one source."""
    base = Path.cwd()
    return BuildPlan((str(source),), read_kinds(kinds), open_names(names, seed, base), preset, seed)


def check_rows(folder: Path, judge: JudgeAll, rows: int) -> None:
    """Judges what was written as a stranger would: the rows alone say what must hold."""
    tasks = load_tasks(str(folder / "tasks.jsonl"), base=folder).tasks
    lines = (folder / "tasks.jsonl").read_text(encoding="utf-8").splitlines()
    before = {row["task_id"]: row.get("canonical_before") for row in map(json.loads, lines)}
    assert len(tasks) == rows
    world = read_change_file(folder / "changes.toml")
    for task in tasks:
        assert task.canonical is not None

        def check(solution: str, *changes: ApiChange, task: Task = task) -> Check:
            return Check(task.prompt + solution, task.entry_point, task.tests, api_changes=changes)

        stub = check(make_stub(task), *task.api_changes)
        if not task.api_changes:
            assert "subset:specificity" in task.tags
            plain, under, nothing = judge(
                [check(task.canonical), check(task.canonical, *world), stub]
            )
            assert (plain.full, under.full, nothing.full) == (True, True, False), task.id
            assert not any(use.old for use in under.api_uses), task.id
            continue
        (change,) = task.api_changes
        assert f"api:{change.old}" in task.tags
        old = str(before[task.id])
        wanted = [
            check(old),
            check(old, change),
            check(task.canonical, change),
            check(task.canonical),
            stub,
        ]
        plain, gone, under, without, nothing = judge(wanted)
        assert (plain.full, gone.full, nothing.full) == (True, False, False), task.id
        if not change.new:
            assert gone.api_uses[0].old >= 1
            continue
        assert (under.full, without.full) == (True, False), task.id
        assert under.api_uses[0].new >= 1, task.id
        assert under.api_uses[0].old == 0, task.id
