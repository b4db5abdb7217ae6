"""MALMEN: its solution, the gradient through it, the traces it reads, and what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.editors_contract import OTHER, REQUEST, computed, fingerprint, model_of, traces
from support.models_checkpoints import backend, save_random

from pytest_coderobust.edit_bench.writing import TextWriter
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.answer_requests import make_answer_request, make_answer_task
from pytest_coderobust.editors.edit_traces import TaughtPrompt, read_traces
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.malmen import find_layers
from pytest_coderobust.editors.network_files import TEXTS, read_about
from pytest_coderobust.editors.ordinary_cases import draw_library_cases
from pytest_coderobust.editors.projection import trainable_weight
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.shift_cases import make_cases
from pytest_coderobust.editors.shift_network import (
    PARAMETERS,
    ShiftNetwork,
    copy_network,
    make_network,
)
from pytest_coderobust.editors.shift_solving import solve_gradient, solve_shift
from pytest_coderobust.editors.shift_training import (
    RATES,
    ShiftCase,
    compute_shifts,
    measure_loss,
    search_eta,
    spread_gradients,
)
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.editors.trained_options import MalmenOptions
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.choosing import digest_texts
from pytest_coderobust.records.knowledge import KnowledgeCase

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

TEXT = "malmen:layers=0-1,steps=2,edits=2,cases=8,around=1,rank=4,positives=rewrites,eta=0.01"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("malmen")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


def make_toy_cases(access: Access) -> list[ShiftCase]:
    """Two cases with other targets than the model would write."""

    def taught(prompt: str, target: str) -> TaughtPrompt:
        return TaughtPrompt(
            access.backend.encode(prompt, "python"), access.backend.encode(target, "python")
        )

    return [
        ShiftCase(
            taught(f"def f{n}(x):\n", f"    return {n}"),
            taught(f"def f{n}(x): # it\n", f"    return {n}"),
            (taught("import os\n", "x = 1"), taught(f"y = {n}\n", "z")),
        )
        for n in (1, 2)
    ]


class TestSolve:
    @settings(max_examples=30)
    @given(st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 30.0]))
    def test_the_dual_is_the_primal(self, seed: int, ridge: float) -> None:
        draw = np.random.default_rng(seed)
        inputs, wanted = draw.normal(size=(5, 12)), draw.normal(size=(5, 7))
        primal = np.linalg.solve(inputs.T @ inputs + ridge * np.eye(12), inputs.T @ wanted)
        found = solve_shift(torch.tensor(inputs), torch.tensor(wanted), ridge).numpy()
        assert np.linalg.norm(found - primal) < 1e-12 * np.linalg.norm(primal) * max(1, 1 / ridge)

    @settings(max_examples=30)
    @given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 30.0]))
    def test_the_gradient_is_solved_like_the_shift(self, seed: int, ridge: float) -> None:
        draw = np.random.default_rng(seed)
        inputs, gradient = draw.normal(size=(5, 12)), draw.normal(size=(12, 7))
        primal = np.linalg.solve(inputs.T @ inputs + ridge * np.eye(12), gradient)
        found = solve_gradient(torch.tensor(inputs), torch.tensor(gradient), ridge).numpy()
        assert np.linalg.norm(found - primal) < 1e-11 * np.linalg.norm(primal)

    def test_nothing_wanted_is_no_shift(self) -> None:
        inputs = torch.randn(3, 6, dtype=torch.float64)
        assert not bool(solve_shift(inputs, torch.zeros(3, 4, dtype=torch.float64), 1.0).any())


class TestNetwork:
    @settings(max_examples=30)
    @given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 1000))
    def test_running_statistics_are_those_of_all_tokens(self, sizes: list[int], seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        network = make_network(3, 2, 1, 1, 2, 1.0, 0)
        batches = [torch.randn(n, 5, generator=random) * 3 + 1 for n in sizes]
        for each in batches:
            network.observe(each[:, :3], each[:, 3:])
        whole = torch.cat(batches).double()
        assert int(network.count) == len(whole)
        assert torch.allclose(network.mean.double(), whole.mean(dim=0), atol=1e-5)
        square = (whole - whole.mean(dim=0)).square().sum(dim=0)
        assert torch.allclose(network.square.double(), square, rtol=1e-4, atol=1e-4)

    def test_untrained_it_steps_along_the_gradient(self) -> None:
        network = make_network(3, 2, 2, 2, 4, 0.5, 0)
        states = torch.randn(6, 5)
        network.observe(states[:, :3], states[:, 3:])
        normal = (states - states.mean(dim=0)) / states.std(dim=0)
        along = (states[:, :3] * normal[:, :3]).sum(dim=1, keepdim=True)
        found = network.want(states[:, :3], states[:, 3:], 1)
        assert torch.allclose(found, -0.5 * along * normal[:, 3:], atol=1e-5)


def test_traces_give_the_gradient_of_the_weights(llama: Any) -> None:
    """Behind the last layer no position sees another, so U'G is what autograd gives for W."""
    access = Access(llama)
    layer = len(access.layers) - 1
    projection = access.projection(layer)
    taught = make_toy_cases(access)[0].edit
    with access.frozen_weights():
        (trace,) = read_traces(access, [projection], [taught])
        with trainable_weight(projection) as weight:
            torch.autograd.backward(target_loss(access, [taught.prompt], taught.target))
    assert len(trace.inputs) == len(taught.target)
    assert torch.allclose(trace.gradients.T @ trace.inputs, weight.grad, rtol=1e-3, atol=1e-6)  # type: ignore[arg-type]


