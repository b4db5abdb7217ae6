"""The oracle checks itself before it judges a model."""

from __future__ import annotations

import pytest
from conftest import TASKS, Project

EMPTY_TEST = "def check(candidate):\n    candidate(1)\n    assert True\n"


def with_changes(changes: dict[int, dict[str, object]], copies: int = 1) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for copy in range(copies):
        for index, row in enumerate(TASKS):
            changed = {**row, **(changes.get(index, {}) if copy == 0 else {})}
            rows.append({**changed, "task_id": f"Toy/{copy * len(TASKS) + index}"})
    return rows


def test_task_whose_canonical_solution_fails_is_named_and_in_no_metric(project: Project) -> None:
    project.write_tasks(with_changes({1: {"canonical_solution": "    return 7\n"}}, copies=2))
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines(["*Toy/1*canonical solution fails*"])
    found = project.json()
    assert found["metrics"]["clean"]["n"] == 11
    assert found["metrics"]["C1"]["n"] == 11
    assert [row["task"] for row in found["totals"]["unusable"]] == ["Toy/1"]
    assert found["complete"] is True
    assert result.ret == 0


def test_task_whose_stub_passes_is_unusable(project: Project) -> None:
    project.write_tasks(with_changes({2: {"test": EMPTY_TEST}}, copies=2))
    project.write_suite()
    result = project.run("toy.toml", "--model", "oracle", "-rs")
    result.stdout.fnmatch_lines(["*unusable*a solution that does nothing passes its tests*"])


def test_run_stops_when_every_stub_passes(project: Project) -> None:
    project.write_tasks(with_changes({i: {"test": EMPTY_TEST} for i in range(6)}))
    project.write_suite('max_unusable = 1.0\ngates = ["pass@1 >= 0.1"]')
    result = project.run("toy.toml", "--model", "oracle")
    result.stdout.fnmatch_lines(["*a solution that does nothing passes all 6 tasks*"])
    result.assert_outcomes(errors=1)
    assert result.ret != 0
    assert "gate holds" not in result.stdout.str()


def test_run_stops_when_too_many_tasks_are_unusable(project: Project) -> None:
    project.write_tasks(with_changes({i: {"canonical_solution": "    return 7\n"} for i in (0, 1)}))
    project.write_suite()
    result = project.run("toy.toml", "--model", "oracle")
    result.stdout.fnmatch_lines(["*2 of 6 tasks are unusable, more than max_unusable = 0.1*"])
    assert result.ret != 0


def test_limit_of_unusable_tasks_is_the_suites(project: Project) -> None:
    project.write_tasks(with_changes({i: {"canonical_solution": "    return 7\n"} for i in (0, 1)}))
    project.write_suite("max_unusable = 0.5")
    assert project.run("toy.toml", "--model", "oracle").ret == 0


def test_task_without_a_canonical_solution_is_unchecked_and_says_so(project: Project) -> None:
    rows = with_changes({})
    del rows[0]["canonical_solution"]
    project.write_tasks(rows)
    project.write_suite()
    model = project.write_replay({(f"Toy/{i}", "clean", 0): project.canonical(i) for i in range(6)})
    result = project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    assert project.json()["totals"]["unchecked"] == ["Toy/0"]
    assert project.json()["metrics"]["clean"]["n"] == 6
    result.stdout.fnmatch_lines(["*unchecked*"])


def test_results_of_the_check_are_kept(project: Project) -> None:
    import sqlite3

    project.write_suite()
    project.run("toy.toml", "--model", "oracle")
    database = sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite")
    (before,) = database.execute("SELECT count(*) FROM verdicts").fetchone()
    assert before == 12  # six canonical solutions, six stubs
    project.run("toy.toml", "--model", project.record())
    (after,) = database.execute("SELECT count(*) FROM verdicts").fetchone()
    database.close()
    assert after == before


@pytest.mark.parametrize("broken_extractor", [True, False])
def test_broken_judge_is_found(project: Project, broken_extractor: bool) -> None:
    """If the extractor ate every solution, no canonical one would pass, and the run would stop."""
    project.write_suite()
    if broken_extractor:
        project.pytester.makeconftest(
            "import pytest_coderobust.engine.verdicts as checks\n"
            "checks.extract = lambda completion, task, *how: task.prompt + '    pass'\n"
        )
    result = project.run("toy.toml", "--model", "oracle")
    assert (result.ret == 0) is not broken_extractor


