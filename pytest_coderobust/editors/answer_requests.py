"""Edit requests that say what a prompt is to be answered: of knowledge, and of API changes.

A robustness request has a clean and a perturbed prompt, and its answer is what the clean one gets.
Here the answer is given. An editor of prompts is asked for the prompt itself; one that wants a pair
gets the prompt as clean and its first rewrite as perturbed.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.editors.registry import EDITORS, EditorSpec
from pytest_coderobust.editors.request import EditRequest
from pytest_coderobust.errors import EditRefused, UsageError
from pytest_coderobust.records import Task, Tests

KNOWLEDGE = "knowledge"
"""Name in the place of a perturbation's."""


def explain_no_answers(spec: EditorSpec) -> str:
    """Explains why an editor takes no request with an answer; "" where it takes them."""
    if EDITORS[spec.name].takes != "nothing":
        return ""
    return f"{spec.name} learns nothing from a request, so it cannot be told an answer"


def make_answer_request(
    spec: EditorSpec,
    task: Task,
    answer: str,
    rewrites: Sequence[str] = (),
    about: str = KNOWLEDGE,
) -> EditRequest:
    """Makes the request that a task's prompt be answered so, in the form that an editor takes.

    Args:
        answer: the continuation of the prompt, with the blank that it begins with.
        rewrites: the prompt in other words; only an editor that wants a pair needs one.
        about: stands in the place of the perturbation.

    Raises:
        UsageError: the editor takes no answers.
        EditRefused: it wants a pair, and there is no rewrite.
    """
    if reason := explain_no_answers(spec):
        raise UsageError(f"--edit {spec.label}: {reason}")
    if EDITORS[spec.name].takes == "prompt":
        return EditRequest(task, task.prompt, task.prompt, about, answer)
    if not rewrites:
        raise EditRefused(f"{task.id} has no rewrite, and {spec.name} wants a pair of prompts")
    return EditRequest(task, task.prompt, rewrites[0], about, answer)


def make_answer_task(name: str, prompt: str, target: str) -> Task:
    """Makes a task whose only right answer is its target, word for word."""
    return Task(name, prompt, "", Tests("", "asserts"), canonical=target)


def judge_by_match(task: Task, completions: Sequence[str]) -> list[bool]:
    """Judges completions by exact match with their task's only answer, outer blanks aside."""
    assert task.canonical is not None
    return [text.strip() == task.canonical.strip() for text in completions]
