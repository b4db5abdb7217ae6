"""The quickstart suite on `tiny`, clean and under C1: what the benches of CREME's reach measure on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.editors import creme
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.pass_tests import sandbox_judge
from pytest_coderobust.editors.protocol import EditRequest, PassTest
from pytest_coderobust.engine.plan import read_plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Sampling, Variant
from pytest_coderobust.sandbox import open_sandbox

SUITE = Path(__file__).parents[2] / "example_suites" / "quickstart.toml"
Prompts = Sequence[tuple[str, str]]
"""Task ids, each with a prompt of its task."""


class Field:
    """The suite on the bundled model: prompts clean and under C1, and who solves what."""

    def __init__(self, judge: PassTest) -> None:
        self.model: Any = open_backend("tiny", options=ModelOptions())
        self.access = Access(self.model)
        self.plan = read_plan(read_suite(SUITE))
        self.judge = judge
        self._known: dict[tuple[str, str], bool] = {}
        self._answers: dict[str, tuple[int, ...]] = {}
        tasks = self.plan.tasks
        self.clean = {name: task.prompt for name, task in tasks.items()}
        self.perturbed = self.drawn(0)
        passed, hit = (dict(zip(tasks, self.passing(list(each.items())), strict=True))
                       for each in (self.clean, self.perturbed))  # fmt: skip
        self.solved = [name for name in tasks if passed[name]]
        self.broken = [name for name in self.solved if not hit[name]]
        self.robust = [name for name in self.solved if hit[name]]

    def drawn(self, seed: int) -> dict[str, str]:
        """The tasks' prompts under C1."""
        cell = Cell("C1", seed)
        tasks = self.plan.tasks.items()
        return {name: make_variant(self.plan, task, cell).prompt for name, task in tasks}

    def request(self, name: str, perturbed: str | None = None) -> EditRequest:
        task = self.plan.tasks[name]
        return EditRequest(task, self.clean[name], perturbed or self.perturbed[name], "C1")

    def passing(self, prompts: Prompts, model: Any = None) -> list[bool]:
        """Tells for each prompt whether the answer solves its task."""
        variants = [Variant(self.plan.tasks[name], Cell(), text) for name, text in prompts]
        rows = [Row(each, 0, 0) for each in variants]
        answers = (model or self.model).generate(rows, Sampling(max_new_tokens=128))
        asked = [(name, each.text) for (name, _), each in zip(prompts, answers, strict=True)]
        for name in {name for name, _ in asked}:
            new = list(
                {text for one, text in asked if one == name and (name, text) not in self._known}
            )
            found = self.judge(self.plan.tasks[name], new)
            self._known |= {(name, text): ok for text, ok in zip(new, found, strict=True)}
        return [self._known[each] for each in asked]

    def share(self, prompts: Prompts, model: Any = None) -> float:
        return fmean(self.passing(prompts, model)) if prompts else float("nan")

    def breaking(self, prompts: Prompts) -> Prompts:
        """Those of the prompts that the unedited model does not solve."""
        passed = self.passing(prompts) if prompts else []
        return [each for each, ok in zip(prompts, passed, strict=True) if not ok]

    def pair(self, name: str, perturbed: str, tokens: int = CremeOptions().tokens) -> creme.Pair:
        """Both prompts with the greedy answer to the clean one, `tokens` of it at most."""
        clean, hit = (
            tuple(self.model.encode(each, "python")) for each in (self.clean[name], perturbed)
        )
        if name not in self._answers:
            self._answers[name] = self.access.continuation(clean, 64)
        answer = self._answers[name][:tokens]
        return creme.Pair((*clean, *answer), (*hit, *answer), len(answer))

    def states(self, name: str, perturbed: str, layer: int) -> creme.States:
        projection = self.access.projection(layer)
        return creme.cache_states(self.access, projection, layer, self.pair(name, perturbed))


@contextmanager
def measuring() -> Generator[Field]:
    """The field, with its sandbox, on one thread and without gradients."""
    torch.set_num_threads(1)
    with open_sandbox(1) as sandbox, torch.no_grad():
        field = Field(sandbox_judge(sandbox))
        yield field
