"""L-RIR and G-RIR: how much of what a perturbation cost an edit gives back.

Source: CREME (arXiv 2507.16407). For a model edited on task i, each other task j of the category
has

    L-RIR(i, j) = (after_j - before_j) / (original_j - before_j + 1e-5)

which is undefined where original_j - before_j < 1e-5, and skipped. G-RIR(i) is the mean over j, a
category's the mean over i, the overall one the mean over categories. The edited task itself is in
no mean. The authors' notebook has no clip, and their published average fits max(L-RIR, 0): both
forms are given everywhere, "raw" and "clipped".

The value moves with nothing but noise: a task is in the mean because `before` came out low, and
drawn again it comes out higher. So G-RIR says something beside a control alone; see
`pytest_coderobust.metrics.edits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.robustness import mean

EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Restored:
    """One task under one edit: pass rates in [0, 1].

    Attributes:
        category: the perturbation.
        edit_task: the task that the model was edited on.
        original: of the clean prompt on the model before the edit.
        before, after: of the perturbed prompt.
    """

    category: str
    edit_task: str
    task: str
    original: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Restoration:
    """A G-RIR in both forms.

    Attributes:
        raw, clipped: None where no pair defines it.
        edits: edits in the mean.
        pairs: defined L-RIR in the mean.
        undefined: pairs left out because the perturbation cost nothing.
    """

    raw: float | None
    clipped: float | None
    edits: int
    pairs: int
    undefined: int


def l_rir(original: float, before: float, after: float) -> float | None:
    """One L-RIR; None where the perturbation cost nothing."""
    lost = original - before
    return None if lost < EPSILON else (after - before) / (lost + EPSILON)


def g_rir(rows: Iterable[Restored]) -> Restoration:
    """G-RIR of one category: the mean over its edits of each edit's mean L-RIR."""
    edits: dict[str, list[float | None]] = {}
    for row in rows:
        if row.task != row.edit_task:
            found = l_rir(row.original, row.before, row.after)
            edits.setdefault(row.edit_task, []).append(found)
    known = [[value for value in values if value is not None] for values in edits.values()]
    defined = [values for values in known if values]
    pairs = sum(map(len, defined))
    return Restoration(
        raw=mean(_mean(values) for values in defined),
        clipped=mean(_mean([max(value, 0.0) for value in values]) for values in defined),
        edits=len(defined),
        pairs=pairs,
        undefined=sum(map(len, edits.values())) - pairs,
    )


def group_g_rir(rows: Iterable[Restored]) -> dict[str, Restoration]:
    """Computes G-RIR of each category, in the order the rows name them."""
    grouped: dict[str, list[Restored]] = {}
    for row in rows:
        grouped.setdefault(row.category, []).append(row)
    return {category: g_rir(own) for category, own in grouped.items()}


def average_categories(categories: Iterable[Restoration]) -> Restoration:
    """Averages the categories, each counting once; one without a value is left out."""
    found = list(categories)
    return Restoration(
        raw=mean(one.raw for one in found if one.raw is not None),
        clipped=mean(one.clipped for one in found if one.clipped is not None),
        edits=sum(one.edits for one in found),
        pairs=sum(one.pairs for one in found),
        undefined=sum(one.undefined for one in found),
    )


def _mean(values: Sequence[float]) -> float:
    found = mean(values)
    assert found is not None
    return found
