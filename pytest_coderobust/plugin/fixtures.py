"""Fixtures for tests of the user's own: a model, a task, a variant, and `solve`.

All of them are session-scoped, so that they can be used under Hypothesis' `@given`; equal prompts
get equal answers for the whole session, so that no test is flaky by sampling. What they need is
imported when they are used: every pytest run loads this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_coderobust.plugin.stash import NOTES, SESSION

if TYPE_CHECKING:
    from pytest_coderobust.plugin.solving import CodeModel, Solved, TestPlace
    from pytest_coderobust.records import Task, Variant
    from pytest_coderobust.session.edits import OneModel
    from pytest_coderobust.session.own_edits import EditSession
    from pytest_coderobust.session.suite import SuiteSession


@pytest.fixture(scope="session")
def coderobust_place(request: pytest.FixtureRequest) -> TestPlace:
    """The suite, task and cell that the running test is about; the other fixtures start from it."""
    from pytest_coderobust.plugin.solving import find_place

    return find_place(request)


@pytest.fixture(scope="session")
def code_task(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> Task:
    """A task of the suite that the `coderobust` marker names."""
    return suite_of(request, coderobust_place).plan.tasks[coderobust_place.task_id]


@pytest.fixture(scope="session")
def variant(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> Variant:
    """A perturbed prompt of the suite; the test is skipped where there is no eligible site."""
    from pytest_coderobust.plugin.solving import make_variant_or_skip

    return make_variant_or_skip(suite_of(request, coderobust_place), coderobust_place)


@pytest.fixture(scope="session")
def code_model(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> CodeModel:
    """The model under test: its identity, and raw completions of any prompt."""
    from pytest_coderobust.plugin.solving import CodeModel

    return CodeModel(suite_of(request, coderobust_place))


@pytest.fixture(scope="session")
def solve(
    request: pytest.FixtureRequest, coderobust_place: TestPlace, code_task: Task
) -> Callable[[str | Variant], Solved]:
    """Answers and judges a prompt, or a variant of the suite, with the model under test."""
    from pytest_coderobust.plugin.given import remember
    from pytest_coderobust.plugin.solving import solve_variant
    from pytest_coderobust.records import Cell, Variant
    from pytest_coderobust.session.edits import DRAWN

    suite = suite_of(request, coderobust_place)
    notes = request.config.stash[NOTES]

    def solve_one(prompt: str | Variant) -> Solved:
        given = Variant(code_task, Cell(DRAWN), prompt) if isinstance(prompt, str) else prompt
        solved = solve_variant(suite, notes, given)
        if not solved.full and isinstance(prompt, str):
            remember(notes, suite.reference, prompt, given)
        return solved

    return solve_one


@pytest.fixture(scope="session")
def base_model(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> OneModel:
    """The model under test as it was before any `--edit`."""
    from pytest_coderobust.session.edits import OneModel

    suite = suite_of(request, coderobust_place)
    return OneModel(suite.resources.backend.identity, suite.unedited)


@pytest.fixture(scope="session")
def edited_model(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> OneModel:
    """The model that `--edit` edited for the test's perturbation; skipped where there is none."""
    from pytest_coderobust.plugin.solving import edited_model_or_skip

    return edited_model_or_skip(suite_of(request, coderobust_place), coderobust_place)


@pytest.fixture(scope="session")
def edit_session(request: pytest.FixtureRequest, coderobust_place: TestPlace) -> EditSession:
    """Edits of the test's own, each undone when its block ends."""
    from pytest_coderobust.session.own_edits import EditSession

    return EditSession(suite_of(request, coderobust_place))


def suite_of(request: pytest.FixtureRequest, place: TestPlace) -> SuiteSession:
    """The suite that a test's parameter names."""
    return request.config.stash[SESSION].suite(place.reference)
