"""MEMIT and PMET against formulas written out in NumPy, r-ROME, and the identities of their papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.editors_contract import OTHER, PERTURBED, REQUEST, computed, model_of

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.covariance import Covariance, factorise, identity_covariance
from pytest_coderobust.editors.edited_model import edited, successive
from pytest_coderobust.editors.goals import Goal
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.lookup import lookup
from pytest_coderobust.editors.memit import Memit, Pmet
from pytest_coderobust.editors.multilayer_options import MemitOptions, PmetOptions
from pytest_coderobust.editors.registry import open_editor, parse_edit
from pytest_coderobust.editors.spreading import solve_update, spread_values
from pytest_coderobust.errors import ModelError

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

FREE = "corpus=identity,prefixes=0,decay=0,clamp=1000,steps=4,lr=0.1"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("memit")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


def close(left: torch.Tensor, right: torch.Tensor, most: float = 1e-5) -> bool:
    return bool((left - right).norm() <= most * right.norm()) and bool(right.norm() > 0)


def random_problem(
    seed: int, count: int = 3, width: int = 12, outputs: int = 5
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any], Covariance]:
    """Keys, residual, C and its factor, drawn by a seed."""
    draw = np.random.default_rng(seed)
    states = draw.normal(size=(40, width)) * np.exp(draw.normal(size=width))
    total = states.T @ states
    covariance = factorise(torch.tensor(total), 40, "here")
    exact = total / 40
    exact += np.eye(width) * 1e-9 * np.trace(exact) / width
    return draw.normal(size=(width, count)), draw.normal(size=(outputs, count)), exact, covariance


def solved(keys: Any, residual: Any, covariance: Covariance, lam: float, past: Any = None) -> Any:
    update = solve_update(
        torch.tensor(keys),
        torch.tensor(residual),
        covariance,
        lam,
        None if past is None else torch.tensor(past),
    )
    return update.numpy()


class TestSolve:
    @given(st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 469.0, 15000.0]))
    def test_the_dual_equals_the_primal(self, seed: int, lam: float) -> None:
        keys, residual, exact, covariance = random_problem(seed)
        primal = residual @ keys.T @ np.linalg.inv(lam * exact + keys @ keys.T)
        found = solved(keys, residual, covariance, lam)
        assert np.linalg.norm(found - primal) < 1e-8 * np.linalg.norm(primal)

    @given(st.integers(0, 10**6), st.sampled_from([0.1, 10.0, 469.0]))
    def test_one_request_keeps_its_natural_share(self, seed: int, lam: float) -> None:
        """The part of a lone residual that is written is k'C^-1 k / (lam + k'C^-1 k) of it."""
        keys, residual, exact, covariance = random_problem(seed, count=1)
        reach = (keys.T @ np.linalg.solve(exact, keys)).item()
        written = solved(keys, residual, covariance, lam) @ keys
        assert np.allclose(written, residual * reach / (lam + reach), rtol=1e-8)

    @given(st.integers(0, 10**6))
    def test_a_request_twice_is_once_at_half_the_weight(self, seed: int) -> None:
        keys, residual, _, covariance = random_problem(seed, count=1)
        twice = solved(np.tile(keys, 2), np.tile(residual, 2), covariance, 2.0)
        assert np.allclose(twice, solved(keys, residual, covariance, 1.0), rtol=1e-9)

    @given(st.integers(0, 10**6), st.sampled_from([0.5, 469.0]))
    def test_one_after_the_other_with_history_is_one_batch(self, seed: int, lam: float) -> None:
        keys, residual, _, covariance = random_problem(seed, count=3)
        first = solved(keys[:, :1], residual[:, :1], covariance, lam)
        rest = residual[:, 1:] - first @ keys[:, 1:]
        more = solved(keys[:, 1:], rest, covariance, lam, past=keys[:, :1])
        # The joint solve leaves a ridge residual on the first request too, and the pair as well.
        joint = solved(keys, residual, covariance, lam)
        assert np.allclose(first + more, joint, rtol=1e-7, atol=1e-10)
        forgetful = first + solved(keys[:, 1:], rest, covariance, lam)
        assert not np.allclose(forgetful, joint, rtol=1e-7, atol=1e-10)

    def test_a_silent_unit_is_not_written(self) -> None:
        draw = np.random.default_rng(0)
        states = draw.normal(size=(40, 6))
        states[:, 2] = 0
        covariance = factorise(torch.tensor(states.T @ states), 40, "here")
        assert covariance.alive.tolist() == [True, True, False, True, True, True]
        keys, residual = draw.normal(size=(6, 2)), draw.normal(size=(4, 2))
        update = solved(keys, residual, covariance, 1.0)
        assert (update[:, 2] == 0).all()
        assert (np.abs(update[:, [0, 1, 3, 4, 5]]) > 0).all()

    def test_dependent_keys_without_a_weight_are_refused(self) -> None:
        keys = np.ones((4, 2))
        with pytest.raises(ModelError, match="depend on one another, so lam=1e-300"):
            solved(keys, keys, identity_covariance(4), 1e-300)

    def test_too_few_tokens_are_refused(self) -> None:
        with pytest.raises(ModelError, match="7 tokens, too few for a covariance of 4 units"):
            factorise(torch.eye(4, dtype=torch.float64), 7, "here")


@pytest.mark.parametrize("architecture", ["llama", "llama-bias", "gpt2", "stablelm-parallel"])
def test_one_layer_without_a_covariance_is_rome(architecture: str, root: Path) -> None:
    """C = I, one layer, lam -> 0, no bounds that depend on the place of the shift."""
    access = Access(model_of(architecture, root))
    memit = computed(access, f"memit:layers=1,lam=1e-9,{FREE}")
    rome = computed(access, "rome:layer=1,prefixes=0,decay=0,clamp=1000,steps=4,lr=0.1")
    (left,), (right,) = memit.deltas.values(), rome.deltas.values()
    assert memit.deltas.keys() == rome.deltas.keys()
    assert memit.facts["losses"] == pytest.approx(rome.facts["losses"], rel=1e-5)
    assert close(left, right, 1e-4)
    assert memit.facts["z_error_kept"] < 1e-4


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "codegen"])
def test_pmet_at_the_last_layer_puts_out_its_value(architecture: str, root: Path) -> None:
    model = model_of(architecture, root)
    access, editor = Access(model), Pmet(PmetOptions(prefixes=0, steps=4, lr=0.1))
    with access.frozen_weights():
        (goal,) = editor.find_goals(access, 2, [REQUEST])
    spec: Any = parse_edit("pmet:layers=2,lam=1e-9,corpus=identity,prefixes=0,steps=4,lr=0.1")
    before = lookup(access, access.projection(2), goal.prompts[0]).output
    with edited(model, spec, [REQUEST]):
        after = lookup(access, access.projection(2), goal.prompts[0]).output
    assert close(after, goal.value, 1e-4)
    assert not close(before, goal.value, 1e-2)


def test_left_padding_is_right_padding(llama: Any) -> None:
    words = "memit:layers=0-1,steps=3,prefixes=3,prefix_tokens=3,tokens=128,lam=5"
    left, right = (
        computed(Access(llama, side), words, REQUEST, OTHER) for side in ("left", "right")
    )
    assert len(left.deltas) == 2
    for name, delta in left.deltas.items():
        assert close(right.deltas[name], delta, 1e-3)


def test_the_same_requests_twice_equal_once_at_half_the_weight(llama: Any) -> None:
    once = computed(Access(llama), f"memit:layers=1,lam=0.5,{FREE}")
    twice = computed(Access(llama), f"memit:layers=1,lam=1,{FREE}", REQUEST, REQUEST)
    (left,), (right,) = once.deltas.values(), twice.deltas.values()
    assert close(left, right, 1e-5)


def test_the_order_of_a_batch_does_not_matter(llama: Any) -> None:
    words = "memit:layers=0-1,steps=3,prefixes=0,tokens=128,lam=5"
    one = computed(Access(llama), words, REQUEST, OTHER)
    other = computed(Access(llama), words, OTHER, REQUEST)
    for name, delta in one.deltas.items():
        assert close(other.deltas[name], delta, 1e-5)


def test_each_layer_takes_its_share(llama: Any) -> None:
    """Two layers, written out: the updates of the loop are those of NumPy, layer after layer."""
    for kind, made in ((Memit, MemitOptions), (Pmet, PmetOptions)):
        editor = kind(made(layers="0-1", steps=3, prefixes=0, lam=2.0, corpus="identity"))
        access = Access(llama)
        with access.frozen_weights():
            change = editor.compute(access, [REQUEST])
            (goal,) = editor.find_goals(access, 1, [REQUEST])
        weights = [access.projection(layer).parameter for layer in (0, 1)]
        kept = [each.detach().clone() for each in weights]
        try:
            for left, (layer, weight) in zip((2, 1), enumerate(weights), strict=True):
                key, value = read(access, editor, layer, goal)
                share = 1 / left if kind is Memit else 1 / left**0.5
                residual = (goal.value.double().numpy() - value) * share
                update = np.outer(residual, key) / (2.0 + key @ key)
                delta = change.deltas[access.projection(layer).name].numpy()
                assert np.linalg.norm(delta - update) < 1e-4 * np.linalg.norm(update)
                with torch.no_grad():
                    weight += torch.tensor(update).float()
        finally:
            with torch.no_grad():
                for weight, before in zip(weights, kept, strict=True):
                    weight.copy_(before)


def read(access: Access, editor: Memit, layer: int, goal: Goal) -> tuple[Any, Any]:
    """The bare prompt's key at a layer, and the value at layer 1, from a whole forward pass."""
    top = access.layers[1] if type(editor) is Memit else access.projection(1).module
    with (
        torch.no_grad(),
        captured_states(access.projection(layer).module, "input") as keys,
        captured_states(top, "output") as values,
    ):
        access.logits(access.batch(goal.prompts[:1]))
    return keys[0][0, -1].double().numpy(), values[0][0, -1].double().numpy()


