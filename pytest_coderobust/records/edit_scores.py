"""Scores of one knowledge case under one editor, or under none."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_coderobust.records.codec import LATER


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Likeness of an answer to its target: exact match, BLEU and ROUGE-L, each in [0, 1]."""

    em: float
    bleu: float
    rouge_l: float


@dataclass(frozen=True, slots=True)
class NeighbourScores:
    """Likeness of the answers to a case's neighbours to those of the unedited model, in [0, 1].

    Attributes:
        em_all: 1 where all of them are unchanged: what CLMEEval calls EM.
        em_each: share of them that is unchanged.
        count: of the neighbours.
    """

    em_all: float
    em_each: float
    bleu: float
    rouge_l: float
    count: int


@dataclass(frozen=True, slots=True)
class CaseScores:
    """Scores of one case.

    Attributes:
        case: its id.
        effectiveness: of the input, at the target's own length.
        generalisation: the mean over the rewrites; None where there are none.
        specificity: of the neighbours; None where there are none.
        fluency: bits, from 0 to about 6; the mean over input and rewrites.
        natural_effectiveness, natural_generalisation: the same, where the model ends by itself.
        seconds, peak_bytes: of making the edit; None without one, or where not measurable.
        refused: why the editor made no edit; the scores are then those of the unedited model.
    """

    case: str
    effectiveness: AnswerScores
    generalisation: AnswerScores | None
    specificity: NeighbourScores | None
    fluency: float
    seconds: float | None = None
    peak_bytes: int | None = None
    refused: str = ""
    natural_effectiveness: AnswerScores | None = field(default=None, metadata=LATER)
    natural_generalisation: AnswerScores | None = field(default=None, metadata=LATER)
