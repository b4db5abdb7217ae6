"""`--budget` of a run: what is asked for it, and what can then be decided."""

from __future__ import annotations

import pytest
from conftest import Project
from support.early_suite import completions, of_many_tasks, outcomes, run, said

SURE = 'gates = [{ gate = "pass@1 >= 0.8", confidence = 0.95 }'


@pytest.fixture
def many(project: Project) -> Project:
    return of_many_tasks(project)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_spent_budget_is_inconclusive(many: Project, workers: str) -> None:
    """100 completions are 50 tasks: the first gate is settled, the second is open and fails."""
    many.write_suite(
        f'perturbations = ["C1"]\n{SURE}, {{ gate = "rd[C1] <= 0.01", confidence = 0.95 }}]',
        name="many.toml",
    )
    result = run(many, "--budget=100", "-rs", "-n", workers)
    told = "the budget ended after 50 of 60 tasks; 20 of 120 completions were not asked"
    assert result.ret == 1
    assert outcomes(many) == ["holds", "inconclusive"]
    assert told in said(result)
    assert "not asked: the budget was spent after 50 of 60 tasks" in said(result)
    assert completions(many) == 100


def test_a_budget_bounds_a_part_of_a_suite_too(many: Project) -> None:
    """The clean prompts behind the selected ones are asked as well, and count."""
    assert run(many, "--budget=50", "-k", "C1").ret == 1
    assert set(outcomes(many)) == {"not judged"}
    assert completions(many) == 50


def test_a_suite_may_call_a_spent_budget_a_pass(many: Project) -> None:
    gate = '{ gate = "pass@1 >= 0.99", confidence = 0.95, inconclusive = "pass" }'
    many.write_suite(f"gates = [{gate}]", name="many.toml")
    assert run(many, "--budget=40").ret == 0
    assert outcomes(many) == ["inconclusive"]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_no_time_asks_nothing_and_is_never_green(many: Project, workers: str) -> None:
    result = run(many, "--budget=0s", "-n", workers)
    assert result.ret == 1
    assert outcomes(many) == ["inconclusive", "inconclusive"]
    assert "the budget ended after 0 of 60 tasks" in said(result)
    assert completions(many) == 0


def test_what_a_ledger_has_costs_no_time(many: Project) -> None:
    for words in ((), ("--budget=0s",)):
        assert run(many, *words).ret == 0
        assert many.json()["early"] == {
            "ended": "settled", "tasks": 40, "asked": 80, "planned": 120,
        }  # fmt: skip


def test_a_budget_that_suffices_changes_no_outcome(many: Project) -> None:
    many.write_suite('perturbations = ["C1"]\ngates = ["pass@1 >= 0.5"]', name="many.toml")
    assert run(many, "--budget=120,30m").ret == 0
    assert many.json()["early"] == {"ended": "", "tasks": 60, "asked": 120, "planned": 120}
    assert (many.json()["complete"], outcomes(many)) == (True, ["holds"])


def test_a_spent_budget_writes_no_baseline_and_decides_none(many: Project) -> None:
    many.write_suite('perturbations = ["C1"]', name="many.toml")
    words = ("--baseline=base.jsonl", "--update-baseline")
    assert run(many, *words).ret == 0
    before = (many.path / "base.jsonl").read_bytes()
    result = run(many, *words, "--budget=40")
    assert result.ret == 1
    assert "base.jsonl was not updated: the budget ended" in said(result)
    assert (many.path / "base.jsonl").read_bytes() == before
    assert run(many, words[0], "--budget=40").ret == 1
    assert outcomes(many) == ["inconclusive"]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_suites_share_a_budget_in_their_order(many: Project, workers: str) -> None:
    for name in ("a.toml", "b.toml"):
        many.write_suite(SURE + "]", name=name)
    many.run(
        "a.toml", "b.toml", "--model=oracle", "--budget=80", "-n", workers,
        "--coderobust-json=out.json",
    )  # fmt: skip
    suites = many.json()["suites"]
    assert isinstance(suites, list)
    assert [suite["early"]["tasks"] for suite in suites] == [60, 20]


def test_tests_of_the_users_own_ask_what_they_like(many: Project) -> None:
    many.pytester.makepyfile(
        test_own="""
        import pytest
        @pytest.mark.coderobust(suite="many.toml")
        def test_solves(code_task, solve):
            assert solve(code_task.prompt).full
        """
    )
    assert run(many, "test_own.py", "--budget=40").ret == 0
    assert (many.json()["complete"], "early" in many.json()) == (True, False)
