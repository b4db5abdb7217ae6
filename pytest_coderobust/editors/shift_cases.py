"""Cases that MALMEN's hyper-network is trained on, as ids."""

from __future__ import annotations

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.answer_texts import LANGUAGE, fit_answer
from pytest_coderobust.editors.case_states import list_positives
from pytest_coderobust.editors.edit_traces import TaughtPrompt
from pytest_coderobust.editors.shift_training import ShiftCase
from pytest_coderobust.editors.trained_options import MalmenOptions
from pytest_coderobust.errors import UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records.knowledge import KnowledgeCase

LEAST = 8
"""Cases below which nothing is trained."""

_TARGET = 40
_ANSWER = 8
"""Most tokens of a target, and of a neighbour's answer."""


def make_cases(access: Access, cases: CaseSet, options: MalmenOptions) -> list[ShiftCase]:
    """Makes training cases of ids; neighbours get the answers of the model as it is.

    Raises:
        UsageError: there are too few.
    """
    chosen = [case for case in cases.cases if case.neighbours][: options.cases]
    if len(chosen) < LEAST:
        raise UsageError(
            f"train={cases.name}: {len(chosen)} cases have a neighbour; a hyper-network takes at "
            f"least {LEAST}"
        )
    return [_make_case(access, case, options) for case in chosen]


def _make_case(access: Access, case: KnowledgeCase, options: MalmenOptions) -> ShiftCase:
    target = fit_answer(access, case.prompt, case.answer)[1][:_TARGET]
    near = list_positives(case, options.positives, options.seed)
    around = [_encode(access, each) for each in case.neighbours[: options.around]]
    return ShiftCase(
        TaughtPrompt(_encode(access, case.prompt), target),
        TaughtPrompt(_encode(access, near[0] if near else case.prompt), target),
        tuple(TaughtPrompt(each, access.continuation(each, _ANSWER)) for each in around),
    )


def _encode(access: Access, prompt: str) -> list[int]:
    """Encodes a prompt; one that leaves no room for a target loses its beginning."""
    ids = access.backend.encode(prompt, LANGUAGE)
    window = access.loaded.window
    return ids if window is None else ids[-max(1, window - _TARGET) :]