def test_the_meta_gradient_is_that_of_central_differences(llama: Any) -> None:
    """Each kind of parameter is moved along its own gradient."""
    access = Access(llama)
    projections = [access.projection(layer) for layer in (0, 1)]
    cases = make_toy_cases(access)
    with access.frozen_weights():
        found = read_traces(access, projections, [case.edit for case in cases])
        network = make_network(32, 16, 2, 2, 4, 0.02, 0)
        network = replace(network, second=0.1 * torch.randn(network.second.shape))
        for trace in found:
            network.observe(trace.inputs, trace.gradients)

        def measure(moved: ShiftNetwork) -> float:
            loss = measure_loss(access, projections, compute_shifts(moved, found), cases, 0.5)
            return loss.rewrite + 0.5 * loss.locality

        trained = copy_network(network)
        shifts = compute_shifts(trained, found)
        loss = measure_loss(access, projections, shifts, cases, 0.5)
        spread_gradients(trained, found, shifts, loss.gradients)
        for name in PARAMETERS:
            gradient = getattr(trained, name).grad
            norm = float(gradient.norm())
            assert norm > 0, name
            # As far as the loss moves by a hundredth: float32 leaves five digits of it.
            step = min(0.01 / norm, 0.3) * gradient / norm
            ends = [measure(replace(network, **{name: getattr(network, name) + s * step})) for s in (1, -1)]  # fmt: skip
            slope = (ends[0] - ends[1]) / (2 * float(step.norm()))
            assert slope == pytest.approx(norm, rel=0.05), name


def test_training_leaves_the_model_alone_and_is_the_same_again(llama: Any, own_cache: Path) -> None:
    tensors, others = fingerprint(llama), traces(llama)
    first = computed(Access(llama), TEXT)
    assert fingerprint(llama) == tensors
    assert traces(llama) == others
    assert first.facts["training"]["trained"] > 0
    read = computed(Access(llama), TEXT)
    assert read.facts["training"]["trained"] == 0.0
    (path,) = (own_cache / "pytest-coderobust" / "hyper-networks").glob("*.safetensors")
    path.unlink()
    again = computed(Access(llama), TEXT)
    for name, delta in first.deltas.items():
        assert torch.equal(delta, again.deltas[name])
        assert torch.equal(delta, read.deltas[name])


def test_all_requests_are_one_solve_and_no_rate_is_no_shift(llama: Any) -> None:
    spec: Any = parse_edit(TEXT)
    with edited(llama, spec, [REQUEST, OTHER]) as model:
        losses: Any = model.facts["losses"]
        before, after = losses
        assert after < before
        assert set(model.change.deltas) == {  # type: ignore[attr-defined]
            f"model.layers.{layer}.mlp.down_proj.weight" for layer in (0, 1)}  # fmt: skip
    with pytest.raises(ModelError, match="changed no weight"):
        computed(Access(llama), TEXT.replace("eta=0.01", "eta=0,lr=0"))


def test_the_rate_is_the_largest_that_leaves_neighbours(llama: Any) -> None:
    access = Access(llama)
    projections = [access.projection(layer) for layer in (0, 1)]
    cases = make_toy_cases(access)
    with access.frozen_weights():
        small, large = (
            search_eta(access, projections, cases, (1, 4), most, 0) for most in (1e-4, 0.5)
        )
    assert small < large
    assert {small, large} <= set(RATES)


