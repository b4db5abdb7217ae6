"""Targets before and after an edit, edits that move nothing, and batches one after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import REQUEST, answers, computed, fingerprint, model_of, traces
from support.models_checkpoints import BODY, PROMPT

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import edited, successive_batches
from pytest_coderobust.editors.fit import FitChange, measure_fit
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.request import EditRequest, Parting
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change
from pytest_coderobust.errors import EditRefused, ModelError

STATED = replace(REQUEST, clean=PROMPT, perturbed=PROMPT, target=BODY)
OTHER = replace(STATED, perturbed="def twice(x):\n", seed=1)
LORA: Any = parse_edit("lora:steps=60,rank=4,lr=0.02")
STILL: Any = parse_edit("ft:layer=1,steps=1,lr=1e-7,epsilon=1e-7")
WEAK: Any = parse_edit("ft:layer=1,steps=4,lr=0.05,epsilon=0.1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return model_of("llama", Path(tmp_path_factory.mktemp("fit")))


def test_the_fit_is_the_mean_loss_of_the_target(model: Any) -> None:
    """Against log-probabilities that are read token by token, without a batch."""
    access = Access(model)
    prompt, target = access.encode(STATED, PROMPT), access.target(STATED)
    losses, met = [], True
    for place, token in enumerate(target):
        ids = torch.tensor([[*prompt, *target[:place]]])
        with torch.no_grad():
            scores = access.model(input_ids=ids).logits[0, -1].double().log_softmax(dim=-1)
        losses.append(-float(scores[token]))
        met = met and int(scores.argmax()) == token
    found = measure_fit(access, [STATED])
    assert found.nll == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert found.met is met is False


def test_an_edit_tells_its_targets_before_and_after(model: Any) -> None:
    untouched, before = (
        (fingerprint(model), traces(model)),
        measure_fit(Access(model), [STATED]).nll,
    )
    with edited(model, LORA, [STATED], must_move=True) as repaired:
        assert repaired.fit is not None
        assert repaired.fit.before == before
        assert repaired.fit.after < repaired.fit.before / 2
        now = measure_fit(Access(repaired), [STATED])
        assert (now.nll, now.met) == (pytest.approx(repaired.fit.after), repaired.fit.met)
    assert (fingerprint(model), traces(model)) == untouched


def test_an_edit_that_moves_nothing_is_refused_with_the_reason(model: Any) -> None:
    untouched = fingerprint(model)
    reason = r"ft:.*: the edit moved nothing: the NLL of its targets was [\d.]+ before and is [\d.]+ after"
    with pytest.raises(ModelError, match=reason), edited(model, STILL, [STATED], must_move=True):
        pass
    assert fingerprint(model) == untouched
    with edited(model, STILL, [STATED]) as weak:  # as ever, where nobody asks
        assert weak.fit is None


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (FitChange(2.0, 1.9, None), True),
        (FitChange(2.0, 1.91, None), False),
        (FitChange(2.0, 1.91, met=True), True),
        (FitChange(2.0, 1.91, met=False), False),
        (FitChange(0.0, 0.0, met=False), True),
    ],
)
def test_a_twentieth_is_the_least_that_counts(change: FitChange, moved: bool) -> None:
    assert change.moved is moved


def test_a_refused_edit_leaves_those_before_in_force(model: Any) -> None:
    """Batches: one that is refused beforehand, one that moves, and one that cannot move."""
    untouched, plain = fingerprint(model), answers(model)
    steps = successive_batches(
        model, WEAK, [(), (STATED, OTHER), (STATED,)], None, {1: "it was removed"}
    )
    first = next(steps)
    assert fingerprint(first) == untouched
    assert answers(first) == plain
    assert first.refused == ("it was removed",)
    second = next(steps)
    held = fingerprint(second)
    assert held != untouched
    assert second.fit is not None
    assert second.refused == first.refused
    third = next(steps)
    assert len({each.identity.digest for each in (first, second, third)}) == 3
    assert (fingerprint(third) == held) is (len(third.refused) == 2)
    steps.close()
    assert fingerprint(model) == untouched
    assert answers(model) == plain


def test_a_placebo_of_an_adapter_keeps_every_singular_value(model: Any) -> None:
    change = computed(Access(model), "lora:steps=3,rank=2,lr=0.02", STATED)
    turned = change.placebo(0)
    pairs = [name for name in change.weights if "lora_A" in name]
    assert pairs
    for name in pairs:
        upper = name.replace("lora_A", "lora_B")
        before = change.weights[upper] @ change.weights[name]
        after = turned.weights[upper] @ turned.weights[name]
        assert not torch.allclose(before, after)
        assert torch.allclose(torch.linalg.svdvals(before), torch.linalg.svdvals(after), atol=1e-6)
    again = change.placebo(0).weights
    assert all(torch.equal(again[name], turned.weights[name]) for name in pairs)
    assert not torch.equal(change.placebo(1).weights[pairs[0]], turned.weights[pairs[0]])


def test_a_parting_takes_the_place_of_a_target(model: Any) -> None:
    access = Access(model)
    parting = Parting("    return two(x)\n", "    return twofold(x)\n", len("    return twofold("))
    request = replace(STATED, target=None, parting=parting)
    prompt, target = access.encode(request, PROMPT), access.target(request)
    plain = access.encode(STATED, PROMPT)
    assert prompt[: len(plain)] == plain
    text = access.loaded.tokenizer.decode([*prompt[len(plain) :], *target])
    assert text == "    return twofold("
    assert request.digest != replace(request, parting=replace(parting, end=5)).digest
    assert request.states_target


class Picky(WeightEditor[float]):
    """Moves one entry for each request but those whose seed is 1, which it refuses."""

    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        if request.seed == 1:
            raise EditRefused(f"{request.label}: it is so already")
        projection = access.projection(1)
        delta = torch.zeros_like(projection.master())
        delta[0, 0] = self.options
        return weight_change(projection, delta, so_far, {})


def test_of_several_requests_those_that_are_fulfilled_are_passed_over(model: Any) -> None:
    access, picky = Access(model), Picky(0.5)
    both = picky.compute(access, [OTHER, STATED, OTHER, STATED])
    (delta,) = both.deltas.values()
    assert float(delta[0, 0]) == 1.0
    with pytest.raises(EditRefused, match="it is so already"):
        picky.compute(access, [OTHER, OTHER])
    with both.installed(access), pytest.raises(EditRefused):
        picky.compute(access, [OTHER], both)
