"""Likeness of answers to what was wanted: exact match, BLEU and ROUGE-L, as CLMEEval has them.

BLEU is sacrebleu's 13a, corpus BLEU-4 without smoothing; ROUGE-L the F-measure of rouge-score,
without stemming. So an exact match of fewer than four tokens has BLEU 0, and ROUGE-L sees letters
and digits only: `x[1]` equals `x(1)`, and pure punctuation has 0. An empty answer has 0 throughout.

Departure: the reference takes the middle of a random bootstrap as ROUGE-L of several; ours is the
plain mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import fmean
from typing import Any

from pytest_coderobust.errors import MissingExtra
from pytest_coderobust.records.edit_scores import AnswerScores, NeighbourScores

_FEATURE = "coderobust edit-bench"


def score_answer(answer: str, target: str) -> AnswerScores:
    """Scores one answer; both texts count as they are, blanks included.

    Raises:
        MissingExtra: sacrebleu or rouge-score is not installed.
    """
    bleu, rouge_l = compute_bleu([answer], [target]), compute_rouge_l(answer, target)
    if not answer:
        return AnswerScores(0.0, 0.0, 0.0)
    return AnswerScores(float(answer == target), bleu, rouge_l)


def average_scores(scores: Sequence[AnswerScores]) -> AnswerScores | None:
    """Averages each score; None where there is none."""
    if not scores:
        return None
    return AnswerScores(
        fmean(each.em for each in scores),
        fmean(each.bleu for each in scores),
        fmean(each.rouge_l for each in scores),
    )


def score_neighbours(answers: Sequence[str], before: Sequence[str]) -> NeighbourScores | None:
    """Scores answers to neighbours against those of the unedited model; None where there is none.

    Raises:
        MissingExtra: as `score_answer`.
    """
    if not answers:
        return None
    same = [answer == old for answer, old in zip(answers, before, strict=True)]
    return NeighbourScores(
        em_all=float(all(same)),
        em_each=fmean(same),
        bleu=compute_bleu(answers, before),
        rouge_l=fmean(map(compute_rouge_l, answers, before)),
        count=len(same),
    )


def compute_bleu(answers: Sequence[str], targets: Sequence[str]) -> float:
    """Computes the corpus BLEU of answers with one target each, in [0, 1]."""
    found: float = _open_bleu().corpus_score(list(answers), [list(targets)]).score
    return min(1.0, found / 100)  # rounding may exceed 1


def compute_rouge_l(answer: str, target: str) -> float:
    """Computes the F-measure of the longest common subsequence of words, in [0, 1]."""
    found: float = _open_rouge().score(target, answer)["rougeL"].fmeasure
    return found


@cache
def _open_bleu() -> Any:
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError:
        raise MissingExtra(_FEATURE, "clmeeval") from None
    return BLEU(tokenize="13a", smooth_method="none")


@cache
def _open_rouge() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingExtra(_FEATURE, "clmeeval") from None
    return RougeScorer(["rougeL"], use_stemmer=False)
