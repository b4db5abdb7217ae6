"""Measurement of one suite on one model: a window is filled, then its squares are observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.filling import WindowFiller
from pytest_coderobust.engine.keys import digest_run
from pytest_coderobust.engine.observations import (
    Answered,
    Measured,
    make_observation,
    store_measured,
)
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.selfcheck import SelfCheck, check_oracle
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.engine.windows import cut_windows
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.models.extraction.solution import UNFINISHED
from pytest_coderobust.records import (
    Cell,
    Completion,
    ModelIdentity,
    Observation,
    Sampling,
    Square,
    Status,
    Task,
    Variant,
    Verdict,
)
from pytest_coderobust.sandbox.check import Check


class Measurement:
    """A suite, a model and a sandbox that share one ledger.

    Args:
        selfcheck: the result of an earlier oracle self-check of the same tasks.
    """

    def __init__(
        self,
        plan: Plan,
        answers: CompletionStore,
        judge: VerdictStore,
        ledger: Ledger,
        listen: Listener,
        selfcheck: SelfCheck | None = None,
    ) -> None:
        self.plan = plan
        backend, changes = answers.backend, plan.api_changes
        self.run = digest_run(plan.digest, plan.config, backend, judge.tier, changes)
        self._answers = answers
        self._judge = judge
        self._ledger = ledger
        self._listen = listen
        self._selfcheck = selfcheck
        answers.run = self.run
        self._filler = WindowFiller(
            plan.config.name, self, answers, judge, ledger, listen, plan.config.sampling
        )
        self._clean_stored: set[str] = set()
        ledger.describe(self.run, plan.config.name, answers.backend.identity, judge.tier)

    @property
    def sampling(self) -> Sampling:
        return self.plan.config.sampling

    @property
    def model(self) -> ModelIdentity:
        return self._answers.backend.identity

    @property
    def keyed_by(self) -> KeyedBy:
        """The part of a row that its answer depends on: the prompt alone, or the whole variant."""
        return self._answers.backend.keyed_by

    def want(self, squares: Iterable[Square]) -> None:
        """Announces which squares will be observed, so that their rows share windows."""
        self._filler.cut(
            cut_windows(squares, self.plan.tasks, self.plan.cells, self.plan.config.window)
        )

    def ask(self, squares: Sequence[Square], may_begin: Callable[[], bool]) -> bool:
        """Answers and judges squares as one more window.

        Returns:
            False if something is missing and `may_begin`, called under the lease, forbids to
            compute it.
        """
        windows = self._filler.windows
        self._filler.windows = windows.add(squares)
        return self._filler.fill(len(windows.squares), may_begin)

    def selfcheck(self) -> SelfCheck:
        """The oracle self-check, run once.

        Raises:
            OracleError: the suite cannot judge a model.
        """
        if self._selfcheck is None:
            with self._ledger.lease():
                self._selfcheck = check_oracle(
                    self.plan.tasks, self.plan.config, self._judge, self._listen
                )
        return self._selfcheck

    def measure(self, task: Task, cell: Cell) -> Measured:
        """Measures one square, and its clean square with it; the observation is stored.

        Raises:
            ModelError, SandboxError, OracleError: the harness failed; nothing is known.
        """
        measured = self._measure(task, cell)
        store_measured(measured, self._ledger, self.run)
        return measured

    def answer(self, variant: Variant) -> Answered:
        """Answers and judges one variant, in the plan or not.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        self._filler.fill(self._filler.windows.index.get((variant.task.id, variant.cell)))
        (answered,) = self.answer_all([variant], self.sampling)
        return answered

    def answer_all(self, variants: Sequence[Variant], sampling: Sampling) -> list[Answered]:
        """Answers and judges variants outside the plan together, in batches of like length.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        # One look into the ledger where everything is there, as it is for each item of a window.
        stored = self._answers.stored_all(variants, sampling)
        if None in stored:
            with self._ledger.lease():
                for batch in self._answers.generate(variants, sampling):
                    self._judge.begin(self._filler.checks(batch, sampling))
            stored = self._answers.stored_all(variants, sampling)
        written = [completions for completions in stored if completions is not None]
        assert len(written) == len(variants), "generate() stores every row or raises"
        checks = [
            [
                None if completion.refused else self.check(variant.task, completion)
                for _, completion in completions
            ]
            for variant, completions in zip(variants, written, strict=True)
        ]
        found = self._judge.verdicts(filter(None, chain.from_iterable(checks)))
        config = self.plan.config
        return [
            Answered(
                variant,
                tuple(completions),
                tuple(self._pick_verdict(check, found) for check in own),
                unfinished=sum(check is not None and check.solution == UNFINISHED for check in own),
                reading=config.reading if config.extraction == "code" else None,
            )
            for variant, completions, own in zip(variants, written, checks, strict=True)
        ]

    def _pick_verdict(
        self, check: Check | None, found: Mapping[str, Verdict]
    ) -> tuple[str, Verdict]:
        """The verdict on a check, with its key; None is the check of a refused answer."""
        if check is None:
            return self._judge.refuse()
        key = self._judge.key(check)
        return key, found[key]

    def list_missing(self, squares: Sequence[Square]) -> list[tuple[Variant, int]]:
        """Lists the variants of squares that can be asked, each with the rows that are missing."""
        variants = [v for v in self.make_variants(squares).values() if not self.unavailable(v)]
        return [(v, self._answers.missing([v], self.sampling)) for v in variants]

    def count_missing(self, variants: Sequence[Variant], sampling: Sampling) -> int:
        """Counts the completions of variants that the ledger lacks."""
        return self._answers.missing(variants, sampling)

    def unavailable(self, variant: Variant) -> str:
        """The reason why a variant cannot be measured ("no eligible site"), or ""."""
        return variant.skipped or self._answers.backend.unavailable(variant, self.sampling)

    def solved(self, answered: Answered) -> bool:
        """Whether at least the share `solved_at` of the samples passes."""
        return is_solved(answered.n, answered.c, self.plan.config.solved_at)

    def _measure(self, task: Task, cell: Cell) -> Measured:
        check = self.selfcheck()
        checked = task.id not in check.unchecked
        if task.id in check.unusable:
            reason = check.unusable[task.id]
            return Measured(Observation(task.id, cell, Status.UNUSABLE, reason=reason))
        clean_variant = self._variant(task, Cell())
        variant = self._variant(task, cell)
        reason = self.unavailable(clean_variant) or self.unavailable(variant)
        if reason:
            return Measured(
                Observation(task.id, cell, Status.SKIPPED, checked=checked, reason=reason)
            )
        solved_at = self.plan.config.solved_at
        clean = self.answer(clean_variant)
        found = make_observation(clean, clean, solved_at, checked=checked)
        if cell.is_clean:
            return Measured(found, clean)
        if task.id not in self._clean_stored:
            # A report shows a variant beside its clean prompt, also where only the variant was
            # wanted (-k C1), so the clean observation is stored too.
            self._clean_stored.add(task.id)
            store_measured(Measured(found, clean), self._ledger, self.run)
        seen = self.answer(variant)
        return Measured(make_observation(clean, seen, solved_at, checked=checked), clean, seen)

    def _variant(self, task: Task, cell: Cell) -> Variant:
        square = (task.id, cell)
        return self._filler.variants.get(square) or make_variant(self.plan, task, cell)

    def make_variants(self, squares: Sequence[Square]) -> dict[Square, Variant]:
        """Makes the variants of the squares whose tasks are usable."""
        unusable = self.selfcheck().unusable
        usable = [square for square in squares if square[0] not in unusable]
        prepare(self.plan, usable)
        return {
            (task, cell): make_variant(self.plan, self.plan.tasks[task], cell)
            for task, cell in usable
        }

    def check(self, task: Task, completion: Completion) -> Check:
        """Makes the check of a completion."""
        return self.selfcheck().check(task, completion, self.plan.config)

    def tell_threads(self, run: str) -> str:
        """Stores as a fact of a run how many threads the model wrote with, if known; returns it."""
        if found := self._answers.threads:  # part of no key: they move results by rounding alone
            self._ledger.add_fact(run, "threads", found)
        return found

    def passing(self, task: Task, completions: Sequence[str]) -> list[bool]:
        """Tells for each completion whether it passes every test, for editors that ask.

        Raises:
            SandboxError: the harness failed on one of them.
        """
        checks = [self.check(task, Completion(text, "recorded")) for text in completions]
        return [verdict.full for verdict in self._judge.in_order(checks)]
