"""The run of one suite on one model, from which every report is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_coderobust.records.codec import LATER
from pytest_coderobust.records.completion import Sampling
from pytest_coderobust.records.editing import Editing
from pytest_coderobust.records.identity import ModelIdentity
from pytest_coderobust.records.observation import Observation
from pytest_coderobust.records.task import ApiChange
from pytest_coderobust.records.usage import Bill
from pytest_coderobust.records.variant import Cell


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a run that was asked in waves, which may end before the plan does.

    Attributes:
        ended: "settled" when what was left could decide no gate, "budget" when that was spent, ""
            when everything was asked.
        tasks: of the plan, asked under one cell at least.
        asked, planned: completions; where a variant may not exist, it counts as planned.
    """

    ended: Literal["", "settled", "budget"]
    tasks: int
    asked: int
    planned: int


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Words of a server about rows that it refused, and their number."""

    told: str
    rows: int


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """The run that a report of one suite is computed from; built from the ledger alone.

    Attributes:
        tasks, cells: the whole plan, in order, whether measured or not; `cells` starts with
            the clean one. A complete run has an observation for each pair.
        levels: level of each planned perturbation ("C1" -> "character").
        observations: in plan order.
        incomplete: why the run is partial ("3 of 656 items deselected"), "" when complete.
        notes: sentences the report must show (what was left out, what is lossy).
        api_changes: every change that a task of the plan declares.
        base: of an edited model, the observations of the model before it was edited.
        editing: how the model was edited; None where it was not.
        course: of a run that might end early, how far it went; None where something else left
            items out, and nothing can be judged.
        basis: digests of what else the numbers rest on ("tasks", "extractor", "judge"); equal
            where two runs may be compared.
        bill: of a served model, what was asked for this run in all sessions; None of any other.
        train: perturbations that models may be trained on; the others of the plan are unseen.
        shard: of a part that another machine's parts will join, its number ("3/16"); else "".
        waves: of a served model that was asked in waves, the tasks of each; their size depends on
            the server and the budget.
        refusals: of a served model, why its server refused rows; the most frequent reason first.
    """

    suite: str
    model: ModelIdentity
    sampling: Sampling
    ks: tuple[int, ...]
    solved_at: float
    tasks: tuple[str, ...]
    cells: tuple[Cell, ...]
    levels: Mapping[str, str]
    observations: tuple[Observation, ...]
    tier: str = ""
    incomplete: str = ""
    notes: tuple[str, ...] = ()
    api_changes: tuple[ApiChange, ...] = ()
    base: tuple[Observation, ...] = ()
    editing: Editing | None = None
    basis: Mapping[str, str] = field(default_factory=dict[str, str])
    course: Course | None = None
    bill: Bill | None = None
    waves: tuple[int, ...] = ()
    train: tuple[str, ...] = field(default=(), metadata=LATER)
    shard: str = field(default="", metadata=LATER)
    refusals: tuple[RefusalReason, ...] = field(default=(), metadata=LATER)
