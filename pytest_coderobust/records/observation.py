"""The observation of one task under one cell, in counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from pytest_coderobust.records.codec import LATER
from pytest_coderobust.records.variant import Cell


class Adoption(str, Enum):
    """A solution's use of the API changes that its task declares."""

    CORRECT = "correct"  # uses a new API, passes every test
    INCORRECT = "incorrect"  # uses a new API, and fails
    WORKAROUND = "workaround"  # passes without
    NONE = "none"  # neither


class Status(str, Enum):
    """The result of one (task, cell)."""

    SOLVED = "solved"  # a clean prompt that passes
    UNSOLVED = "unsolved"  # clean fails
    ROBUST = "robust"  # clean and variant pass
    BROKEN = "broken"  # clean passes, variant fails
    SKIPPED = "skipped"  # no eligible site, or not recorded
    UNUSABLE = "unusable"  # the oracle self-check rejected the task


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured (task, cell): the counts that every metric is computed from.

    Attributes:
        n, c: samples drawn and samples fully passing.
        clean_n, clean_c: the same for the task's clean prompt.
        truncated: how many of the n completions the token limit ended.
        unfinished: how many of them are a thought that never ends, and so no answer.
        refused: how many of them the model's server would not give; they count as failed.
        thought_tokens: tokens of all n that belong to thoughts.
        adoptions: one for each sample, where the task declares an API change.
        stale: how many of them are "none" and reached for an old name.
        stages: values of `metrics.stages.Stage`, one for each sample, where the task declares an
            API change.
        in_process: some verdict came from the solution's own process.
        self_edited: the model was edited on this very task: shown, and in no rate.
        reason: the reason why a skipped or unusable item was not measured.
    """

    task_id: str
    cell: Cell
    status: Status
    n: int = 0
    c: int = 0
    clean_n: int = 0
    clean_c: int = 0
    truncated: int = 0
    checked: bool = True
    member: str = ""
    reason: str = ""
    adoptions: tuple[Adoption, ...] = ()
    in_process: bool = False
    self_edited: bool = False
    unfinished: int = 0
    refused: int = field(default=0, metadata=LATER)
    thought_tokens: int = field(default=0, metadata=LATER)
    stale: int = 0
    stages: tuple[int, ...] = field(default=(), metadata=LATER)

    @property
    def measured(self) -> bool:
        return self.status not in (Status.SKIPPED, Status.UNUSABLE)
