"""Sentences about a study: what was asked, of whom, and what went before."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.migration.study.result import ArmResult, StudyGateLine, StudyResult
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.figures import SUBSET_WORDS, format_percent

LINE = 300
"""Characters of a foreign sentence that are shown."""
LABEL = 80
SHOWN = 12
"""Changes that are named."""


def describe_study(result: StudyResult) -> Iterator[str]:
    """Describes what was asked, under which changes, and what the model could do before."""
    changes = len(result.changes)
    about = sum(each.reliability + each.generalisation for each in result.changes)
    answers = "1 answer" if result.samples == 1 else f"{result.samples} answers"
    drawn = "greedy" if not result.temperature else f"T={result.temperature:g}"
    others = result.specificity
    yield f"{changes} changed APIs, {about} tasks whose solutions use them, {others} others"
    yield f"{answers} a task, {drawn}; {describe_regime(result)}"
    if before := describe_before(result):
        yield before


def describe_regime(result: StudyResult) -> str:
    """Describes how edits follow one another, and the changes in force."""
    how = (
        "each edit starts from the unedited model"
        if result.regime == "instant"
        else "each edit is made on top of the ones before"
    )
    own = result.world == "own"
    return f"{how}, and {'a task has its own change' if own else 'all changes are in force'}"


def describe_before(result: StudyResult) -> str:
    """Describes what the unedited model passes while nothing has changed; "" where unknown."""
    parts = [
        f"{format_percent(each.rates[0].passed.value)} {SUBSET_WORDS[each.subset]}"
        for each in result.before
    ]
    return f"before the changes it passes {', '.join(parts)}" if parts else ""


def list_changes(result: StudyResult) -> Iterator[str]:
    """Lists the changes by their labels; beyond `SHOWN` they are counted."""
    for change in result.changes[:SHOWN]:
        yield escape(change.label, LABEL)
    if len(result.changes) > SHOWN:
        yield f"and {len(result.changes) - SHOWN} more changes"


def explain_arm(arm: ArmResult) -> str:
    """Explains an arm in its own sentence, with the edits that were not made."""
    form = f" ({arm.request_form})" if arm.request_form else ""
    text = f"{escape(arm.about, LINE)}{form}"
    if arm.refused:
        why = next(each.refused for each in arm.edits if each.refused)
        text += f"; {arm.refused} of {len(arm.edits)} edits were not made: {escape(why, LINE)}"
    return text


def explain_study_gate(found: StudyGateLine) -> str:
    """Explains a gate's outcome by its value and reason."""
    value = "" if found.value is None else f"measured {found.value:.4g}"
    return escape("; ".join(part for part in (value, found.reason) if part), LINE)
