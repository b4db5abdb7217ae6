"""Edited models of a run: those that one perturbation needs, and the record of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
from pytest_coderobust.engine.observations import Measured
from pytest_coderobust.metrics.outcome import decide_status
from pytest_coderobust.records import Cell, Square, Task
from pytest_coderobust.records.editing import EditRecord


@dataclass(frozen=True, slots=True)
class EditedModel:
    """One edited model of a run.

    Attributes:
        number: the place of its request, or the number of requests of a succession so far.
        requests: the requests it was edited for.
        tasks: the tasks of the requests; for a saved edit the tasks that it names.
        final: whether items report on this model: not for the earlier steps of a succession.
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
    """Plans the models for a perturbation; none of them is edited yet.

    Args:
        requests: one for each model (`instant`), or more and more (`successive`); none for a
            saved edit.
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
    """Reads which of a suite's tasks the saved edits were made for."""
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
    """Makes the record of an edit: its facts, its scores and those of its controls, every change.

    Args:
        squares: all squares of its perturbation, and the clean ones.
        broken: the squares that were broken when requests were drawn.

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
    """Lists the placebos of an edit that changes nothing but weights.

    A succession has them at its last step only, where its edits can be taken out.
    """
    if not model.final or setting.read_facts(model.state).kind != "weights":
        return []
    count = setting.plan.config.edit.placebos
    return [PlaceboState(model.state, seed) for seed in range(count)]


def pool_models(
    task: Task, cell: Cell, models: Sequence[EditedModel], solved_at: float
) -> Measured:
    """Pools a square's counts over the models that were not edited on its task, if there are any.

    Raises:
        ModelError, SandboxError, OracleError, UsageError: the harness failed.
    """
    others = [model for model in models if task.id not in model.tasks]
    found = [model.measurement.measure(task, cell) for model in others or models]
    seen = [each.observation for each in found]
    observation = replace(
        seen[0],
        n=sum(o.n for o in seen),
        c=sum(o.c for o in seen),
        clean_n=sum(o.clean_n for o in seen),
        clean_c=sum(o.clean_c for o in seen),
        truncated=sum(o.truncated for o in seen),
        unfinished=sum(o.unfinished for o in seen),
        thought_tokens=sum(o.thought_tokens for o in seen),
        in_process=any(o.in_process for o in seen),
        adoptions=tuple(adoption for o in seen for adoption in o.adoptions),
        self_edited=not others,
    )
    clean, own = (observation.clean_n, observation.clean_c), (observation.n, observation.c)
    observation = replace(observation, status=decide_status(cell, clean, own, solved_at))
    return replace(found[0], observation=observation)
