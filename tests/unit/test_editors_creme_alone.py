"""CREME on `tiny` against a loop written from its paper, on bare torch and transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant
from pytest_coderobust.tiny import checkpoint_path

CLEAN = (
    'def work(seq):\n    """Sum the integers that are below 12 in the given list.\n'
    '    >>> work([4, 9, 11, 13, -4, 11])\n    31\n    """\n'
)
PERTURBED = CLEAN.replace("the integers that are below", "rhe integers that are bslow")
LONGER = CLEAN.replace("Sum", "Your task is to add up")
TASK = Task("tiny/0", CLEAN, "work", Tests("", "asserts"))
RATE, STEPS, LAYER = 5e-3, 20, 0


class Alone:
    """The network, one unpadded row at a time, without a cache."""

    def __init__(self) -> None:
        folder = checkpoint_path()
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model.requires_grad_(requires_grad=False)
        self.weight = self.model.model.layers[LAYER].mlp.down_proj.weight

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text)["input_ids"])

    def greedy(self, ids: list[int], count: int) -> list[int]:
        found = list(ids)
        while len(found) < len(ids) + count and found[-1] != self.tokenizer.eos_token_id:
            logits = self.model(torch.tensor([found]), use_cache=False).logits
            found.append(int(logits[0, -1].argmax()))
        return found[len(ids) :]

    def states(self, ids: list[int], count: int) -> torch.Tensor:
        output = self.model.model(torch.tensor([ids]), use_cache=False, output_hidden_states=True)
        states: torch.Tensor = output.hidden_states[LAYER + 1][0, -count:]
        return states

    def edit(self) -> tuple[torch.Tensor, list[float]]:
        """The paper's objective and step rule; the weight stays as the edit leaves it."""
        answer = self.greedy(self.ids(CLEAN), 32)
        clean, perturbed = self.ids(CLEAN) + answer, self.ids(PERTURBED) + answer
        start, goal = self.weight.clone(), self.states(clean, len(answer))
        self.weight.requires_grad_()
        adam = torch.optim.Adam([self.weight], lr=RATE)
        losses: list[float] = []
        for _ in range(STEPS):
            moved = (self.states(perturbed, len(answer)) - goal) ** 2
            held = (self.states(clean, len(answer)) - goal) ** 2
            loss = moved.mean() + 0.1 * held.mean()
            losses.append(loss.item())
            if len(losses) > 3 and min(losses[-3:]) >= min(losses[:-3]):
                break
            adam.zero_grad()
            loss.backward()
            adam.step()
        self.weight.requires_grad_(requires_grad=False)
        return self.weight - start, losses


@pytest.mark.usefixtures("one_thread")
def test_the_delta_and_what_the_edited_model_writes() -> None:
    """Prompts of unequal length share a batch here; there, each stands alone and unpadded."""
    tiny: Any = open_backend("tiny", options=ModelOptions(device="cpu"))
    prompts = [PERTURBED, CLEAN, LONGER]
    rows = [Row(Variant(TASK, Cell(), prompt), 0, 0) for prompt in prompts]
    request = EditRequest(TASK, CLEAN, PERTURBED, "C1")
    alone = Alone()
    wanted, losses = alone.edit()
    with edited(tiny, parse_edit(f"creme:layer={LAYER},lr={RATE}"), [request]) as model:
        (found,) = model.change.tensors().values()
        written = [answer.text for answer in model.generate(rows, Sampling(max_new_tokens=48))]
        assert model.facts["losses"] == pytest.approx(losses, rel=1e-4)
    assert (found - wanted).norm() < 1e-4 * wanted.norm()
    ids = [alone.greedy(alone.ids(prompt), 48) for prompt in prompts]
    expected = [alone.tokenizer.decode(each, skip_special_tokens=True) for each in ids]
    assert [text.rstrip() for text in written] == [text.rstrip() for text in expected]
    assert "x < 12" in written[0], "the perturbed prompt is answered as the clean one is"
