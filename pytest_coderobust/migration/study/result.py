"""Results of a study of API migration: its arms, their edits, and what came of them.

Frozen counts and rates, which reports render; `subsets` has those of one subset of the tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from pytest_coderobust.errors import DataError
from pytest_coderobust.migration.study.subsets import RegressionResult, StudySubset, SubsetResult
from pytest_coderobust.records.codec import decode, encode

StudyRegime = Literal["instant", "successive"]
StudyWorld = Literal["own", "all"]
ArmKind = Literal["none", "control", "prompt", "codemod", "editor"]

STUDY_SCHEMA = 1
"""Version of the JSON document; raised when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class StudyCheckpoint:
    """An arm after some edits.

    Attributes:
        edits: changes that are in force: under "instant" one at a time, and all pooled here; under
            "successive" the first ones.
        subsets: those with tasks, in the order of `SUBSETS`.
        regressions: None where the benchmark has no specificity tasks.
    """

    edits: int
    subsets: tuple[SubsetResult, ...]
    regressions: RegressionResult | None

    def subset(self, name: StudySubset) -> SubsetResult | None:
        return next((each for each in self.subsets if each.subset == name), None)


@dataclass(frozen=True, slots=True)
class StudyEdit:
    """One edit of an arm: of one change, or of the changes since the checkpoint before.

    Attributes:
        changes: the labels of the changes ("math.sqrt -> math.square_root").
        requests: the labels of the requests; empty for an arm that edits nothing.
        seconds, peak_mb: of making the edit.
        drift: norm of the change over that of the weights; None where none is written.
        nll_before, nll_after: mean NLL of the target's tokens; None where there is no target.
        met: whether every token of every target is the likeliest.
        refused: why the edit was not made, so that the unedited model answered; else "".
        lost, repaired: specificity tasks.
    """

    changes: tuple[str, ...]
    requests: tuple[str, ...] = ()
    seconds: float = 0.0
    peak_mb: float = 0.0
    drift: float | None = None
    nll_before: float | None = None
    nll_after: float | None = None
    met: bool | None = None
    refused: str = ""
    lost: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm of a study.

    Attributes:
        name: as the user wrote it, and as gates name it: "none", "note", "lora:steps=40".
        about: one sentence for people.
        request_form: "solution", "own" or "decision"; "" where nothing is edited.
        checkpoints: one under "instant"; the curve under "successive", its end the last.
        seconds: of making all edits; `answering` of writing the answers, as first measured.
        peak_mb: of the hungriest edit.
    """

    name: str
    kind: ArmKind
    about: str
    request_form: str
    checkpoints: tuple[StudyCheckpoint, ...]
    edits: tuple[StudyEdit, ...]
    seconds: float
    answering: float
    peak_mb: float

    @property
    def final(self) -> StudyCheckpoint:
        return self.checkpoints[-1]

    @property
    def refused(self) -> int:
        """Edits that were not made."""
        return sum(bool(each.refused) for each in self.edits)


@dataclass(frozen=True, slots=True)
class ChangedApi:
    """A change of the study, and the number of its tasks."""

    old: str
    new: str
    kind: str
    label: str
    reliability: int
    generalisation: int


@dataclass(frozen=True, slots=True)
class StudyGateLine:
    """A gate's outcome in words: "holds", "fails" or "not judged" with the reason."""

    text: str
    outcome: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A whole study.

    Attributes:
        world: "own": a task's own change is in force, "all": every change that is edited for.
        samples: of each prompt.
        redrawn: what intervals redraw: "changes", or "tasks" under "successive".
        changes: in the order of the edits.
        specificity: |S|.
        before: the unedited model in the old world, one for each subset with tasks.
        notes: sentences that a report must show.
    """

    suite: str
    model: str
    regime: StudyRegime
    world: StudyWorld
    seed: int
    samples: int
    temperature: float
    ks: tuple[int, ...]
    redrawn: Literal["changes", "tasks"]
    changes: tuple[ChangedApi, ...]
    specificity: int
    before: tuple[SubsetResult, ...]
    arms: tuple[ArmResult, ...]
    gates: tuple[StudyGateLine, ...] = ()
    notes: tuple[str, ...] = ()

    def arm(self, name: str) -> ArmResult | None:
        return next((each for each in self.arms if each.name == name), None)


def study_json(result: StudyResult) -> dict[str, object]:
    """Makes the JSON document of a study; `read_study` takes it back."""
    return {"schema": STUDY_SCHEMA, **cast("dict[str, object]", encode(result))}


def read_study(document: Mapping[str, object]) -> StudyResult:
    """Reads the document that `study_json` made.

    Raises:
        DataError: it is another document.
    """
    values = dict(document)
    if (schema := values.pop("schema", None)) != STUDY_SCHEMA:
        raise DataError(f"the study has schema {schema!r}, and {STUDY_SCHEMA} is known here")
    try:
        return decode(StudyResult, values)
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(f"the document is not a study: {error}") from None
