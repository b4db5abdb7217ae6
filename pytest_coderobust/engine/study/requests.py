"""Requests of a study's edits: rewritten solutions, the model's own answers, or partings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_coderobust.editors.request import EditRequest, Parting
from pytest_coderobust.engine.study.arms import StudyArm
from pytest_coderobust.engine.study.material import BEFORE, MigratedTask
from pytest_coderobust.migration.rewriting import rewrite
from pytest_coderobust.records import ApiChange

NAME = re.compile(r"[\w.]")


@dataclass(frozen=True, slots=True)
class EditTexts:
    """A continuation of a task's prompt before a change and after it."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """The requests of one edit; none, with the reason, where it cannot be made."""

    requests: tuple[EditRequest, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Material of requests besides tasks.

    Attributes:
        own: passing answers of the unedited model that use the API, by task.
        wrong: for each old name the name that a wrong edit teaches in the new one's place.
        most: requests of one edit; None for all.
    """

    own: Mapping[str, str] = field(default_factory=dict[str, str])
    wrong: Mapping[str, str] = field(default_factory=dict[str, str])
    most: int | None = None


def plan_requests(
    arm: StudyArm, change: ApiChange, tasks: Sequence[MigratedTask], source: RequestSource
) -> RequestPlan:
    """Plans the requests of an arm's edit for one change.

    Args:
        tasks: the change's reliability tasks.
    """
    if not change.new:
        return RequestPlan(reason=f"{change.old} was removed, and nothing takes its place")
    if not tasks:
        return RequestPlan(reason=f"{change.old} has no reliability task to edit for")
    found: list[EditRequest] = []
    reasons: list[str] = []
    for each in tasks:
        texts = find_texts(arm, each, source)
        if isinstance(texts, str):
            reasons.append(texts)
        else:
            found.append(make_request(arm, each, texts))
    if not found:
        return RequestPlan(reason=reasons[0])
    return RequestPlan(tuple(found[: source.most]))


def find_texts(arm: StudyArm, each: MigratedTask, source: RequestSource) -> EditTexts | str:
    """Finds what a request is made of; a reason where there is nothing."""
    task, change = each.task, each.change
    if arm.form == "own":
        own = source.own.get(task.id)
        if own is None:
            return f"no answer of the model's own to {task.id} uses {change.old} and passes"
        texts: EditTexts | str = rewrite_texts(task.prompt, own, change)
    else:
        assert task.canonical is not None, "reliability tasks have a canonical solution"
        texts = EditTexts(each.before or "", task.canonical)
    if isinstance(texts, EditTexts) and arm.control == "wrong-change":
        wrong = source.wrong.get(change.old)
        if wrong is None:
            return "a wrong change needs another change with a new name"
        if not texts.before:
            return f"{task.id} does not tell its solution before the change ({BEFORE!r})"
        texts = rewrite_texts(task.prompt, texts.before, ApiChange(change.old, wrong))
    if isinstance(texts, EditTexts) and arm.form == "decision" and not texts.before:
        return f"{task.id} does not tell its solution before the change ({BEFORE!r})"
    return texts


def rewrite_texts(prompt: str, before: str, change: ApiChange) -> EditTexts | str:
    """Rewrites a continuation for a change; a reason where that cannot be done."""
    try:
        found = rewrite(prompt + before, [change], start=len(prompt))
    except ValueError as error:
        return str(error)
    after = found.source[len(prompt) :]
    if found.left or after == before:
        return found.left[0].reason if found.left else f"there is no use of {change.old} in it"
    return EditTexts(before, after)


def make_request(arm: StudyArm, each: MigratedTask, texts: EditTexts) -> EditRequest:
    """Makes the request for one task; its ids follow the prompt's without anything between."""
    parting = find_parting(texts) if arm.form == "decision" else None
    return EditRequest(
        task=each.task,
        clean=each.task.prompt,
        perturbed=each.task.prompt,
        perturbation=each.change.old,
        target=texts.after if parting is None else None,
        parting=parting,
    )


def find_parting(texts: EditTexts) -> Parting:
    """Finds where the texts part; the target goes through the new name and its bracket."""
    before, after = texts.before, texts.after
    end = next(
        (place for place, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
        min(len(before), len(after)),
    )
    while end < len(after) and NAME.match(after[end]):
        end += 1
    return Parting(before, after, end + after.startswith("(", end))


def choose_wrong(changes: Sequence[ApiChange]) -> dict[str, str]:
    """Chooses for each old name the new name of the next change, around the end to the first."""
    named = [change for change in changes if change.new]
    if len(named) < 2:
        return {}
    others = [*named[1:], named[0]]
    return {change.old: other.new for change, other in zip(named, others, strict=True)}
