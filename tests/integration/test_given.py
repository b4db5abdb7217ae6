"""Tests of the user's own under @given: quiet, shrunk, and kept."""

from __future__ import annotations

import json

import pytest
from conftest import Project

EXAMPLE = """
import pytest
from hypothesis import given, strategies as st
from coderobust_strategies.hypothesis_strategies import perturbed

@pytest.mark.coderobust(suite="quickstart")
@given(data=st.data())
def test_survives_typos(code_task, solve, data):
    prompt = data.draw(perturbed(code_task.prompt, "C1", max_edits=3))
    assert solve(prompt).full
"""
SAMPLED = '[suite]\ntasks = "quickstart"\n[sampling]\ntemperature = 0.3\nmax_new_tokens = 96\n'
CI_PROFILE = """
from hypothesis import settings
settings.register_profile("careful", derandomize=True, database=None, max_examples=60)
settings.load_profile("careful")
"""
SETTINGS = """
import datetime
import pytest
from hypothesis import Phase, given, settings, strategies as st

def of(test):
    return test._hypothesis_internal_use_settings

@pytest.mark.coderobust(suite="toy.toml")
@given(n=st.integers(0, 1))
def test_plain(code_task, n):
    found = of(test_plain)
    assert found.deadline is None
    assert not found.report_multiple_bugs
    assert Phase.explain not in found.phases and Phase.shrink in found.phases

@pytest.mark.coderobust(suite="toy.toml")
@settings(max_examples=2, deadline=5000, phases=[Phase.generate, Phase.explain])
@given(n=st.integers(0, 1))
def test_chosen(code_task, n):
    found = of(test_chosen)
    assert found.deadline == datetime.timedelta(seconds=5)
    assert found.max_examples == 2
    assert found.phases == (Phase.generate, Phase.explain)
    assert not found.report_multiple_bugs

@given(n=st.integers(0, 1))
def test_not_ours(n):
    assert of(test_not_ours).deadline == settings().deadline
"""


def test_the_example_of_the_documentation_shrinks_and_is_kept(project: Project) -> None:
    project.pytester.makeconftest(CI_PROFILE)
    project.pytester.makepyfile(test_mine=EXAMPLE)
    result = project.run("test_mine.py", "--model", "tiny", "-k", "quickstart/100")
    text = result.stdout.str()
    assert "1 failed" in text
    assert "FailedHealthCheck" not in text
    assert "Flaky" not in text
    result.stdout.fnmatch_lines(
        [
            "*test_survives_typos(*",
            "*Draw 1: 1 edit (typo)*",
            "*kept in .coderobust/failures/quickstart-100-*.json*",
            "*reproduce: pytest *",
        ]
    )
    (path,) = (project.path / ".coderobust" / "failures").glob("*.json")
    record = json.loads(path.read_text())
    assert len(record["edits"]) == 1
    assert record["minimal"]
    assert f"kept in .coderobust/failures/{path.name}" in text


@pytest.mark.slow
def test_it_works_on_a_model_that_samples(project: Project) -> None:
    (project.path / "sampled.toml").write_text(SAMPLED)
    project.pytester.makeconftest(CI_PROFILE)
    project.pytester.makepyfile(test_mine=EXAMPLE.replace('"quickstart"', '"sampled.toml"'))
    result = project.run("test_mine.py", "--model", "tiny", "-k", "quickstart/100")
    text = result.stdout.str()
    assert "FailedHealthCheck" not in text
    assert "Flaky" not in text
    assert "1 failed" in text or "1 passed" in text


def test_settings_suit_a_model_unless_the_user_chose(project: Project) -> None:
    project.write_suite()
    project.pytester.makepyfile(test_mine=SETTINGS)
    project.run("test_mine.py", "--model", "oracle").assert_outcomes(passed=13)
    project.run("test_mine.py").assert_outcomes(passed=1, skipped=2)