def test_tests_that_cannot_be_split_are_judged_in_process_and_labelled(project: Project) -> None:
    project.tasks = project.tasks[:2]
    project.tasks[0]["test"] = "def check(candidate):\n    assert candidate(number) == 6\n"
    pair = project.tasks[1]
    pair["canonical_solution"] = "    return -value.number\n\nclass Boxed:\n    number = 3\n"
    pair["test"] = "def check(candidate):\n    assert candidate(Boxed()) == -3\n"
    project.tasks[0]["canonical_solution"] = "    return 2 * value\n\nnumber = 3\n"
    project.write_tasks()
    project.write_suite('extraction = "raw"')
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines(
        ["judged in-process (tests that cannot be split; can be forged): Toy/0, Toy/1"]
    )
    found = project.json()
    assert found["totals"]["in_process"] == ["Toy/0", "Toy/1"]
    assert found["totals"]["unusable"] == []
    assert [item["status"] for item in found["items"]] == ["solved", "solved"]
    model = project.write_replay({("Toy/0", "clean", 0): "    return 1\n\nnumber = 3\n",
                                  ("Toy/1", "clean", 0): project.canonical(1)})  # fmt: skip
    project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    assert [item["status"] for item in project.json()["items"]] == ["unsolved", "solved"]


def test_a_task_with_rich_answers_is_judged_and_one_beyond_the_sandbox_is_not_blamed(
    project: Project,
) -> None:
    rich, beyond = project.tasks[:2]
    rich["canonical_solution"] = (
        "    from collections import Counter\n    return Counter({'a': 2 * value})\n"
    )
    rich["test"] = "def check(c):\n    assert c(1).most_common() == [('a', 2)]\n"
    beyond["canonical_solution"] = "    import socket\n    return socket.socket()\n"
    project.write_tasks()
    project.write_suite("max_unusable = 0.5")
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines(["*Toy/1*the sandbox cannot judge it: exception*"])
    found = project.json()
    assert found["totals"]["in_process"] == ["Toy/0"]
    assert [row["task"] for row in found["totals"]["unusable"]] == ["Toy/1"]


def test_a_slow_canonical_solution_gives_its_task_time(project: Project) -> None:
    wait = (
        "    import time\n    end = time.process_time() + 0.4\n"
        "    while time.process_time() < end:\n        pass\n"
    )
    project.write_tasks(with_changes({0: {"canonical_solution": wait + project.canonical(0)}}))
    project.write_suite("[sandbox]\ncpu_seconds = 3\ncall_seconds = 0.2")
    model = project.write_replay(
        {(f"Toy/{i}", "clean", 0): wait * (i < 2) + project.canonical(i) for i in range(6)}
    )
    project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    solved = {row["task"]: row["status"] for row in project.json()["items"]}
    assert solved == {f"Toy/{i}": "unsolved" if i == 1 else "solved" for i in range(6)}


@pytest.mark.parametrize("name", ["size_of", "len"])
def test_a_slow_solution_of_a_task_with_a_change_gives_its_task_time(
    project: Project, name: str
) -> None:
    """Neither form passes as it is: the one that would is slow, whichever it is."""
    slow = (
        f"    import time\n    end = time.process_time() + 0.4 * {name}('a')\n"
        f"    while time.process_time() < end:\n        pass\n{project.canonical(0)}"
    )
    changes = [{"old": "len", "new": "size_of"}]
    project.write_tasks(with_changes({0: {"canonical_solution": slow, "api_changes": changes}}))
    project.write_suite("[sandbox]\ncpu_seconds = 3\ncall_seconds = 0.2")
    answer = slow.replace(f"{name}(", "size_of(")
    model = project.write_replay(
        {(f"Toy/{i}", "clean", 0): answer if i == 0 else project.canonical(i) for i in range(6)}
    )
    project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    found = project.json()
    assert found["totals"]["unusable"] == []
    assert {row["status"] for row in found["items"]} == {"solved"}
