"""Asking of a study: the prompts of an arm, answered and judged in the world of each pair."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.observations import Answered
from pytest_coderobust.engine.study.arms import Front
from pytest_coderobust.engine.study.material import StudyMaterial
from pytest_coderobust.engine.study.steps import AskedPair
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.eligible import watch_api
from pytest_coderobust.migration.rewriting import rewrite
from pytest_coderobust.migration.study.nearest import find_nearest
from pytest_coderobust.migration.study.notes import write_example, write_note
from pytest_coderobust.migration.study.outcomes import PairOutcome
from pytest_coderobust.records import (
    ApiChange,
    Cell,
    Level,
    Sampling,
    Variant,
    Verdict,
)
from pytest_coderobust.sandbox.check import Check

SECONDS = "answering"


@dataclass(slots=True)
class StudyAsker:
    """Asks measurements for the arms of one study.

    Attributes:
        run: the study's key in the ledger.
        refused: prompts that could not be asked, by arm, with the reason of the first.
    """

    judge: VerdictStore
    ledger: Ledger
    run: str
    material: StudyMaterial
    refused: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def ask(
        self,
        measurement: Measurement,
        asked: Sequence[AskedPair],
        sampling: Sampling,
        *,
        arm: str,
        front: Front = "",
    ) -> list[Answered | None]:
        """Answers and judges pairs in order; None where the model cannot be asked.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        variants = [self.make_variant(each, front) for each in asked]
        reasons = [measurement.unavailable(variant) for variant in variants]
        able = [v for v, why in zip(variants, reasons, strict=True) if not why]
        missing = measurement.count_missing(able, sampling)
        began = time.perf_counter()
        found = iter(measurement.answer_all(able, sampling))
        if missing:
            self._add_seconds(arm, time.perf_counter() - began)
        self.refused.setdefault(arm, []).extend(filter(None, reasons))
        return [None if why else next(found) for why in reasons]

    def make_variant(self, asked: AskedPair, front: Front) -> Variant:
        """Makes the variant of a pair: its prompt, with what the arm puts in front."""
        prompt = asked.task.prompt
        if front == "example":
            nearest = find_nearest(asked.task, self.material.list_solved(asked.told))
            prompt = (write_example(nearest) if nearest else "") + prompt
        if front:
            prompt = write_note(asked.told) + prompt
        # A recording has answers for one prompt of each task: with another one it must say so.
        return Variant(asked.task, Cell(front) if front else Cell(), prompt)

    def migrate(
        self, measurement: Measurement, answered: Sequence[Answered | None]
    ) -> list[tuple[Verdict, ...] | None]:
        """Judges answers again, rewritten for the changes in force: the codemod's."""
        checks = [[] if each is None else list_checks(measurement, each) for each in answered]
        rewritten = [
            [
                replace(check, solution=migrate_solution(check.solution, check.api_changes))
                for check in own
            ]
            for own in checks
        ]
        verdicts = iter(self.judge.in_order([check for own in rewritten for check in own]))
        return [
            None if each is None else tuple(next(verdicts) for _ in own)
            for each, own in zip(answered, rewritten, strict=True)
        ]

    def read_seconds(self, arm: str) -> float:
        """Reads the seconds that writing an arm's answers took, when they were written."""
        return float(self.ledger.edits(self.run).get(f"{SECONDS} {arm}", 0.0))

    def _add_seconds(self, arm: str, seconds: float) -> None:
        total = round(self.read_seconds(arm) + seconds, 3)
        self.ledger.keep_edit(self.run, f"{SECONDS} {arm}", str(total))


def list_checks(measurement: Measurement, answered: Answered) -> list[Check]:
    """Lists the checks of an answer's completions; one that a server refused is empty."""
    return [
        measurement.check(answered.variant.task, completion)
        for _, completion in answered.completions
    ]


def migrate_solution(solution: str, changes: Sequence[ApiChange]) -> str:
    """Rewrites a solution for the changes; one that is no program stays as it is."""
    try:
        return rewrite(solution, changes).source
    except ValueError:
        return solution


def watch_pairs(asked: Sequence[AskedPair]) -> list[AskedPair]:
    """Puts pairs back into the old world, with the uses of each API watched."""
    return [
        replace(
            each,
            task=replace(each.task, api_changes=tuple(map(watch_api, each.task.api_changes))),
        )
        for each in asked
    ]


def make_outcomes(
    asked: Sequence[AskedPair],
    verdicts: Sequence[tuple[Verdict, ...] | None],
    samples: int,
) -> tuple[PairOutcome, ...]:
    """Makes the outcomes of pairs; a prompt that could not be asked counts as unsolved."""
    unasked = (Verdict(Level.NONE, 0, 0, "refused", "the prompt does not fit the model"),)
    return tuple(
        PairOutcome(each.pair, unasked * samples if found is None else found)
        for each, found in zip(asked, verdicts, strict=True)
    )


def list_verdicts(answered: Sequence[Answered | None]) -> list[tuple[Verdict, ...] | None]:
    """Lists the verdicts of each answer."""
    return [
        None if each is None else tuple(verdict for _, verdict in each.verdicts)
        for each in answered
    ]