def test_history_makes_a_succession_one_batch(llama: Any) -> None:
    """With the same wanted values and keys that stay: one layer, edits one after the other."""
    editor = Memit(MemitOptions(layers="1", steps=3, prefixes=0, tokens=128, lam=5.0, history=True))
    access = Access(llama)
    words = "memit:layers=1,steps=3,prefixes=0,tokens=128,lam=5"
    with access.frozen_weights():
        goals = editor.find_goals(access, 1, [REQUEST, OTHER])
        shelf = editor.compute(access, [REQUEST]).shelf
        projections = {1: access.projection(1)}
        joint = spread_values(editor.plan(access, projections, goals, shelf, {}), 1)
        first = spread_values(editor.plan(access, projections, goals[:1], shelf, {}), 1)
        weight = access.projection(1).parameter
        kept = weight.detach().clone()
        try:
            with torch.no_grad():
                weight += first.updates[1].float()
            past = dict(first.keys)
            then = spread_values(editor.plan(access, projections, goals[1:], shelf, past), 1)
            without = spread_values(editor.plan(access, projections, goals[1:], shelf, {}), 1)
        finally:
            with torch.no_grad():
                weight.copy_(kept)
    assert close(first.updates[1] + then.updates[1], joint.updates[1], 1e-4)
    assert not close(first.updates[1] + without.updates[1], joint.updates[1], 1e-3)
    # The editor hands its keys on: two edits in succession differ with and without history.
    ends: list[Sequence[torch.Tensor]] = []
    for more in ("", ",history=true"):
        steps = successive(llama, parse_edit(words + more), [REQUEST, OTHER])  # type: ignore[arg-type]
        changes: list[Any] = [model.change for model in steps]
        assert [change.past[1].shape[1] for change in changes] == [1, 2]
        ends.append(list(changes[-1].deltas.values()))
    assert not close(ends[0][0], ends[1][0], 1e-3)


