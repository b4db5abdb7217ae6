"""Tests of the user's own: fixtures, marker, and what they share with suites."""

from __future__ import annotations

import sqlite3

from conftest import Project

TYPOS = """
import pytest

@pytest.mark.coderobust(suite="toy.toml")
def test_task(code_task, solve):
    assert solve(code_task.prompt).full

@pytest.mark.coderobust(suite="toy.toml")
def test_variant(variant, solve):
    assert variant.prompt != variant.task.prompt
    assert solve(variant).full

@pytest.mark.coderobust(suite="toy.toml")
def test_model(code_model, code_task):
    (completion,) = code_model.complete(code_task, code_task.prompt)
    assert "return" in completion.text
    assert code_model.identity.digest
"""


def test_fixtures_run_on_every_task_and_square(project: Project) -> None:
    project.write_suite('perturbations = ["C1", "C2"]')
    project.pytester.makepyfile(test_mine=TYPOS)
    result = project.run("test_mine.py", "--model", "oracle", "-v")
    result.assert_outcomes(passed=6 + 12 + 6)
    result.stdout.fnmatch_lines(["*test_variant[[]Toy/0-C1-s0] PASSED*"])


def test_broken_variant_fails_the_users_assertion(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    project.pytester.makepyfile(test_mine=TYPOS)
    model = project.record(broken=[1, 3])
    result = project.run("test_mine.py", "-k", "test_variant", "--model", model)
    result.assert_outcomes(passed=4, failed=2, deselected=12)


def test_both_kinds_share_the_ledger(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    project.pytester.makepyfile(test_mine=TYPOS)
    model = "scripted:canonical@0.9"

    def rows() -> int:
        database = sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite")
        (count,) = database.execute("SELECT count(*) FROM completions").fetchone()
        database.close()
        return int(count)

    project.run("toy.toml", "--model", model)
    before = rows()
    project.run("test_mine.py", "-k", "test_variant", "--model", model)
    assert rows() == before == 12


def test_users_tests_alone_are_reported_and_never_gated(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.0"]')
    project.pytester.makepyfile(test_mine=TYPOS)
    result = project.run("test_mine.py", "-k", "test_variant", "--model", project.record())
    result.stdout.fnmatch_lines(["suite toy", "PARTIAL*"])
    assert "\ngate " not in result.stdout.str()
    assert result.ret == 0


def test_without_a_model_they_are_skipped(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    project.pytester.makepyfile(test_mine=TYPOS)
    result = project.run("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*no model is named; add --model NAME*"])


def test_without_the_marker_the_error_says_what_is_missing(project: Project) -> None:
    project.pytester.makepyfile(test_mine="def test_one(code_task): pass")
    result = project.run("--model", "oracle")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*need the marker @pytest.mark.coderobust(suite=*"])


def test_data_set_can_stand_for_a_suite(project: Project) -> None:
    project.pytester.makepyfile(
        test_mine="""
        import pytest

        @pytest.mark.coderobust(suite="quickstart")
        def test_task(code_task, solve):
            assert solve(code_task.prompt).full
        """
    )
    result = project.run(
        "--model", "oracle", "-k", "test_task and quickstart/1-or-quickstart/2 or quickstart/3"
    )
    assert "passed" in result.stdout.str()
    assert "error" not in result.stdout.str()


def test_fixtures_work_under_given_and_xdist(project: Project) -> None:
    project.write_suite()
    project.pytester.makepyfile(
        test_mine="""
        import pytest
        from hypothesis import given, settings, strategies as st

        @pytest.mark.coderobust(suite="toy.toml")
        @given(noise=st.text(alphabet="abc ", max_size=8))
        @settings(max_examples=5, deadline=None)
        def test_noise(code_task, solve, noise):
            prompt = code_task.prompt.replace("given", "given " + noise)
            assert solve(prompt).full == solve(prompt).full
            assert solve(prompt).full
        """
    )
    result = project.run("-n", "2", "--model", "oracle")
    result.assert_outcomes(passed=6)
