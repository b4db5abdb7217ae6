"""Requests that an editor refuses: counted with their reason, and no end of anything else."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from support.editors_contract import OTHER, REQUEST, computed, fingerprint, model_of

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import successive
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.engine.edited.model_states import (
    EditedState,
    Succession,
    SuccessionStep,
    identify_stack,
)
from pytest_coderobust.engine.edited.workbench import Workbench
from pytest_coderobust.errors import EditRefused

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

SPREAD = "prefixes=0,lam=1,corpus=identity,steps=4,lr=0.1"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return model_of("llama", tmp_path_factory.mktemp("refusals"))


def first_losses(model: Any) -> tuple[float, float]:
    """The loss of both requests before any edit."""
    access = Access(model)
    found = [
        float(
            target_loss(access, [access.encode(each, each.perturbed)], access.target(each)).detach()
        )
        for each in (REQUEST, OTHER)
    ]
    return found[0], found[1]


@pytest.mark.parametrize(
    "text",
    [f"memit:layers=0-1,stop=1000,{SPREAD}", f"pmet:layers=0-1,stop=1000,{SPREAD}",
     "rome:layer=1,prefixes=0,stop=1000"],
)  # fmt: skip
def test_what_the_model_answers_already_is_refused_with_the_reason(llama: Any, text: str) -> None:
    with pytest.raises(EditRefused, match=r"^Toy/0\[C1-s0\]: the model answers as told already"):
        computed(Access(llama), text)


def test_a_succession_goes_on_behind_a_refused_request(llama: Any) -> None:
    """One of two requests is below `stop` from the first step on."""
    first, second = first_losses(llama)
    assert abs(first - second) > 1e-3
    tensors = fingerprint(llama)
    spec: Any = parse_edit(f"memit:layers=0-1,stop={(first + second) / 2!r},{SPREAD}")
    easy, hard = (REQUEST, OTHER) if first < second else (OTHER, REQUEST)
    with contextlib.closing(successive(llama, spec, [easy, hard, easy])) as models:
        now: Any = next(models)
        assert now.change.kind == "none"
        assert fingerprint(llama) == tensors
        now = next(models)
        assert now.change.kind == "weights"
        assert fingerprint(llama) != tensors
        (reason,) = now.refused
        assert reason.startswith(f"{easy.label}: the model answers as told already")
    assert fingerprint(llama) == tensors


def test_a_step_tells_what_was_refused_on_the_way(llama: Any) -> None:
    first, second = first_losses(llama)
    spec: Any = parse_edit(f"memit:layers=0-1,stop={(first + second) / 2!r},{SPREAD}")
    requests = [REQUEST, OTHER]
    succession = Succession(spec, requests)
    step = SuccessionStep(succession, 2, identify_stack(llama, [spec], requests))
    bench = Workbench(llama, lambda _: None)
    bench.hold(step)
    bench.release()
    assert step.facts is not None
    assert len(step.facts.refused) == 1
    assert step.facts.kind == "weights"


def test_a_stack_whose_second_editor_refuses_leaves_nothing_behind(llama: Any) -> None:
    tensors = fingerprint(llama)
    stack: Any = [parse_edit("ft:layer=1,lr=0.05,epsilon=0.1"), parse_edit("rome:stop=1000")]
    bench = Workbench(llama, lambda _: None)
    with pytest.raises(EditRefused):
        bench.hold(EditedState(stack, [REQUEST], identify_stack(llama, stack, [REQUEST])))
    assert fingerprint(llama) == tensors
    assert llama.load().edits == []
