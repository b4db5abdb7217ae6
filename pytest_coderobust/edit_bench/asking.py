"""Asking of one case by CLMEEval's protocol: all that a model writes for it, and its scores."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pytest_coderobust.edit_bench.memory import AskSettings
from pytest_coderobust.edit_bench.writing import TextWriter
from pytest_coderobust.metrics.answer_likeness import (
    average_scores,
    score_answer,
    score_neighbours,
)
from pytest_coderobust.metrics.fluency import compute_fluency
from pytest_coderobust.records import digest
from pytest_coderobust.records.edit_scores import AnswerScores, CaseScores
from pytest_coderobust.records.knowledge import KnowledgeCase

NEIGHBOUR_TOKENS = 16
FLUENCY_TOKENS = 64
NATURAL_TOKENS = 64
"""Tokens beyond twice the target's after which a model that does not end is cut."""


def ask_case(
    writer: TextWriter, case: KnowledgeCase, before: Sequence[str], settings: AskSettings
) -> CaseScores:
    """Asks a model a case, and scores its answers.

    Args:
        before: what the unedited model answers to the neighbours.

    Raises:
        ModelError: the model cannot be run.
        MissingExtra: the libraries of the metrics are not installed.
    """
    prompts = [case.prompt, *case.rewrites]
    _, length = writer.fit_answer(case)
    own, others = _score(case, writer.greedy(prompts, length))
    neighbours = ask_neighbours(writer, case.neighbours)
    seed = int(digest("fluency", settings.seed, case.digest)[:12], 16)
    fluent = writer.sample(prompts, FLUENCY_TOKENS, seed)
    natural: tuple[AnswerScores | None, AnswerScores | None] = (None, None)
    if settings.natural:
        natural = _score(case, writer.natural(prompts, 2 * length + NATURAL_TOKENS))
    return CaseScores(
        case=case.id,
        effectiveness=own,
        generalisation=others,
        specificity=score_neighbours(neighbours, before),
        fluency=fmean(map(compute_fluency, fluent)),
        natural_effectiveness=natural[0],
        natural_generalisation=natural[1],
    )


def ask_neighbours(writer: TextWriter, prompts: Sequence[str]) -> list[str]:
    """Continues neighbours of one case, in one batch."""
    return writer.greedy(prompts, NEIGHBOUR_TOKENS) if prompts else []


def explain_unfit(writer: TextWriter, case: KnowledgeCase, *, natural: bool) -> str:
    """Explains why a case does not fit into the model's window; "" where it does."""
    if writer.window is None:
        return ""
    _, length = writer.fit_answer(case)
    longest = max(length, FLUENCY_TOKENS, 2 * length + NATURAL_TOKENS if natural else 0)
    needed = [writer.count(prompt) + longest for prompt in (case.prompt, *case.rewrites)]
    needed += [writer.count(prompt) + NEIGHBOUR_TOKENS for prompt in case.neighbours]
    if max(needed) <= writer.window:
        return ""
    return f"{max(needed)} tokens of prompt and answer, window of {writer.window}"


def _score(case: KnowledgeCase, texts: Sequence[str]) -> tuple[AnswerScores, AnswerScores | None]:
    """Scores the answers to the input and to its rewrites; outer blanks count on neither side."""
    own, *others = [score_answer(text.strip(), case.target.strip()) for text in texts]
    return own, average_scores(others)
