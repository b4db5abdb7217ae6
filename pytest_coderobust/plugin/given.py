"""Tests under Hypothesis' @given: settings that suit a model, and a record of what broke it.

A model is slow and answers equal prompts equally, so a deadline says nothing about it, a second
kind of failure costs as much as the first, and the explain phase asks for prompts nobody wants to
read. Whatever the user set stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_coderobust.plugin.stash import NOTES, SESSION, ItemNotes
from pytest_coderobust.records import Variant

if TYPE_CHECKING:
    from hypothesis import settings as Settings  # noqa: N812

    from pytest_coderobust.hunting.failure import Failure
    from pytest_coderobust.session.session import Session

_SETTINGS = "_hypothesis_internal_use_settings"
"""Where `@given` and `@settings` leave the settings of a test."""


def suit_a_model(test: Callable[..., Any]) -> None:
    """Fits the settings of a test under `@given`; others are left alone."""
    if not getattr(test, "is_hypothesis_test", False):
        return
    current: Settings | None = getattr(test, _SETTINGS, None)
    if current is not None:
        setattr(test, _SETTINGS, fit_settings(current))


def fit_settings(current: Settings) -> Settings:
    """The settings with ours in the place of Hypothesis' own defaults."""
    from hypothesis import Phase, settings

    default = settings.get_profile("default")
    changes: dict[str, Any] = {}
    if current.deadline == default.deadline:
        changes["deadline"] = None
    if current.report_multiple_bugs == default.report_multiple_bugs:
        changes["report_multiple_bugs"] = False
    if current.phases == default.phases:
        changes["phases"] = [phase for phase in current.phases if phase is not Phase.explain]
    return settings(current, **changes) if changes else current


def remember(notes: ItemNotes, reference: str, prompt: str, given: Variant) -> None:
    """Keeps in mind that a perturbed prompt which a test drew was not solved."""
    edits = getattr(prompt, "edits", ())
    if edits and getattr(prompt, "clean", None) == given.task.prompt:
        notes.drawn.append((reference, given.task, frozenset(edits)))


def keep_drawn(report: pytest.TestReport, item: pytest.Item) -> None:
    """Writes the record of a failed test's last unsolved prompt: under Hypothesis the minimum."""
    notes, session = item.config.stash[NOTES], item.config.stash[SESSION]
    drawn, notes.drawn = notes.drawn, []
    if not (report.when == "call" and report.failed and drawn):
        return
    from pytest_coderobust.errors import CodeRobustError
    from pytest_coderobust.hunting.store import FOLDER, Failures

    try:
        failure = _make_failure(session, drawn, item.nodeid)
        session.finish()  # it is the one that was met that answered, if it is served
        path = Failures(session.root / FOLDER).write(failure)
    except CodeRobustError as error:
        report.sections.append(("coderobust", f"the breaking prompt was not kept: {error}"))
        return
    kept = f"kept in {path.relative_to(session.root).as_posix()}"
    report.sections.append(("coderobust", f"{kept}\nreproduce: {failure.reproduce}"))


def _make_failure(
    session: Session, drawn: Sequence[tuple[str, Any, frozenset[Any]]], nodeid: str
) -> Failure:
    """The last prompt, confirmed, with each of its edits taken back once."""
    from pytest_coderobust.hunting.failure import Failure, HuntCost
    from pytest_coderobust.hunting.panel import Confirm, Panel, Question

    reference, task, edits = drawn[-1]
    measurement = session.suite(reference).single
    panel = Panel(measurement, Confirm())
    fewer = [edits - {edit} for edit in sorted(edits)]
    asked = [Question(task, each) for each in dict.fromkeys((frozenset(), edits, *fewer))]
    ballots = dict(zip((each.edits for each in asked), panel.vote(asked), strict=True))
    return Failure(
        suite=reference,
        task_id=task.id,
        entry_point=task.entry_point,
        model=measurement.model,
        sampling=measurement.sampling,
        perturbation="",
        member="",
        seed=0,
        edits=tuple(sorted(edits)),
        first_edits=tuple(sorted(drawn[0][2])),
        clean=ballots[frozenset()].shown,
        broken=ballots[edits].shown,
        minimal=panel.broke(ballots[edits]) and not any(panel.broke(ballots[e]) for e in fewer),
        votes=ballots[edits].votes,
        spent=HuntCost(len(drawn), len(drawn)),
        reproduce=session.command(nodeid),
    )
