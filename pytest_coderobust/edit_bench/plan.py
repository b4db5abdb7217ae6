"""Plan of a benchmark, and the result of what was measured of it; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pytest_coderobust.edit_bench.editors import BenchEditor, give_training
from pytest_coderobust.edit_bench.memory import BenchMemory
from pytest_coderobust.edit_bench.result import BenchResult, EditorNumbers, make_numbers
from pytest_coderobust.editors.registry import EditorSpec
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records.edit_scores import CaseScores
from pytest_coderobust.records.knowledge import KnowledgeCase

NO_EDIT = "no edit"


@dataclass(frozen=True, slots=True)
class BenchPart:
    """Cases that are asked, and the set that editors are trained on before them.

    Attributes:
        name: of the set that the cases are of.
    """

    cases: tuple[KnowledgeCase, ...]
    training: CaseSet | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """Plan of a benchmark.

    Attributes:
        name: of the case set, as the user wrote it.
        parts: one, or two halves that are trained on one another.
        editors: in the order of the report.
    """

    memory: BenchMemory
    name: str
    parts: tuple[BenchPart, ...]
    editors: tuple[BenchEditor, ...]

    @property
    def cases(self) -> tuple[KnowledgeCase, ...]:
        """The cases of all parts."""
        return tuple(case for part in self.parts for case in part.cases)

    def conclude(self, failed: Mapping[str, str]) -> BenchResult:
        """Makes the result of what was measured.

        Args:
            failed: why an editor could not be measured, by its label.
        """
        found = self.memory.read(None)
        left_out = {
            self._name(part, case): found.left_out[case.digest]
            for part in self.parts
            for case in part.cases
            if case.digest in found.left_out
        }
        control = self._list_scores(None)
        trained = self.parts[0].training
        return BenchResult(
            name=self.name,
            training=trained.name if trained else "",
            model=self.memory.backend.identity,
            seed=self.memory.settings.seed,
            cases=len(control),
            left_out=left_out,
            swapped=len(self.parts) > 1,
            control=make_numbers(NO_EDIT, control, None),
            editors=tuple(self._conclude(each, failed, control) for each in self.editors),
        )

    def _conclude(
        self, editor: BenchEditor, failed: Mapping[str, str], control: list[CaseScores]
    ) -> EditorNumbers:
        label = editor.spec.label
        if reason := editor.unable or failed.get(label, ""):
            return EditorNumbers(label, unable=reason)
        trainings = tuple(self._list_trainings(editor.spec))
        return make_numbers(label, self._list_scores(editor.spec), control, trainings)

    def _list_trainings(self, spec: EditorSpec) -> Iterator[Mapping[str, object]]:
        """Lists what an editor told of each training; one that is no half's own comes once."""
        known: set[str] = set()
        for part in self.parts:
            own = give_training(spec, part.training)
            facts = self.memory.read_training(own)
            if facts and own.digest not in known:
                yield {**facts, **({"set": own.training.name} if own.training else {})}
            known.add(own.digest)

    def _name(self, part: BenchPart, case: KnowledgeCase) -> str:
        """Names a case: by its id, which is unique in its half only."""
        return f"{part.name}: {case.id}" if len(self.parts) > 1 else case.id

    def _list_scores(self, spec: EditorSpec | None) -> list[CaseScores]:
        """Lists the scores of the cases that the model can be asked, in their order."""
        able = self.memory.read(None).scores
        found: list[CaseScores] = []
        for part in self.parts:
            scores = self.memory.read(spec and give_training(spec, part.training)).scores
            found += [
                replace(scores[case.digest], case=self._name(part, case))
                for case in part.cases
                if case.digest in able
            ]
        return found
