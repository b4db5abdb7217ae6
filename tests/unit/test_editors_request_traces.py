"""Where the layers of each request of a run are: its own trace, whatever became of its edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import pytest
from support.editors_contract import OTHER, fingerprint, model_of

from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.engine.edited.measurement import EditedMeasurement
from pytest_coderobust.engine.edited.model_states import (
    EditedState,
    Succession,
    SuccessionStep,
    identify_stack,
)
from pytest_coderobust.engine.edited.workbench import Workbench
from pytest_coderobust.records import Task
from pytest_coderobust.records.editing import TracedRequest

pytestmark = pytest.mark.usefixtures("one_thread")

LAYERS = 3
CREME: Any = parse_edit("creme:samples=2,sweep_tokens=2,tokens=4,steps=3,lr=0.01")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return model_of("llama", tmp_path_factory.mktemp("traces"))


def request(name: str) -> EditRequest:
    return replace(OTHER, task=replace(OTHER.task, id=name))


def judge_by_layer(keys: dict[str, int | None]) -> Callable[[Task, Sequence[str]], list[bool]]:
    """Judge for which one layer restores each task, or none; asked clean, perturbed, layers."""
    calls: dict[str, int] = {}

    def judge(task: Task, texts: Sequence[str]) -> list[bool]:
        call = calls[task.id] = calls.get(task.id, -1) + 1
        key = keys[task.id]
        return [call == 0 or (key is not None and call == 2 + key)] * len(texts)

    return judge


def one_hot(key: int | None) -> tuple[float, ...]:
    return tuple(float(layer == key) for layer in range(LAYERS))


def test_each_request_of_a_succession_keeps_its_own_layers(llama: Any) -> None:
    """One refused at the beginning, one in the middle: the change in force is another request's."""
    keys: dict[str, int | None] = {"a": None, "b": 1, "c": None, "d": 2}
    tensors = fingerprint(llama)
    requests = [request(name) for name in keys]
    succession = Succession(CREME, requests, judge_by_layer(keys))
    steps = [
        SuccessionStep(succession, number, identify_stack(llama, [CREME], requests[:number]))
        for number in (1, 3, 4)  # b is between two checkpoints
    ]
    bench = Workbench(llama, lambda _: None)
    for step in steps:
        bench.hold(step)
    bench.release()
    assert fingerprint(llama) == tensors
    expected = [TracedRequest("C1", name, key, one_hot(key)) for name, key in keys.items()]
    for step, count in zip(steps, (1, 3, 4), strict=True):
        assert step.facts is not None
        assert list(step.facts.traced) == expected[:count]
    assert [len(step.facts.refused) for step in steps if step.facts] == [1, 2, 2]

    run: Any = SimpleNamespace(
        _setting=SimpleNamespace(read_facts=attrgetter("facts")),
        _traced=[], _refused={}, _unedited={},
    )  # fmt: skip
    models: Any = tuple(SimpleNamespace(state=step, final=step is steps[-1]) for step in steps)
    measurement: Any = EditedMeasurement
    assert measurement._drop_refused(run, "C1", models) == models
    assert run._traced == expected
    assert len(run._refused["C1"]) == 2


def test_the_key_layer_of_a_stack_is_that_of_the_editor_that_looked(llama: Any) -> None:
    stack: Any = [parse_edit("ft:layer=2,steps=2,lr=0.01,epsilon=0.02"), CREME]
    requests = [request("a")]
    state = EditedState(
        stack, requests, identify_stack(llama, stack, requests), judge_by_layer({"a": 1})
    )
    bench = Workbench(llama, lambda _: None)
    bench.hold(state)
    bench.release()
    assert state.facts is not None
    assert state.facts.layers == (2, 1)
    assert state.facts.traced == (TracedRequest("C1", "a", 1, one_hot(1)),)