def test_rounds_write_what_one_round_leaves(llama: Any) -> None:
    words = "memit:layers=0-1,steps=3,lr=0.1,prefixes=0,tokens=640"
    once = computed(Access(llama), f"{words},lam=30").facts
    many = computed(Access(llama), f"{words},lam=30,rounds=50").facts
    assert once["rounds"] == 1
    assert once["z_error_kept"] > 0.3
    assert 1 < many["rounds"] <= 50
    assert many["z_error_kept"] < once["z_error_kept"]
    assert once["notes"][1].startswith("under-written: ")
    assert many["z_error_kept"] > 0.05 or many["rounds"] < 50


def test_the_reference_reads_half_of_the_bare_prompt(llama: Any) -> None:
    access = Access(llama)
    keys: dict[str, torch.Tensor] = {}
    for reading in ("mean", "reference"):
        editor: Any = Memit(
            MemitOptions(layers="1", prefixes=3, prefix_tokens=3, reading=reading, lam=1.0)  # type: ignore[arg-type]
        )
        with access.frozen_weights():
            goals = editor.find_goals(access, 1, [REQUEST])
            shelf = editor.compute(access, [REQUEST]).shelf
        keys[reading] = editor.plan(access, {1: access.projection(1)}, goals, shelf, {}).read_keys(
            1
        )
    rows = torch.stack(
        [lookup(access, access.projection(1), each).input.double() for each in goals[0].prompts]
    )
    assert torch.allclose(keys["mean"][:, 0], rows.mean(dim=0), atol=1e-6)
    reference = rows[0] / 2 + rows[1:].sum(dim=0) / 6
    assert torch.allclose(keys["reference"][:, 0], reference, atol=1e-6)


def test_a_target_is_told_without_special_tokens(llama: Any) -> None:
    access = Access(llama)
    editor: Any = open_editor(parse_edit("pmet:layers=1,steps=1,prefixes=0"))  # type: ignore[arg-type]
    with access.frozen_weights():
        (goal,) = editor.find_goals(access, 1, [REQUEST])
    assert tuple(goal.target) == access.target(REQUEST)
    assert list(goal.prompts[0]) == access.encode(REQUEST, PERTURBED)
