"""A model seen from inside: what flows through a layer, and where a target is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.editors_contract import REQUEST, model_of
from support.models_architectures import ARCHITECTURES
from support.models_checkpoints import PROMPT

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.targets import target_loss

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_layer_is_what_flows_through_it(architecture: str, root: Path) -> None:
    """The output of layer 1 plus what its matrix writes more is the output that follows."""
    access = Access(model_of(architecture, root))
    batch = access.batch([access.encode(REQUEST, PROMPT)])
    projection = access.projection(1)
    with torch.no_grad(), captured_states(projection.module, "input") as inputs:
        before = access.run_until(1, batch)
        delta = torch.full_like(projection.master(), 0.01)
        view = projection.parameter.T if projection.transposed else projection.parameter
        saved = projection.parameter.clone()
        view.add_(delta)
        try:
            after = access.run_until(1, batch)
        finally:
            projection.parameter.copy_(saved)
    assert torch.allclose(after - before, inputs[0] @ delta.T, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padding_moves_no_state(architecture: str, root: Path) -> None:
    model = model_of(architecture, root)
    rows = [model.encode(text, "python") for text in (PROMPT, "x = 1\n")]
    found = []
    for side in ("left", "right"):
        access = Access(model, side)
        batch = access.batch(rows)
        with torch.no_grad():
            states = access.run_until(2, batch)
        found.append(states[torch.arange(2), batch.last()])
    alone = Access(model)
    with torch.no_grad():
        single = alone.run_until(2, alone.batch(rows[1:]))[0, -1]
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert torch.allclose(found[0][1], single, atol=1e-4)


def test_the_target_is_read_where_it_is_predicted(root: Path) -> None:
    llama = model_of("llama", root)
    access = Access(llama)
    prompt, target = llama.encode(PROMPT, "python"), (7, 9, 11)
    with torch.no_grad():
        scores = access.logits(access.batch([[*prompt, *target]]))[0].log_softmax(-1)
        loss = target_loss(access, [prompt], target)
    wanted = [-scores[len(prompt) - 1 + step, token].item() for step, token in enumerate(target)]
    assert loss.item() == pytest.approx(sum(wanted) / 3, rel=1e-5)
