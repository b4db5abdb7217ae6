"""The models of a run that were edited for one perturbation: which there are, and their record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.engine.edited.model_states import (
    BaseState,
    EditedState,
    PlaceboState,
    Stack,
    Succession,
    SuccessionStep,
    identify_stack,
)
from pytest_coderobust.engine.edited.requests import list_request_tasks
from pytest_coderobust.engine.edited.scoring import Draws, list_changes, make_trials
from pytest_coderobust.engine.edited.setting import EditSetting
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.records import Square
from pytest_coderobust.records.editing import EditRecord


@dataclass(frozen=True, slots=True)
class EditedModel:
    """One edited model of a run.

    Attributes:
        number: its request's place, or the requests so far.
        requests: what it was edited on.
        tasks: the tasks of the requests, and of a saved edit those it names.
        final: the item's statuses are about this one: the last of a succession, every other.
    """

    perturbation: str
    number: int
    requests: tuple[EditRequest, ...]
    tasks: tuple[str, ...]
    state: EditedState | SuccessionStep
    measurement: Measurement
    final: bool = True


def plan_models(
    setting: EditSetting, specs: Stack, name: str, requests: tuple[EditRequest, ...]
) -> tuple[EditedModel, ...]:
    """The models for a perturbation, none of them made yet.

    Args:
        requests: one a model (`instant`), or accumulating (`successive`); none for a saved edit.
    """
    config = setting.plan.config.edit
    states: list[EditedState | SuccessionStep]
    if config.regime == "successive" and requests:
        (spec,) = specs
        assert isinstance(spec, EditorSpec)
        succession = Succession(spec, requests, setting.base.passing)
        numbers = sorted({min(step, len(requests)) for step in config.steps})
        taken = [requests[:number] for number in numbers]
        states = [
            SuccessionStep(succession, len(some), identify_stack(setting.backend, specs, some))
            for some in taken
        ]
    else:
        taken = [(request,) for request in requests] or [()]
        numbers = list(range(1, len(taken) + 1))
        states = [
            EditedState(
                specs, some, identify_stack(setting.backend, specs, some), setting.base.passing
            )
            for some in taken
        ]
    return tuple(
        EditedModel(
            perturbation=name,
            number=number,
            requests=some,
            tasks=list_request_tasks(some) or read_saved_tasks(specs, setting.plan.tasks),
            state=state,
            measurement=setting.make_measurement(state, f"edited for {name}"),
            final=isinstance(state, EditedState) or number == numbers[-1],
        )
        for number, some, state in zip(numbers, taken, states, strict=True)
    )


def read_saved_tasks(specs: Stack, tasks: Iterable[str]) -> tuple[str, ...]:
    """Those of a suite's tasks that saved edits were made for."""
    from pytest_coderobust.editors.saved_edits import read_record

    named: set[str] = set()
    for spec in specs:
        if isinstance(spec, SavedSpec):
            requests = read_record(spec.folder).get("requests")
            for each in requests if isinstance(requests, list) else ():
                named.add(str(each.get("label")).rpartition("[")[0])
    return tuple(task for task in tasks if task in named)


def make_record(
    setting: EditSetting, model: EditedModel, squares: Sequence[Square], broken: Sequence[Square]
) -> EditRecord:
    """What an edit did: its facts, its scores beside those of its controls, and every change.

    Args:
        squares: all of its perturbation's, and the clean ones.
        broken: those that were broken when requests were drawn.

    Raises:
        UsageError, ModelError, SandboxError: the edit cannot be made, or the harness failed.
    """
    unedited = BaseState(setting.backend.identity)
    draws = Draws(
        before=setting.make_scoring(unedited, "base", 1),
        control=setting.make_scoring(unedited, "base again", 2),
        after=setting.make_scoring(model.state, "edited", 2),
        placebos=[
            setting.make_scoring(each, "placebo", 2) for each in list_placebos(setting, model)
        ],
        greedy=setting.plan.config.edit.scored.greedy,
    )
    own = [square for square in broken if square[0] in model.tasks]
    others = [square for square in broken if square[0] not in model.tasks]
    own_trials, other_trials = make_trials(draws, setting.plan, own, others)
    rest = [square for square in squares if square[0] not in model.tasks]
    changed = tuple(list_changes(setting.base, model.measurement, rest))
    return EditRecord(
        perturbation=model.perturbation,
        number=model.number,
        tasks=model.tasks,
        facts=setting.read_facts(model.state),
        own=own_trials,
        trials=other_trials,
        clean=tuple(change for cell, change in changed if cell.is_clean),
        perturbed=tuple(change for cell, change in changed if not cell.is_clean),
    )


def list_placebos(setting: EditSetting, model: EditedModel) -> list[PlaceboState]:
    """The rotated edits, where nothing but weights is changed; a succession has them at its end,
    where its edits can be taken out.
    """
    if not model.final or setting.read_facts(model.state).kind != "weights":
        return []
    count = setting.plan.config.edit.placebos
    return [PlaceboState(model.state, seed) for seed in range(count)]
