from __future__ import annotations

import ast

import pytest

from pytest_coderobust.tasks.form import (
    is_example,
    make_examples,
    write_docstring_canonical,
    write_docstring_prompt,
    write_plain_prompt,
    write_preamble,
)
from pytest_coderobust.tasks.gold import Gold, dissect, find_entry_points


def dissected(code: str, name: str = "f") -> Gold:
    gold = dissect(code, name)
    assert gold is not None
    return gold


def joined(gold: Gold) -> str:
    return write_docstring_prompt(gold, "Words.", ()) + write_docstring_canonical(gold)


def function(code: str, name: str = "f") -> ast.FunctionDef:
    found = [s for s in ast.parse(code).body if isinstance(s, ast.FunctionDef) and s.name == name]
    return found[-1]


BODIES = {
    "two spaces": "def f(a):\n  if a:\n    return 1\n  return 2",
    "tabs": "def f(a):\n\tif a:\n\t\treturn 1\n\treturn 2",
    "one line": "def f(a): return a",
    "one line of two": "def f(a): b = a; return b",
    "a comment after the colon": "def f(a): # why\n  return a",
    "comments at the left": "def f(a):\n# why\n  # what\n  return a",
    "header of several lines": "def f(a,\n      b={1: [2]}):\n  return a",
    "annotations": "def f(a: 'dict[str, int]', *b: int, c: int = 1) -> list[int]:\n  return a",
    "a lambda in the header": "def f(a=lambda x: x, b=[i for i in (1, 2)]):\n  return a",
    "a string over several lines": 'def f(a):\n  b = """one\n two\nthree"""\n  return b',
    "a formatted string": 'def f(a):\n  b = f"""one\n {a}\nthree"""\n  return b',
    "brackets over several lines": "def f(a):\n  return [a,\n1,\n    2]",
    "a continued line": "def f(a):\n  return a + \\\n1",
    "a body deeper than it starts": "def f(a):\n        return a\n",
    "an own docstring": 'def f(a):\n  "Old."\n  return a',
    "windows lines": "def f(a):\r\n  b = a\r\n  return b\r\n",
    "tabs of eight": "def f(a):\n\tif a:\n                return 1\n\treturn 2",
    "a tab below a space": "def f(a):\n if a:\n \treturn 1\n else:\n\t return 2",
    "comments below the first level": "def f(a):\n\tif a:\n# one\n\t\t# two\n\t\treturn 1\n\t# three",
    "mixed spaces and tabs": "def f(a):\n\tif a:\n\t    return 1\n\treturn 2",
    "letters of several bytes": "def f(ä, b={'é': 1}): return 'ü', ä",
}


@pytest.mark.parametrize("code", BODIES.values(), ids=BODIES.keys())
def test_the_body_after_a_docstring_is_the_gold_body(code: str) -> None:
    gold = dissected(code)
    found = function(joined(gold))
    assert (ast.get_docstring(found) or "").strip() == "Words."
    assert [ast.dump(s) for s in found.body[1:]] == [ast.dump(s) for s in function(code).body]
    assert ast.dump(found.args) == ast.dump(function(code).args)
    assert gold.body.endswith("\n")


@pytest.mark.parametrize("code", BODIES.values(), ids=BODIES.keys())
def test_a_body_has_four_spaces_a_level(code: str) -> None:
    gold = dissected(code)
    assert gold.indent == "    "
    source = joined(gold)
    starts = {s.lineno for s in ast.walk(function(source)) if isinstance(s, ast.stmt)}
    lines = [line for i, line in enumerate(source.split("\n"), start=1) if i in starts]
    assert {len(line) - len(line.lstrip(" ")) for line in lines} <= {0, 4, 8}
    assert "\t" not in "".join(lines)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("brackets over several lines", "    return [a,\n1,\n    2]\n"),
        ("comments at the left", "    # why\n    # what\n    return a\n"),
        ("a continued line", "    return a + \\\n1\n"),
    ],
)
def test_a_line_that_continues_another_is_left_and_a_comment_moves(name: str, body: str) -> None:
    assert dissected(BODIES[name]).body == body


def test_a_body_that_four_spaces_would_change_keeps_its_own_indent() -> None:
    # the line of the backslash has the indent of the block, and `return` may have any
    gold = dissected("def f(a):\n  if a:\n    \\\nreturn 1\n  return 2")
    assert (gold.indent, gold.body) == ("  ", "  if a:\n    \\\nreturn 1\n  return 2\n")
    compile(joined(gold), "joined", "exec")


PROGRAM = """\
import math, os
from re import sub
LIMIT = 3
STEP = LIMIT * 2
class Point: pass
def helper(x):
  return x + 1
def f(a, b=STEP):
  return helper(a) + b + OTHER
OTHER = 5
import json
try:
    import fast
except ImportError:
    fast = None
"""


