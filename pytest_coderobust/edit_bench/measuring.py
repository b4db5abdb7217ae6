"""Measuring of editors on knowledge cases: each edit alone, and undone before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from pytest_coderobust.edit_bench.asking import ask_case, ask_neighbours, explain_unfit
from pytest_coderobust.edit_bench.editors import give_training
from pytest_coderobust.edit_bench.memory import BenchMemory
from pytest_coderobust.edit_bench.plan import NO_EDIT, BenchPlan
from pytest_coderobust.edit_bench.writing import TextWriter
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.answer_requests import (
    judge_by_match,
    make_answer_request,
    make_answer_task,
)
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.memory import run_in_memory
from pytest_coderobust.editors.protocol import Editor, Weighted
from pytest_coderobust.editors.registry import EditorSpec, open_editor
from pytest_coderobust.editors.training_cases import is_prepared
from pytest_coderobust.errors import CodeRobustError, EditRefused
from pytest_coderobust.records.edit_scores import CaseScores
from pytest_coderobust.records.knowledge import KnowledgeCase

BenchListener = Callable[[str, int, int], None]
"""Hears an editor's label, how many of its cases are done, and how many there are."""


def measure_all(plan: BenchPlan, backend: Weighted, listen: BenchListener) -> Mapping[str, str]:
    """Measures the model without an edit and under every editor of a plan, in this process.

    Returns:
        Why an editor could not be measured, by its label.

    Raises:
        ModelError: the unedited model cannot be run.
        MissingExtra: the libraries of the metrics are not installed.
    """
    meter = CaseMeter(backend, plan.memory)
    meter.measure_control(plan.cases, lambda done: listen(NO_EDIT, done, len(plan.cases)))
    failed: dict[str, str] = {}
    for editor in plan.editors:
        label = editor.spec.label
        if editor.unable:
            continue
        done = 0
        try:
            for part in plan.parts:
                spec = give_training(editor.spec, part.training)
                for _ in meter.measure_editor(spec, part.cases):
                    done += 1
                    listen(label, done, len(plan.cases))
        except CodeRobustError as error:
            failed[label] = str(error)
    return failed


@dataclass(frozen=True, slots=True)
class CaseMeter:
    """Meter of cases on one model."""

    backend: Weighted
    memory: BenchMemory

    def measure_control(
        self, cases: Sequence[KnowledgeCase], listen: Callable[[int], None]
    ) -> None:
        """Measures cases on the model without an edit; those that do not fit it are left out.

        Raises:
            ModelError: the model cannot be run.
            MissingExtra: the libraries of the metrics are not installed.
        """
        known = self.memory.read(None)
        for done, case in enumerate(cases, start=1):
            if case.digest in known.scores or case.digest in known.left_out:
                continue
            writer = TextWriter(self.backend)
            if reason := explain_unfit(writer, case, natural=self.memory.settings.natural):
                self.memory.leave_out(case, reason)
            else:
                before = self._answer_neighbours(writer, case)
                scores = ask_case(writer, case, before, self.memory.settings)
                self.memory.keep(None, case, scores)
            listen(done)

    def measure_editor(
        self, spec: EditorSpec, cases: Sequence[KnowledgeCase]
    ) -> Iterator[KnowledgeCase]:
        """Measures cases one by one, each on the model edited for it; yields those that are new.

        A case that the editor refuses keeps the scores of the unedited model, with the reason. Any
        other error says nothing of the case: it ends the editor and is not kept.
        The control must have been measured.

        Raises:
            UsageError: an option does not fit the model, or the editor lacks cases to train on.
            ModelError: the model cannot be run, or the edit not made for a reason that is not
                the case's.
        """
        control, known = self.memory.read(None).scores, self.memory.read(spec).scores
        asked = [case for case in cases if case.digest in control]
        new = [case for case in asked if case.digest not in known]
        editor = self._prepare(spec) if new else None
        for case in new:
            work = partial(self._measure, spec, editor, case, control[case.digest])
            scores = run_in_memory(work, f"{spec.label}: case {case.id}")
            self.memory.keep(spec, case, scores)
            yield case

    def _prepare(self, spec: EditorSpec) -> Editor | None:
        """Does what an editor does once for a model, apart from its edits.

        What a training told is kept the first time: a run that goes on only reads its result.

        Returns:
            The editor for all edits that follow; None where each may have a new one.
        """
        editor = open_editor(spec)
        if not is_prepared(editor):
            return None
        access = Access(self.backend)
        with access.frozen_weights():
            facts = run_in_memory(partial(editor.prepare, access), f"{spec.label}: preparation")
        if not self.memory.read_training(spec):
            self.memory.keep_training(spec, facts)
        return editor

    def _measure(
        self, spec: EditorSpec, editor: Editor | None, case: KnowledgeCase, control: CaseScores
    ) -> CaseScores:
        writer = TextWriter(self.backend)
        answer, _ = writer.fit_answer(case)
        before = self._answer_neighbours(writer, case)
        task = make_answer_task(case.id, case.prompt, case.target)
        with ExitStack() as stack:
            try:
                request = make_answer_request(spec, task, answer, case.rewrites)
                change = edited(self.backend, spec, [request], judge_by_match, editor=editor)
                model = stack.enter_context(change)
            except EditRefused as refusal:
                reason = str(refusal).removeprefix(f"{case.id}[knowledge-s0]: ")
                return replace(control, refused=reason)
            scores = ask_case(TextWriter(model), case, before, self.memory.settings)
            return replace(scores, seconds=model.cost.seconds, peak_bytes=model.cost.peak_bytes)

    def _answer_neighbours(self, writer: TextWriter, case: KnowledgeCase) -> list[str]:
        """Reads the unedited model's answers to a case's neighbours, or asks it once."""
        found = self.memory.read_own_answers(case.neighbours)
        if any(prompt not in found for prompt in case.neighbours):
            # All of them, in the batch that the edited model is asked in: padding may round scores.
            made = dict(zip(case.neighbours, ask_neighbours(writer, case.neighbours), strict=True))
            self.memory.keep_own_answers(made)
            found = {**made, **found}
        return [found[prompt] for prompt in case.neighbours]
