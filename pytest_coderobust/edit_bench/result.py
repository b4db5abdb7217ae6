"""Result of a benchmark of knowledge edits: every editor's numbers, beside those of no edit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_coderobust.metrics.knowledge import KnowledgeMean, average_cases, find_median
from pytest_coderobust.records import ModelIdentity
from pytest_coderobust.records.edit_scores import CaseScores

_NUMBER = re.compile(r"\d[\d.]*")


@dataclass(frozen=True, slots=True)
class EditorNumbers:
    """Numbers of one editor, or of none.

    Attributes:
        unable: why it was not measured; "" where it was.
        scores: of every case, in the order of the cases.
        refused: reasons for which it made no edit, each with the number of cases; one stands for
            all that differ in their figures only.
        seconds: the median over the edits made.
        peak_bytes: the most memory that an edit needed beyond what was in use.
        training: the first of `trainings`.
        trainings: what it told about its training, or other work before its edits; each with the
            name of its `set`, where it had one. There are two where halves were swapped.
    """

    label: str
    means: tuple[KnowledgeMean, ...] = ()
    scores: tuple[CaseScores, ...] = ()
    unable: str = ""
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    seconds: float | None = None
    peak_bytes: int | None = None
    training: Mapping[str, object] = field(default_factory=dict[str, object])
    trainings: tuple[Mapping[str, object], ...] = ()

    @property
    def refusals(self) -> int:
        """The number of cases without an edit."""
        return sum(self.refused.values())


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Result of a benchmark.

    Attributes:
        name: of the case set, as the user wrote it.
        training: the name of the set that editors were trained on, or ""; that of the first half
            where halves were swapped.
        cases: how many were measured.
        left_out: why others could not be asked, by id.
        control: the model without an edit.
        swapped: whether the cases of `training` were asked too; every id then begins with its set.
    """

    name: str
    training: str
    model: ModelIdentity
    seed: int
    cases: int
    left_out: Mapping[str, str]
    control: EditorNumbers
    editors: tuple[EditorNumbers, ...]
    swapped: bool = False


def make_numbers(
    label: str,
    scores: Sequence[CaseScores],
    control: Sequence[CaseScores] | None,
    trainings: tuple[Mapping[str, object], ...] = (),
) -> EditorNumbers:
    """Makes the numbers of an editor; without a control, those of the unedited model."""
    reasons: dict[str, list[str]] = {}
    for each in scores:
        if each.refused:
            reasons.setdefault(_NUMBER.sub("", each.refused), []).append(each.refused)
    refused = {found[0]: len(found) for found in reasons.values()}
    peaks = [each.peak_bytes for each in scores if each.peak_bytes is not None]
    return EditorNumbers(
        label=label,
        means=average_cases(scores, control),
        scores=tuple(scores),
        refused=refused,
        seconds=find_median([each.seconds for each in scores if each.seconds is not None]),
        peak_bytes=max(peaks, default=None),
        training=trainings[0] if trainings else {},
        trainings=trainings,
    )
