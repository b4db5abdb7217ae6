"""ReCode's changes of code reach every place that they must, and no other."""

from __future__ import annotations

import ast

import pytest

from coderobust_strategies import PerturbationError, UnknownPerturbation, lookup
from coderobust_strategies.perturbations.recode import TaskCode, code_names, halved, recode

TASK = TaskCode(
    prompt='''def count_odds(values: list, low=0) -> int:
    """Count the odd values; count_odds calls itself.
    >>> count_odds([1, 2])
    1
    """
''',
    solution="""    if not values:
        return 0
    total = 0
    for i in range(len(values)):
        if values[i] > low:
            total += values[i] % 2
    low = low + 1
    low = low - 1
    low = low + 2
    low = low - 2
    low = low + 3
    low = low - 3
    if "count_odds" == "":
        return count_odds(values, low)
    return total
""",
    tests="""def check(candidate):
    assert candidate([1, 2, 3]) == 2
    assert count_odds([1]) == 1
    assert "count_odds" != ""
""",
    entry_point="count_odds",
)


def whole(task: TaskCode) -> str:
    return task.prompt + task.solution


def passes(task: TaskCode) -> bool:
    scope: dict[str, object] = {}
    exec(whole(task) + "\n" + task.tests + f"\ncheck({task.entry_point})\n", scope)
    return True


@pytest.mark.parametrize("name", code_names())
@pytest.mark.parametrize("seed", range(4))
def test_a_changed_task_still_passes_its_tests(name: str, seed: int) -> None:
    made = recode(halved(TASK), name, seed)

    assert not made.skipped
    assert made.task != halved(TASK)
    assert passes(made.task)
    assert recode(halved(TASK), name, seed) == made


@pytest.mark.parametrize("name", [name for name in code_names() if "FuncRename" in name])
def test_a_rename_reaches_every_use_and_leaves_strings_alone(name: str) -> None:
    task = recode(TASK, name, 1).task
    new = task.entry_point

    assert new != "count_odds"
    assert f"def {new}(values" in task.prompt
    assert f">>> {new}([1, 2])" in task.prompt
    assert f"; {new} calls itself" in task.prompt
    assert f"return {new}(values, low)" in task.solution
    assert f"assert {new}([1]) == 1" in task.tests
    assert (task.solution.count("count_odds"), task.tests.count("count_odds")) == (1, 1)


def test_camel_case_keeps_the_words() -> None:
    assert recode(TASK, "recode:FuncRenameCamelCase", 0).task.entry_point == "countOdds"


def test_a_name_that_is_an_english_word_stays_one_in_prose() -> None:
    task = TaskCode(
        'def median(l):\n    """Return the median; the function median is called as median(l)."""\n',
        "    return sorted(l)[0]\n", "def check(c):\n    assert c([1]) == 1\n", "median",
    )  # fmt: skip
    made = recode(task, "recode:FuncRenameChangeChar", 0).task
    new = made.entry_point

    assert f"Return the median; the function {new} is called as {new}(l)." in made.prompt


def test_a_new_name_never_collides() -> None:
    task = TaskCode(
        "def ab(ba):\n    return 0\n", "", "def check(c):\n    assert c(1) == 0\n", "ab"
    )

    assert recode(task, "recode:FuncRenameSwapChar", 0).skipped == "no eligible site"


def test_the_most_frequent_variable_is_renamed_in_prompt_and_solution() -> None:
    task = recode(halved(TASK), "recode:VarRenamerNaive", 0).task

    assert "def count_odds(VAR_0: list" in task.prompt
    assert "VAR_0[i]" in task.prompt
    assert "count_odds(VAR_0, low)" in task.solution
    assert "values[i]" not in whole(task)
    assert "Count the odd values" in task.prompt


def test_format_changes_leave_the_syntax_tree_equal() -> None:
    before = ast.dump(ast.parse(whole(halved(TASK))))
    for name in ("TabIndent", "SplitLines", "NewlineAfterDoc", "NewlineAfterCode", "NewlineRandom"):
        made = recode(halved(TASK), f"recode:{name}", 0)
        assert ast.dump(ast.parse(whole(made.task))) == before, name
        assert whole(made.task) != whole(TASK)


def test_tabs_indent_code_and_leave_the_docstring_alone() -> None:
    made = whole(recode(TASK, "recode:TabIndent", 0).task)

    assert "\n\t\treturn 0\n" in made
    assert "\n    >>> count_odds" in made


def test_a_docstring_becomes_comments() -> None:
    made = recode(TASK, "recode:Doc2Comments", 0).task.prompt

    assert '"""' not in made
    assert (
        "    # Count the odd values; count_odds calls itself.\n    # >>> count_odds([1, 2])" in made
    )


def test_operands_swap_with_the_comparison_mirrored() -> None:
    task = TaskCode(
        "def f(a, b):\n    if a < b:\n",
        "        return 1\n    return 2\n",
        "def check(c): pass\n",
        "f",
    )

    assert "if b > a:" in recode(task, "recode:OperandSwap", 0).task.prompt


def test_a_loop_over_range_becomes_a_while_loop() -> None:
    prompt = "def f(n):\n    t = 0\n    for i in range(1, n):\n        t += i\n    t += 1\n"
    task = TaskCode(prompt, "    return t\n", "def check(c):\n    assert c(4) == 7\n", "f")
    made = recode(task, "recode:ForWhileTransformer", 0).task

    assert (
        "    i = 1\n    while i < n:\n        t += i\n        i += 1\n    t += 1\n" in made.prompt
    )
    assert passes(made)


@pytest.mark.parametrize(
    "body",
    [
        "        if i: continue\n        t += i\n",
        "        n -= 1\n",
        "        i += 1\n",
    ],
)
def test_a_loop_whose_meaning_would_change_stays(body: str) -> None:
    prompt = f"def f(n):\n    t = 0\n    for i in range(n):\n{body}    t += 1\n"
    task = TaskCode(prompt, "    return t\n", "def check(c): pass\n", "f")

    assert recode(task, "recode:ForWhileTransformer", 0).skipped == "no eligible site"


def test_a_loop_whose_variable_is_used_afterwards_stays() -> None:
    prompt = "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    t += i\n"
    task = TaskCode(prompt, "    return t\n", "def check(c): pass\n", "f")

    assert recode(task, "recode:ForWhileTransformer", 0).skipped == "no eligible site"


def test_a_task_that_is_not_python_comes_back_with_the_reason() -> None:
    task = TaskCode("int f() {", "}", "", "f")

    assert recode(task, "recode:TabIndent", 0).task == task
    assert "not Python" in recode(task, "recode:TabIndent", 0).skipped


def test_an_unknown_name_is_refused_and_lookup_names_the_function_for_code() -> None:
    with pytest.raises(UnknownPerturbation, match="did you mean 'recode:TabIndent'"):
        recode(TASK, "recode:TabIndnt", 0)
    with pytest.raises(PerturbationError, match="changes code, not prose"):
        lookup("recode:TabIndent")
