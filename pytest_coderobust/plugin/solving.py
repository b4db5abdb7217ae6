"""Tests of the user's own: their squares of a suite, and what solving a prompt means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.plugin.given import suit_a_model
from pytest_coderobust.plugin.stash import SESSION, ItemNotes
from pytest_coderobust.records import Cell, Completion, ModelIdentity, Task, Variant, Verdict
from pytest_coderobust.session.edits import DRAWN, OneModel
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.suite import SuiteSession

NO_MODEL = "no model is named; add --model NAME"


@dataclass(frozen=True, slots=True)
class Solved:
    """A prompt with its completions and their verdicts, in sample order."""

    variant: Variant
    completions: tuple[Completion, ...]
    verdicts: tuple[Verdict, ...]
    full: bool
    """Whether at least the suite's `solved_at` share of the samples passes every test."""


class CodeModel:
    """The model under test, for tests that want its raw completions."""

    def __init__(self, suite: SuiteSession) -> None:
        self._suite = suite

    @property
    def identity(self) -> ModelIdentity:
        return self._suite.resources.backend.identity

    def complete(self, task: Task, prompt: str) -> tuple[Completion, ...]:
        """The completions of any prompt for a task, under the suite's sampling."""
        variant = Variant(task, Cell(DRAWN), prompt)
        answered = self._suite.measurement.answer(variant)
        return tuple(completion for _, completion in answered.completions)


@dataclass(frozen=True, slots=True)
class TestPlace:
    """A test's parameter: which suite, task and cell; plain data, so that ids stay stable."""

    reference: str
    task_id: str
    cell: Cell


def parametrize(metafunc: pytest.Metafunc, session: Session | None) -> None:
    """Gives a test that uses our fixtures one parameter for each task, or each square.

    Raises:
        pytest.UsageError: the suite of its marker cannot be read.
    """
    marker = metafunc.definition.get_closest_marker("coderobust")
    if marker is None or "suite" not in marker.kwargs:
        return  # the fixture says what is missing
    suit_a_model(metafunc.function)
    if session is None:
        values: Sequence[object] = [pytest.param(None, marks=pytest.mark.skip(reason=NO_MODEL))]
        ids = ["no-model"]
    else:
        try:
            places = _list_places(metafunc, str(marker.kwargs["suite"]), session)
        except CodeRobustError as error:
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: {error}") from None
        values, ids = places, [_make_id(place, metafunc) for place in places]
    metafunc.parametrize("coderobust_place", values, indirect=True, ids=ids, scope="session")


def find_item_place(item: pytest.Item) -> TestPlace | None:
    """The square of the suite that a user's test stands for, if it is one of ours."""
    callspec = getattr(item, "callspec", None)
    place = callspec.params.get("coderobust_place") if callspec is not None else None
    return place if isinstance(place, TestPlace) else None


def find_place(request: pytest.FixtureRequest) -> TestPlace:
    """The parameter of the `coderobust_place` fixture.

    Raises:
        pytest.UsageError: the test has no `coderobust` marker.
    """
    if request.config.stash.get(SESSION, None) is None:
        pytest.skip(NO_MODEL)
    place = getattr(request, "param", None)
    if not isinstance(place, TestPlace):
        raise pytest.UsageError(
            'code_task, variant and solve need the marker @pytest.mark.coderobust(suite="NAME") '
            "on their test; a suite is a TOML file or a data set's name"
        )
    return place


def make_variant_or_skip(suite: SuiteSession, place: TestPlace) -> Variant:
    """The variant of a square; the test is skipped where there is none."""
    from pytest_coderobust.engine.variants import make_variant

    plan = suite.plan
    made = make_variant(plan, plan.tasks[place.task_id], place.cell)
    if made.skipped:
        pytest.skip(made.skipped)
    return made


def edited_model_or_skip(suite: SuiteSession, place: TestPlace) -> OneModel:
    """The model that `--edit` edited for a square's perturbation; skipped where there is none."""
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement

    measurement = suite.measurement
    if not isinstance(measurement, EditedMeasurement):
        pytest.skip("no edit is named; add --edit EDITOR")
    planned = [cell.perturbation for cell in measurement.plan.cells if not cell.is_clean]
    names = planned if place.cell.is_clean else [place.cell.perturbation]
    for name in names:
        if model := measurement.model(name):
            return OneModel(model.state.identity, model.measurement)
    pytest.skip(f"no eligible request under {', '.join(names) or 'no perturbation'}")


def solve_variant(suite: SuiteSession, notes: ItemNotes, given: Variant) -> Solved:
    """Answers and judges a variant; one of the plan is observed as well."""
    measurement = suite.measurement
    reason = measurement.unavailable(given)
    if reason:
        pytest.skip(reason)
    square = (given.task.id, given.cell)
    if given.cell in measurement.plan.cells:
        measurement.measure(given.task, given.cell)
        notes.seen.append((suite.reference, measurement.run, square))
    answered = measurement.answer(given)
    return Solved(
        given,
        tuple(completion for _, completion in answered.completions),
        tuple(verdict for _, verdict in answered.verdicts),
        measurement.solved(answered),
    )


def _list_places(metafunc: pytest.Metafunc, suite: str, session: Session) -> list[TestPlace]:
    reference = _find_reference(suite, metafunc.definition.path, session.root)
    plan = session.suite(reference).plan
    cells: Sequence[Cell] = (Cell(),)
    if "variant" in metafunc.fixturenames:
        cells = [cell for cell in plan.cells if not cell.is_clean]
    return [TestPlace(reference, task, cell) for cell in cells for task in plan.tasks]


def _find_reference(suite: str, test: Path, root: Path) -> str:
    """A suite file beside the test, or from the root; else a name."""
    for folder in (test.parent, root):
        file = folder / suite
        if suite.endswith(".toml") and file.is_file():
            inside = file.is_relative_to(root)
            return file.relative_to(root).as_posix() if inside else str(file)
    return suite


def _make_id(place: TestPlace, metafunc: pytest.Metafunc) -> str:
    perturbed = "variant" in metafunc.fixturenames
    return f"{place.task_id}-{place.cell.label}" if perturbed else place.task_id
