"""Rewriting of programs for API changes, and `coderobust migrate`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_migration_uses import STATEMENTS

from pytest_coderobust.cli import main
from pytest_coderobust.migration.rewriting import LeftUse, rewrite
from pytest_coderobust.migration.uses import find_uses
from pytest_coderobust.records import ApiChange

ROOT = ApiChange("math.sqrt", "math.square_root")
POWER = ApiChange("math.pow", "math.raised", "swapped", ("x", "y"))
NAMED = ApiChange("math.pow", "math.raised", "keyword-only", ("x", "y"))
TOTAL = ApiChange("sum", "total_of", "keyword-only", ("iterable", "start"))
MOVED = ApiChange("math.sqrt", "operator.sqrt")
BARE = ApiChange("math.sqrt", "my_math_sqrt")

REWRITTEN = {
    "an attribute": (ROOT, "import math as m\nm.sqrt (4)  # m.sqrt\n", "import math as m\nm.square_root (4)  # m.sqrt\n"),
    "an import": (ROOT, "from math import (sqrt,\n    floor)\nsqrt(floor(4))\n", "from math import (square_root,\n    floor)\nsquare_root(floor(4))\n"),
    "an alias": (ROOT, "from math import sqrt as s\ns(4)\n", "from math import square_root as s\ns(4)\n"),
    "a star": (ROOT, "from math import *\nmap(sqrt, x)\n", "from math import *\nmap(square_root, x)\n"),
    "bytes before it": (ROOT, "import math\n'é😀', math.sqrt(4)\n", "import math\n'é😀', math.square_root(4)\n"),
    "ends of lines": (ROOT, "import math\r\nx = '\u2028\x0c'\r\nmath.sqrt(\r\n4)\r\n", "import math\r\nx = '\u2028\x0c'\r\nmath.square_root(\r\n4)\r\n"),
    "a name that is taken": (ROOT, "from math import sqrt\nsquare_root = sqrt(4)\n", "from math import square_root as sqrt\nsquare_root = sqrt(4)\n"),
    "a name with a fallback": (ROOT, "try:\n    from math import sqrt\nexcept ImportError:\n    def sqrt(x): return x\nsqrt(4)\n", "try:\n    from math import square_root as sqrt\nexcept ImportError:\n    def sqrt(x): return x\nsqrt(4)\n"),
    "a name that is bound anew": (MOVED, "from math import floor, sqrt\nsqrt = print(sqrt)\n", "from operator import sqrt\nfrom math import floor\nsqrt = print(sqrt)\n"),
    "a name that is deleted": (ROOT, "from math import sqrt\nsqrt(4)\ndel sqrt\n", "from math import square_root as sqrt\nsqrt(4)\ndel sqrt\n"),
    "a builtin": (ApiChange("len", "size_of"), "x.len(); len(x)\n", "x.len(); size_of(x)\n"),
    "a class's attribute": (ApiChange("itertools.chain", "itertools.link"), "import itertools\nitertools.chain.from_iterable(x)\n", "import itertools\nitertools.link.from_iterable(x)\n"),
    "a path": (ApiChange("os.path.join", "os.path.joined"), "import os\nos.path.join('a')\n", "import os\nos.path.joined('a')\n"),
    "moved": (MOVED, '"""Doc."""\nfrom __future__ import annotations\nimport math\nmath.sqrt(4)\n', '"""Doc."""\nfrom __future__ import annotations\nimport operator\nimport math\noperator.sqrt(4)\n'),
    "moved, there already": (MOVED, "import math, operator\nmath.sqrt(4)\n", "import math, operator\noperator.sqrt(4)\n"),
    "a moved import": (MOVED, "def f():\n    from math import floor, sqrt as s\n    return s(4)\n", "def f():\n    from operator import sqrt as s\n    from math import floor\n    return s(4)\n"),
    "a moved import in a line": (MOVED, "if 1: from math import sqrt; sqrt(4)\n", "if 1: from operator import sqrt; sqrt(4)\n"),
    "a builtin, moved": (ApiChange("len", "operator.len"), "def f(x):\n    return len(x)\n", "import operator\ndef f(x):\n    return operator.len(x)\n"),
    "a builtin's name": (BARE, "import math\nfrom math import sqrt\nx = math.sqrt(sqrt(4))\n", "import math\nx = my_math_sqrt(my_math_sqrt(4))\n"),
    "a block's only import": (BARE, "def f():\n    from math import sqrt as s\ns = 1\n", "def f():\n    pass\ns = 1\n"),
    "an import of several": (BARE, "from math import (floor, sqrt as s,\n  ceil)\ns(floor(4))\n", "from math import floor, ceil\nmy_math_sqrt(floor(4))\n"),
    "swapped": (POWER, "import math\nmath.pow( (a), # one\n  b+1, )\n", "import math\nmath.raised( b+1, # one\n  (a), )\n"),
    "swapped in one another": (POWER, "from math import pow\npow(pow(1, 2), 3)\n", "from math import raised\nraised(3, raised(2, 1))\n"),
    "swapped by name": (POWER, "import math\nmath.pow(1, y=2)\nmath.pow(y=1, x=2)\n", "import math\nmath.raised(x=1, y=2)\nmath.raised(y=1, x=2)\n"),
    "by name alone": (NAMED, "import math\nmath.pow((1), [2, (3, 4)])\n", "import math\nmath.raised(x=(1), y=[2, (3, 4)])\n"),
    "a bare generator of several": (TOTAL, "sum(a * b for a, b in x)\n", "total_of(iterable=(a * b for a, b in x))\n"),
    "a lambda of several": (POWER, "import math\nmath.pow(lambda a, b: (a, b), 2)\n", "import math\nmath.raised(2, lambda a, b: (a, b))\n"),
    "brackets in brackets": (NAMED, "import math\nmath.pow(((1)), ((2), 3)[0])\n", "import math\nmath.raised(x=((1)), y=((2), 3)[0])\n"),
    "what is no ASCII": (POWER, "import math\nmath.pow('é😀', # é\r\n '\u2028' 'ß')\n", "import math\nmath.raised('\u2028' 'ß', # é\r\n 'é😀')\n"),
    "a string of lines": (POWER, "import math\nmath.pow('''a\né''', f'{1}')\n", "import math\nmath.raised(f'{1}', '''a\né''')\n"),
    "a bare generator": (TOTAL, "sum(x for x in y)\nsum((x for x in y), 1)\n", "total_of(iterable=(x for x in y))\ntotal_of(iterable=(x for x in y), start=1)\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", REWRITTEN)
def test_each_way_to_write_a_use(name: str) -> None:
    change, before, after = REWRITTEN[name]
    found = rewrite(before, [change])
    assert found.source == after
    assert found.left == ()
    assert found.changed == sum(use.api == change.old for use in find_uses(ast.parse(before)).uses)


LEFT = {
    "removed": (ApiChange("math.sqrt"), "import math\nmath.sqrt(4)\n", "it was removed"),
    "a value": (NAMED, "import math\nmap(math.pow, x, y)\n", "handed on as a value"),
    "a star": (POWER, "import math\nmath.pow(*x)\n", "arguments cannot be told apart"),
    "too many": (NAMED, "import math\nmath.pow(1, 2, 3)\n", "arguments cannot be told apart"),
    "a name with a fallback, swapped": (
        POWER,
        "try:\n    from math import pow\nexcept ImportError: pass\nif 1: pow = 3\n",
        "binds 'pow' to something else too",
    ),
    "a name bound anew, moved to none": (
        BARE,
        "from math import sqrt as s\ns = s(4)\n",
        "binds 's' to something else too",
    ),
    "a module with a fallback": (
        ROOT,
        "try:\n    import math\nexcept ImportError:\n    math = None\ndef f(x):\n    return math.sqrt(x)\n",
        "binds 'math' to something else too",
    ),
    "a module or another": (
        ROOT,
        "try:\n    import numpy as m\nexcept ImportError:\n    import math as m\nprint(m.floor(1), m.sqrt(4))\n",
        "binds 'm' to something else too",
    ),
    "a submodule or none": (
        ApiChange("os.path.join", "os.path.joined"),
        "from os import path\nif path.join('a'):\n    path = 3\n",
        "binds 'path' to something else too",
    ),
    "a taken name": (ApiChange("len", "size"), "size = len([])\n", "has a name 'size' of its own"),
    "a taken module": (MOVED, "import math\noperator = math.sqrt(4)\n", "has a name 'operator'"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_cannot_be_rewritten_is_left_and_listed(name: str) -> None:
    change, source, reason = LEFT[name]
    found = rewrite(source, [change])
    assert found.source == source
    assert found.changed == 0
    (left,) = found.left
    assert (left.api, reason in left.reason) == (change.old, True), left


def test_what_is_left_comes_in_the_order_of_the_lines() -> None:
    source = (
        "import math\nif 1:\n    import cmath as c\nelse:\n    c = math\nc.sqrt(1)\nmath.sqrt(2)\n"
    )
    changes = [ApiChange("cmath.sqrt", "cmath.root"), ApiChange("math.sqrt")]
    found = rewrite(source, changes)
    assert [(left.line, left.api) for left in found.left] == [(6, "cmath.sqrt"), (7, "math.sqrt")]


def test_another_scope_with_the_same_name_is_not_doubted() -> None:
    source = "import math\ndef f(math):\n    return math.sqrt(1)\nmath.sqrt(2)\n"
    found = rewrite(source, [ROOT])
    assert found.source == source.replace("math.sqrt(2)", "math.square_root(2)")
    assert found.left == ()


def test_a_prompt_stays_as_it_is() -> None:
    prompt = "import math\ndef f(x=math.sqrt(4)):\n"
    found = rewrite(prompt + "    return math.sqrt(x)\n", [MOVED], start=len(prompt))
    assert found.source == prompt + "    import operator\n    return operator.sqrt(x)\n"
    assert found.left == (LeftUse(2, "math.sqrt", "it stands in the prompt"),)


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid Python program"):
        rewrite("def f(:", [ROOT])


@given(STATEMENTS)
def test_a_rename_changes_the_name_and_nothing_else(source: str) -> None:
    changes = [ApiChange("len", "size_of"), ApiChange("math.floor", "math.round_down")]
    uses = [use for use in find_uses(ast.parse(source)).uses if use.api in ("len", "math.floor")]
    found = rewrite(source, changes)
    assert found.source.replace("size_of", "len").replace("round_down", "floor") == source
    assert found.changed == len(uses)
    after = find_uses(ast.parse(found.source)).uses
    assert not any(use.api in ("len", "math.floor") for use in after)


NUMBERS = st.integers(0, 9).map(str)
CALLS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.builds("less({}, {})".format, inner, inner),
        st.builds("less( ({}) ,y = {})".format, inner, inner),
        st.builds("less(y={},\n x=[{}][0])".format, inner, inner),
    ),
    max_leaves=6,
)


@given(CALLS, st.sampled_from(["swapped", "keyword-only"]))
def test_a_rewritten_call_does_what_it_did(call: str, kind: str) -> None:
    """`operator.sub` under its new name, run as the sandbox would make it."""
    from pytest_coderobust.sandbox.cage.stand_ins import make_adapter

    def sub(x: int, y: int) -> int:
        return x - y

    change = ApiChange("operator.sub", "operator.less", kind, ("x", "y"))  # type: ignore[arg-type]
    before = "import operator\nfound = " + call.replace("less", "operator.sub") + "\n"
    found = rewrite(before, [change])
    assert found.left == ()
    adapter = make_adapter("less", sub, kind, ["x", "y"])
    old, new = ({"sub": sub}, {"less": adapter})
    for source, names in ((before, old), (found.source, new)):
        exec(source.removeprefix("import operator\n").replace("operator.", ""), names)
    assert old["found"] == new["found"]


CHANGES = '[[change]]\nold = "math.sqrt"\nnew = "math.square_root"\nreliability = ["T/1"]\n'


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = tmp_path / "changes.toml"
    changes.write_text(CHANGES)
    file = tmp_path / "a.py"
    before = "# -*- coding: latin-1 -*-\r\nimport math\r\nprint('é', math.sqrt(4))\r\n".encode(
        "latin-1"
    )
    file.write_bytes(before)
    assert main(["migrate", str(file), "--changes", str(changes)]) == 0
    out = capsys.readouterr().out
    assert "-print('é', math.sqrt(4))" in out
    assert "+print('é', math.square_root(4))" in out
    assert file.read_bytes() == before
    assert main(["migrate", str(file), "--changes", str(changes), "--write"]) == 0
    assert capsys.readouterr().out == f"{file}: 1 uses rewritten\n"
    assert file.read_bytes() == before.replace(b"math.sqrt", b"math.square_root")
    assert main(["migrate", str(file), "--changes", str(changes)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_lists_what_it_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, file = tmp_path / "changes.toml", tmp_path / "a.py"
    changes.write_text('[[change]]\nold = "math.sqrt"\n')
    file.write_text("import math\nmath.sqrt(4)\n")
    assert main(["migrate", str(file), "--changes", str(changes)]) == 1
    assert f"{file}:2: math.sqrt is left: it was removed" in capsys.readouterr().err


@pytest.mark.parametrize("write", [False, True])
def test_a_file_that_is_no_program_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write: bool
) -> None:
    changes, bad, good = (tmp_path / name for name in ("changes.toml", "a.py", "b.py"))
    changes.write_text(CHANGES)
    bad.write_text("def f(:\n")
    good.write_text("import math\nmath.sqrt(4)\n")
    files = [str(bad), str(tmp_path / "none.py"), str(good)]
    options = ["--write"] if write else []
    assert main(["migrate", *files, "--changes", str(changes), *options]) == 1
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        f"coderobust: {bad}: the source is not a valid Python program",
        f"coderobust: {files[1]}: the file cannot be read (No such file or directory)",
    ]
    assert "math.square_root(4)" in (good.read_text() if write else told.out)


@pytest.mark.parametrize(
    ("changes", "source", "sentence"),
    [
        ('[[changes]]\nold = "len"\n', "1\n", "expected [[change]] tables with 'old' and 'new', not 'changes'\n"),
        ('old = "len"\nnew = "x"\n', "1\n", "with 'old' and 'new', not 'old', 'new'\n"),
        ("change = 3\n", "1\n", "expected [[change]] tables"),
        ("change = [3]\n", "1\n", "change 1 is not a table: 3"),
        ('[[change]]\nold = "len"\nnwe = "x"\n', "1\n", "change 1: unknown key 'nwe'; did you mean 'new'"),
        ('[[change]]\nold = "str.join"\n', "1\n", "'str.join' is a method of the type 'str'"),
        ('[[change]]\nold = "math.sqrtt"\n', "1\n", "did you mean 'math.sqrt'"),
        (CHANGES, "def f(:\n", "a.py: the source is not a valid Python program"),
        (CHANGES, "# coding: wrong\n", "is not text of its encoding"),
        (CHANGES, None, "a.py: the file cannot be read (No such file or directory)"),
    ],
)  # fmt: skip
def test_the_command_tells_what_is_wrong_in_a_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: str,
    source: str | None,
    sentence: str,
) -> None:
    table, file = tmp_path / "changes.toml", tmp_path / "a.py"
    table.write_text(changes)
    if source is not None:
        file.write_text(source)
    assert main(["migrate", str(file), "--changes", str(table)]) in (1, 4)
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