def test_another_models_network_is_refused(
    llama: Any, root: Path, own_cache: Path, tmp_path: Path
) -> None:
    computed(Access(llama), TEXT)
    kept = next((own_cache / "pytest-coderobust" / "hyper-networks").glob("*.safetensors"))
    path = tmp_path / "n.safetensors"
    shutil.copy(kept, path)
    about: Any = read_about(path)
    assert about[TEXTS] == digest_texts(draw_library_cases(8, 0).cases)
    assert computed(Access(llama), f"malmen:network={path}").facts["layers"] == [0, 1]
    with pytest.raises(ModelError, match=r"n\.safetensors: was trained for model '.*llama' "):
        computed(Access(model_of("qwen2", root)), f"malmen:network={path}")
    with pytest.raises(UsageError, match="no such file"):
        _ = MalmenOptions(network=str(tmp_path / "no")).outside


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("layers=0-2,rank=7", r"layers=0\+1,rank=4, not with layers=0\+1\+2,rank=7$"),
        ("blocks=3", "blocks=2, not with blocks=3$"),
        ("eta=0.02", r"eta=0\.01, not with eta=0\.02$"),
    ],
)
def test_other_sizes_than_the_networks_own_are_refused(
    given: str, sentence: str, llama: Any, own_cache: Path, tmp_path: Path
) -> None:
    computed(Access(llama), TEXT)
    path = tmp_path / "n.safetensors"
    shutil.copy(next((own_cache / "pytest-coderobust" / "hyper-networks").glob("*")), path)
    same = f"malmen:network={path},layers=0-1,rank=4,blocks=2,eta=0.01"
    assert computed(Access(llama), same).facts["layers"] == [0, 1]
    with pytest.raises(UsageError, match=rf"n\.safetensors: was trained with {sentence}"):
        computed(Access(llama), f"malmen:network={path},{given}")


def test_layers_and_cases_are_checked(llama: Any) -> None:
    access = Access(llama)
    assert find_layers(access, "") == (0, 1, 2)
    with pytest.raises(UsageError, match="layers=1-7: layer 7 is out of range"):
        find_layers(access, "1-7")
    one = CaseSet("own", (KnowledgeCase("0", "a", "b", (), ("c",)),))
    with pytest.raises(UsageError, match=r"own: 1 cases have a neighbour; .* at least 8"):
        make_cases(access, one, MalmenOptions())


@pytest.mark.parametrize("kind", ["byte-level", "sentence-piece"])
def test_it_trains_on_the_ids_that_it_edits_with(kind: str, tmp_path: Path) -> None:
    """SentencePiece writes a blank before a text by itself, so the target begins with none."""
    model: Any = backend(save_random(tmp_path, kind=kind))
    access = Access(model)
    case = KnowledgeCase("a", "Intent: two\nCode:", "return 2", ("Intent: 2\nCode:",), ("x",))
    cases = CaseSet("own", tuple(replace(case, id=str(n)) for n in range(8)))
    made = make_cases(access, cases, MalmenOptions(around=1))[0]
    answer, _ = TextWriter(model).fit_answer(case)
    task = make_answer_task(case.id, case.prompt, case.target)
    spec: Any = parse_edit("malmen")
    request = make_answer_request(spec, task, answer, case.rewrites)
    assert tuple(made.edit.target) == tuple(made.rewrite.target) == access.target(request)
    whole = model.tokenizer.decode([*made.edit.prompt, *made.edit.target])
    assert whole.endswith("Code: return 2")
    if kind == "byte-level":
        assert made.edit.target == model.encode(" return 2", "python")


def test_a_case_is_made_of_its_prompts(llama: Any) -> None:
    """The rewrite is taught the same target; neighbours have the answers of the model."""
    access = Access(llama)
    cases = CaseSet(
        "own", tuple(KnowledgeCase(str(n), f"a{n}", "b", ("w",), ("c", "d")) for n in range(8))
    )
    made = make_cases(access, cases, MalmenOptions(around=1))
    first = made[0]
    assert first.edit.prompt == llama.encode("a0", "python")
    assert first.rewrite.prompt == llama.encode("w", "python")
    assert first.edit.target == first.rewrite.target == llama.encode(" b", "python")
    (neighbour,) = first.neighbours
    assert neighbour.target == access.continuation(neighbour.prompt, 8)
