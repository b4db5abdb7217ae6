"""Scripted model of a test: a function or a mapping answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.models.options import ROWS, ModelOptions
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
    digest,
)

ScriptedAnswers = Callable[[Row], str] | Mapping[str, str]

_SCRIPT = re.compile(r"scripted:canonical(?:@(0(?:\.\d+)?|1(?:\.0+)?))?")

WRONG = "    pass\n"
"""Answer of `canonical_share` to a row that it does not solve."""


class Scripted:
    """A backend whose answers are given.

    Args:
        answers: a function of the row; or a mapping from "TASK[LABEL]" (as in a test id:
            "HumanEval/0[C1-s0]", "HumanEval/0[clean]") or "TASK" to the completion. What the
            mapping lacks is unavailable as "not scripted".
        name: names the model. A function's answers are stored under it, so change the name
            when the function changes, or a ledger answers with what it remembers.
    """

    keyed_by: KeyedBy = "variant"

    def __init__(
        self, answers: ScriptedAnswers, *, name: str = "scripted", batch_size: int = 32
    ) -> None:
        self._answers = answers
        self._name = name
        self.batch_size = batch_size

    @property
    def identity(self) -> ModelIdentity:
        content = dict(self._answers) if isinstance(self._answers, Mapping) else None
        return ModelIdentity(
            self._name, digest("scripted", self._name, content), {"model": "scripted"}
        )

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        if isinstance(self._answers, Mapping) and _lookup(self._answers, variant) is None:
            return "not scripted"
        return ""

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:  # noqa: ARG002
        return [Completion(self._answer(row), "recorded") for row in rows]

    def close(self) -> None:
        pass

    def _answer(self, row: Row) -> str:
        if not isinstance(self._answers, Mapping):
            return self._answers(row)
        answer = _lookup(self._answers, row.variant)
        assert answer is not None, "unavailable() said so"
        return answer


def canonical_share(
    share: float, *, name: str = "scripted:canonical", batch_size: int = 32
) -> Scripted:
    """Makes a model that solves a fixed share of the rows with the canonical solution.

    A testing aid. Task, cell and sample index decide which rows it solves, so every process agrees.
    A task without a canonical solution is never solved.

    Args:
        share: from 0 to 1.
    """

    def answer(row: Row) -> str:
        variant = row.variant
        where = digest("canonical_share", variant.task.id, variant.cell.label, row.sample)
        solved = int(where[:13], 16) / 16**13 < share
        return (variant.task.canonical if solved else None) or WRONG

    return Scripted(answer, name=name, batch_size=batch_size)


def check_scripted(name: str) -> None:
    """Refuses a name of another form than "scripted:canonical@SHARE".

    Raises:
        UsageError: the name has another form, or the share is not from 0 to 1.
    """
    if _SCRIPT.fullmatch(name) is None:
        raise UsageError(
            f"model {name!r}: the only script is 'scripted:canonical@SHARE' with a share "
            "from 0 to 1, such as 'scripted:canonical@0.7'"
        )


def open_scripted(name: str, options: ModelOptions) -> Scripted:
    found = _SCRIPT.fullmatch(name)
    assert found is not None, "check_scripted() said so"
    return canonical_share(float(found[1] or 1), name=name, batch_size=options.batch_size or ROWS)


def _lookup(answers: Mapping[str, str], variant: Variant) -> str | None:
    exact = answers.get(f"{variant.task.id}[{variant.cell.label}]")
    return answers.get(variant.task.id) if exact is None else exact