def test_imports_and_what_the_header_needs_stand_before_it() -> None:
    gold = dissected(PROGRAM)
    before = gold.before.split("\n")
    assert before[:4] == ["import math, os", "from re import sub", "LIMIT = 3", "STEP = LIMIT * 2"]
    assert before[4:6] == ["import json", "try:"]
    assert gold.header == "def f(a, b=STEP):"
    assert gold.after == "class Point: pass\n\ndef helper(x):\n  return x + 1\n\nOTHER = 5"
    space: dict[str, object] = {}
    exec(joined(gold), space)
    assert space["f"](1) == 13  # type: ignore[operator]


def test_of_two_functions_with_one_name_the_last_counts() -> None:
    gold = dissected("def f():\n  return 1\ndef f():\n  return 2\n")
    assert gold.after == ""
    assert "return 2" in gold.body


def test_decorators_belong_to_the_header() -> None:
    gold = dissected("import functools\n@functools.cache\n@(lambda g: g)\ndef f(a):\n  return a\n")
    assert gold.header == "@functools.cache\n@(lambda g: g)\ndef f(a):"


@pytest.mark.parametrize("code", ["def g(): pass", "def f(:", "f = 1", "class C:\n  def f(): pass"])
def test_a_program_without_the_function_has_no_anatomy(code: str) -> None:
    assert dissect(code, "f") is None


@pytest.mark.parametrize(
    ("asserts", "entries"),
    [
        (["assert f(1) == 2"], ("f",)),
        (["assert set(f(1)) == set([2])"], ("f",)),
        (["assert f(g(1)) == 2"], ("f",)),
        (["assert not math.isclose(f(g(1)), 2)"], ("f",)),
        (["assert f(1) == g(1)"], ("f", "g")),
        (["assert f(1) == g(1)", "assert g(2)"], ("g",)),
        (["assert other(1)"], ()),
        (["assert abs(g(f(1)))"], ("f", "g")),
    ],
)
def test_the_entry_point_is_the_function_whose_result_is_tested(
    asserts: list[str], entries: tuple[str, ...]
) -> None:
    program = ast.parse("def f(a): pass\ndef g(a): pass")
    assert find_entry_points(program, ast.parse("\n".join(asserts))) == entries


@pytest.mark.parametrize(
    ("test", "lines"),
    [
        ("assert f(1)==[1,2]", (">>> f(1)", "[1,2]")),
        ("assert f('a  b' ) == 'ü' , 'message'", (">>> f('a  b' )", "'ü'")),
        ("assert f(1,\n  2) == (3,\n 4)", (">>> f(1,", "...   2)", "(3,", " 4)")),
        ("assert set(f(1)) == {1}", ("assert set(f(1)) == {1}",)),
        ("assert not f(1)", ("assert not f(1)",)),
        ("assert f(1) != 2", ("assert f(1) != 2",)),
        ("assert f(1) == 2 == 2", ("assert f(1) == 2 == 2",)),
        ("assert 2 == f(1)", ("assert 2 == f(1)",)),
        ("x = 1", ("x = 1",)),
    ],
)
def test_an_assert_that_is_call_equals_value_becomes_an_example(
    test: str, lines: tuple[str, ...]
) -> None:
    assert make_examples([test], "f") == lines
    assert is_example(test, "f") == lines[0].startswith(">>> ")


HOSTILE = [
    "plain",
    "back\\slash and \\x and \\N{oops}",
    'three """ quotes',
    "three ''' quotes",
    "both \"\"\" and ''' and \\",
    "ends with a backslash \\",
    'ends with a quote "',
    "a NUL \x00, a form feed \x0c, a return \r, a surrogate \ud800",
    "umlaut ü, emoji 🎉",
    "two\nlines",
    "windows\r\nlines",
    "",
]


@pytest.mark.parametrize("description", HOSTILE)
def test_any_description_survives_in_a_prompt_that_compiles(description: str) -> None:
    gold = dissected("import os\ndef f(a): return a")
    prompt = write_docstring_prompt(gold, description, [])
    wanted = description.replace("\r\n", "\n").strip("\n").replace("\n", "\n    ")
    for written in (prompt, prompt + write_docstring_canonical(gold)):
        literal = function(written).body[0]
        assert isinstance(literal, ast.Expr)
        assert ast.literal_eval(literal.value) == f"{wanted}\n    "
    plain = ast.parse(write_plain_prompt(description, ["assert f(1)"])).body[0]
    assert isinstance(plain, ast.Expr)
    assert ast.literal_eval(plain.value) == wanted.replace("\n    ", "\n") + "\nassert f(1)\n"


def test_the_docstring_form_reads_like_a_function_to_complete() -> None:
    gold = dissected("import math\ndef f(a, b):\n  return math.gcd(a, b)\nX = 1")
    tests = ["assert f(2, 4) == 2", "assert f(1, 1)"]
    assert write_docstring_prompt(gold, "Greatest divisor.", make_examples(tests, "f")) == (
        'import math\n\n\ndef f(a, b):\n    """Greatest divisor.\n    >>> f(2, 4)\n    2\n'
        '    assert f(1, 1)\n    """\n'
    )
    assert write_docstring_canonical(gold) == "    return math.gcd(a, b)\n\n\nX = 1\n"
    assert write_preamble(gold) == "import math\n\n\n"
