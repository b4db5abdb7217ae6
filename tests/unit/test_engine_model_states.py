"""States of the model on the workbench: stacks, their placebos, and the way back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import REQUEST, answers, fingerprint, model_of

from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.engine.edited.model_states import (
    BaseState,
    EditedState,
    PlaceboState,
    identify_stack,
)
from pytest_coderobust.engine.edited.workbench import Workbench

LOWER: Any = parse_edit("ft:layer=1,lr=0.05,epsilon=0.1,steps=4")
UPPER: Any = parse_edit("rome:layer=2,steps=3,prefixes=1,prefix_tokens=3")
MATRICES = tuple(f"model.layers.{layer}.mlp.down_proj.weight" for layer in (1, 2))


@pytest.fixture
def model(tmp_path: Path) -> Any:
    return model_of("llama", tmp_path)


def stack(model: Any) -> EditedState:
    specs = [LOWER, UPPER]
    return EditedState(specs, [REQUEST], identify_stack(model, specs, [REQUEST]))


def weights(model: Any) -> dict[str, torch.Tensor]:
    state = model.load().model.state_dict()
    return {name: state[name].clone() for name in MATRICES}


def test_a_stack_is_put_in_from_what_was_computed(model: Any) -> None:
    tensors, edit = fingerprint(model), stack(model)
    bench = Workbench(model, lambda _: None)
    held: Any = bench.hold(edit)
    assert held.identity == edit.identity
    first, text = weights(model), answers(held)
    assert edit.facts is not None
    assert edit.facts.layers == (1, 2)
    assert edit.facts.kind == "weights"
    bench.hold(BaseState(model.identity))
    assert fingerprint(model) == tensors
    assert answers(bench.hold(edit)) == text
    assert all(torch.equal(first[name], now) for name, now in weights(model).items())
    bench.release()
    assert fingerprint(model) == tensors


def test_the_placebo_of_a_stack_turns_every_change(model: Any) -> None:
    tensors, edit, base = fingerprint(model), stack(model), weights(model)
    found: list[dict[str, torch.Tensor]] = []
    for state in (edit, PlaceboState(edit, 0), PlaceboState(edit, 1)):
        with ExitStack() as until:
            top: Any = state.enter(model, until)
            assert top.identity == state.identity
            found.append({name: now - base[name] for name, now in weights(model).items()})
        assert fingerprint(model) == tensors
    real, *turned = found
    for name in MATRICES:
        sizes = [each[name].norm() for each in found]
        assert torch.allclose(torch.stack(sizes), sizes[0].expand(3), rtol=1e-3)
        ranks = [int(torch.linalg.matrix_rank(each[name].double(), rtol=1e-4)) for each in found]
        assert len(set(ranks)) == 1
        assert not torch.allclose(turned[0][name], real[name], atol=1e-3)
        assert not torch.allclose(turned[0][name], turned[1][name], atol=1e-3)
