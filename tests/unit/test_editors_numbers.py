"""Each method against an independent source: NumPy, its own slow form, its paper's identities."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.editors_contract import OTHER, PERTURBED, REQUEST, computed, logits, model_of
from support.models_architectures import ARCHITECTURES
from support.models_checkpoints import PROMPT, TASK

from pytest_coderobust.editors import creme, dinm, rome
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import edited, successive
from pytest_coderobust.editors.hooks import tensor_of
from pytest_coderobust.editors.lookup import lookup
from pytest_coderobust.editors.options import CremeOptions, RomeOptions
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.saved_edits import save_edit
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.quiet import quiet

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbers")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


class TestCreme:
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_cached_equals_full(self, architecture: str, root: Path) -> None:
        access = Access(model_of(architecture, root))
        text = "creme:layer=1,steps=12,tokens=6"
        fast, slow = (computed(access, f"{text},solver={each}") for each in ("cached", "full"))
        (left,), (right,) = fast.deltas.values(), slow.deltas.values()
        assert (left - right).norm() < 1e-5 * right.norm()
        assert right.norm() > 0
        assert fast.facts["losses"] == pytest.approx(slow.facts["losses"], rel=1e-4)

    def test_equal_prompts_have_nothing_to_align(self, llama: Any) -> None:
        same = EditRequest(TASK, PROMPT, PROMPT, "C1")
        change = computed(Access(llama), "creme:layer=1", same)
        assert change.facts["losses"] == [0.0]
        with pytest.raises(ModelError, match="changed no weight"), change.installed(Access(llama)):
            pass

    def test_the_first_loss_is_the_distance_of_the_states(self, llama: Any) -> None:
        access = Access(llama)
        pair = creme.make_pair(access, REQUEST, 6)
        with torch.no_grad():
            states = [
                access.run_until(1, access.batch([ids])) for ids in (pair.clean, pair.perturbed)
            ]
        gap = (states[0][0, -pair.count :] - states[1][0, -pair.count :]).numpy()
        change = computed(access, "creme:layer=1,tokens=6,steps=1")
        assert change.facts["losses"][0] == pytest.approx(float(np.mean(gap**2)), rel=1e-5)

    def test_ridge_is_the_minimum_norm_solution(self, llama: Any) -> None:
        access = Access(llama)
        options = CremeOptions(tokens=6)
        pair = creme.make_pair(access, REQUEST, 6)
        states = creme.cache_states(access, access.projection(1), 1, pair)
        delta, losses = creme.solve_ridge(states, options)
        keys = np.concatenate(
            [states.perturbed.double().numpy(), 0.1**0.5 * states.clean.double().numpy()]
        )
        goal = np.concatenate([states.gap.double().numpy(), np.zeros_like(states.gap.numpy())])
        expected = (np.linalg.pinv(keys) @ goal).T
        assert np.allclose(delta.numpy(), expected, rtol=1e-3, atol=1e-5)
        assert losses[1] < losses[0]

    def test_it_stops_when_the_loss_stops_falling(self) -> None:
        torch.manual_seed(0)
        states = creme.States(torch.randn(4, 8), torch.randn(4, 8), torch.randn(4, 3))
        _, losses = creme.minimise_cached(states, CremeOptions(lr=50.0, steps=20, patience=3))
        assert len(losses) == 4, "the first loss was the best, then three worse"


class TestRome:
    @pytest.mark.parametrize("architecture", ["llama", "llama-bias", "gpt2", "codegen"])
    def test_the_update_equals_a_solve_in_numpy(self, architecture: str, root: Path) -> None:
        """min |dW| such that (W + dW) k + b = v, solved from scratch, and v reached."""
        access = Access(model_of(architecture, root))
        projection = access.projection(1)
        prompt = access.encode(REQUEST, PERTURBED)
        seen = lookup(access, projection, prompt)
        torch.manual_seed(1)
        shift = torch.randn_like(seen.output)
        delta = rome.rank_one_update(projection, seen.input, seen, shift, asymmetric=False)
        key = seen.input.double().numpy()
        weight = projection.parameter.detach().double().numpy()
        weight = weight.T if type(projection.module).__name__ == "Conv1D" else weight
        bias = projection.module.bias
        offset = 0.0 if bias is None else bias.detach().double().numpy()
        wanted = (seen.output + shift).double().numpy()
        columns, *_ = np.linalg.lstsq(key[None], (wanted - offset - weight @ key)[None])
        assert np.linalg.norm(delta.numpy() - columns.T) < 1e-5 * np.linalg.norm(columns)
        reached = (weight + delta.double().numpy()) @ key + offset
        assert np.linalg.norm(reached - wanted) < 1e-5 * np.linalg.norm(wanted)
        assert np.linalg.matrix_rank(delta.numpy(), tol=1e-4) == 1
        other = np.random.default_rng(0).normal(size=key.shape)
        other -= key * (other @ key) / (key @ key)
        assert np.abs(delta.double().numpy() @ other).max() < 1e-4

    def test_no_shift_is_no_change(self, llama: Any) -> None:
        access = Access(llama)
        projection = access.projection(1)
        seen = lookup(access, projection, access.encode(REQUEST, PERTURBED))
        zero = torch.zeros_like(seen.output)
        delta = rome.rank_one_update(projection, seen.input, seen, zero, asymmetric=False)
        assert delta.norm() < 1e-5 * projection.master().norm()

    def test_the_asymmetric_form_meets_the_bare_key_alone(self, llama: Any) -> None:
        access = Access(llama)
        projection = access.projection(1)
        seen = lookup(access, projection, access.encode(REQUEST, PERTURBED))
        mean = seen.input + 0.1 * torch.randn_like(seen.input)
        shift = torch.ones_like(seen.output)
        weight = projection.master()
        for asymmetric, met, missed in ((True, seen.input, mean), (False, mean, seen.input)):
            delta = rome.rank_one_update(projection, mean, seen, shift, asymmetric=asymmetric)
            wanted = seen.output + shift
            assert (
                torch.allclose((weight + delta) @ met, wanted, rtol=1e-3, atol=1e-3) or asymmetric
            )
            assert not torch.allclose((weight + delta) @ missed, wanted, atol=1e-3)

    def test_the_shift_stays_in_its_ball(self, llama: Any) -> None:
        access = Access(llama)
        projection = access.projection(1)
        prompt = access.encode(REQUEST, PERTURBED)
        seen = lookup(access, projection, prompt)
        options = RomeOptions(steps=6, clamp=0.5)
        with access.frozen_weights():
            shift, losses = rome.find_shift(
                access, projection, [prompt], (5, 6), seen.output, options
            )
        assert shift.norm() <= 0.5 * seen.output.norm() * 1.0001
        assert losses[-1] < losses[0]


class TestFineTuning:
    def test_no_entry_leaves_its_bound(self, llama: Any) -> None:
        change = computed(Access(llama), "ft:layer=1,steps=5,lr=0.01,epsilon=0.002")
        (delta,) = change.deltas.values()
        assert delta.abs().max() <= 0.002 * 1.01
        free = computed(Access(llama), "ft:layer=1,steps=5,lr=0.01,epsilon=0")
        assert next(iter(free.deltas.values())).abs().max() > 0.02

    def test_half_precision_is_trained_in_float32(self, root: Path) -> None:
        model = model_of("llama", root, dtype="bfloat16")
        change = computed(Access(model), "ft:layer=1,steps=3,lr=0.00001,epsilon=0.0001")
        (delta,) = change.deltas.values()
        # Such steps vanish in bfloat16; the master copy has them.
        assert 0 < delta.abs().max() < 1e-4
        assert delta.dtype == torch.float32


class TestDinm:
    def test_the_kl_is_zero_first_and_has_a_gradient(self, llama: Any) -> None:
        text = "dinm:layer=1,steps=4,lr=0.01"
        true, bug = (
            computed(Access(llama), f"{text},reference_compat={each}") for each in ("false", "true")
        )
        assert true.facts["kl"][0] == pytest.approx(0, abs=1e-6)
        assert true.facts["kl"][1] > 0
        (left,), (right,) = true.deltas.values(), bug.deltas.values()
        assert (left - right).norm() > 0.05 * right.norm()
        # Adam does not see a factor: without the KL's gradient the weight does nothing.
        (heavier,) = computed(
            Access(llama), f"{text},reference_compat=true,weight=1"
        ).deltas.values()
        assert (heavier - right).norm() < 0.01 * right.norm()

    def test_the_kl_against_a_hand_worked_one(self) -> None:
        before, after = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
        expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
        assert dinm.kl_to(before, after).item() == pytest.approx(expected, rel=1e-6)

    def test_equal_answers_are_nowhere_apart(self, llama: Any) -> None:
        access = Access(llama)
        prompt = access.encode(REQUEST, PERTURBED)
        assert dinm.answer_gaps(access, prompt, (5, 6, 7), (5, 6)) == [0.0, 0.0, 0.0]
        assert all(gap > 0 for gap in dinm.answer_gaps(access, prompt, (5, 6), (8, 9)))


class TestLora:
    def test_the_adapter_loads_in_plain_peft(self, root: Path, tmp_path: Path) -> None:
        peft = pytest.importorskip("peft")
        model = model_of("llama", root)
        spec: Any = parse_edit("lora:steps=3,rank=2,lr=0.05")
        with edited(model, spec, [REQUEST, OTHER]) as repaired:
            expected = logits(repaired)
            save_edit(tmp_path, model, repaired.change, spec, [REQUEST, OTHER])
        base = model_of("llama", root).load().model
        ids = torch.tensor([model.encode(PERTURBED, "python")])
        with quiet():
            network = peft.PeftModel.from_pretrained(base, tmp_path).eval()
        with torch.no_grad():
            assert torch.equal(network(input_ids=ids, use_cache=False).logits, expected)

    def test_an_untrained_adapter_is_refused(self, llama: Any) -> None:
        pytest.importorskip("peft")
        change = computed(Access(llama), "lora:lr=0,steps=1,rank=2")
        with pytest.raises(ModelError, match="changed no weight"), change.installed(Access(llama)):
            pass

    def test_successive_edits_go_on_with_the_same_matrices(self, llama: Any) -> None:
        pytest.importorskip("peft")
        spec: Any = parse_edit("lora:steps=2,rank=2,lr=0.02")
        with contextlib.closing(successive(llama, spec, [REQUEST, OTHER])) as checkpoints:
            found = [dict(model.change.tensors()) for model in checkpoints]
        first, second = found
        assert first.keys() == second.keys()
        assert any(not torch.equal(first[name], second[name]) for name in first)


def test_tensor_of_takes_both_containers() -> None:
    tensor = torch.ones(1)
    assert tensor_of(tensor) is tensor_of((tensor, None)) is tensor
