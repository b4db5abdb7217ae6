"""How far an edit by CREME reaches on `tiny`, and what holds it back.

    python bench/creme_limits.py [--requests 5] [TABLE ...]

Greedy, C1 at seed 0 on the quickstart suite, so that editing nothing changes nothing. The tables:

edits    one request an edit, by each editor: what it repairs and breaks, beside a placebo
ceiling  prompts answered as the clean ones if a layer's states met CREME's objective exactly
shifts   how alike the shifts are that C1 causes in two prompts
many     one change fitted to many requests: tasks that it was not fitted to

What carries over from one misspelled word to another is in bench/misspellings.py.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.editors import creme
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited import applied, edited, placebo
from pytest_coderobust.editors.identity import edited_identity
from pytest_coderobust.editors.judging import sandbox_judge
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.protocol import EditRequest, Judge
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.weights import WeightChange, weight_change
from pytest_coderobust.engine.plan import make_variant, read_plan
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Sampling, Variant
from pytest_coderobust.sandbox import open_sandbox

SUITE = Path(__file__).parents[1] / "example_suites" / "quickstart.toml"
EDITORS = ("creme:layer=0", "creme:layer=0,lr=0.005", "rome", "ft", "grace", "dinm", "lora")
Prompts = Sequence[tuple[str, str]]
"""Task ids, each with a prompt of its task."""


class Field:
    """The suite on the bundled model: prompts clean and under C1, and who solves what."""

    def __init__(self, judge: Judge) -> None:
        self.model: Any = open_backend("tiny", options=ModelOptions())
        self.access = Access(self.model)
        self.plan = read_plan(read_suite(SUITE))
        self._judge = judge
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
        """Which prompts are answered with a solution of their task."""
        variants = [Variant(self.plan.tasks[name], Cell(), text) for name, text in prompts]
        rows = [Row(each, 0, 0) for each in variants]
        answers = (model or self.model).generate(rows, Sampling(max_new_tokens=128))
        asked = [(name, each.text) for (name, _), each in zip(prompts, answers, strict=True)]
        for name in {name for name, _ in asked}:
            new = list(
                {text for one, text in asked if one == name and (name, text) not in self._known}
            )
            found = self._judge(self.plan.tasks[name], new)
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
        return creme.cached_states(self.access, projection, layer, self.pair(name, perturbed))


@contextmanager
def measuring() -> Generator[Field]:
    """The field, with its sandbox, on one thread and without gradients."""
    torch.set_num_threads(1)
    with open_sandbox(1) as sandbox, torch.no_grad():
        field = Field(sandbox_judge(sandbox))
        print(f"{len(field.solved)} solved clean, {len(field.broken)} of them broken by C1")
        yield field


def edits(field: Field, requests: int) -> None:
    """One request an edit; a figure for each. Of the clean and the robust prompts a third is asked."""
    names = random.Random(0).sample(field.broken, requests)
    robust = [(each, field.perturbed[each]) for each in field.robust[::3]]
    clean = [(each, field.clean[each]) for each in field.solved[::3]]
    for text in EDITORS:
        print(f"{text}\n    own  others  placebo  newly broken: robust  clean    drift")
        for name in names:
            own = [(name, field.perturbed[name])]
            rest = [(each, field.perturbed[each]) for each in field.broken if each != name]
            try:
                with edited(field.model, parse_edit(text), [field.request(name)]) as model:
                    groups = (own, rest, robust, clean)
                    shares = [field.share(each, model) for each in groups]
                    change, identity, drift = model.change, model.identity, model.facts.get("drift")
            except ModelError as error:
                print(f"    {error}"[:100], flush=True)
                continue
            turned = "none"
            if isinstance(change, WeightChange):
                with placebo(field.model, change, identity, 0) as control:
                    turned = f"{field.share(rest, control):.2f}"
            told = f"{drift:.2f}" if isinstance(drift, float) else "none"
            print(
                f"{shares[0]:>7.0f} {shares[1]:>7.2f} {turned:>8} {1 - shares[2]:>21.2f} "
                f"{1 - shares[3]:>6.2f} {told:>8}",
                flush=True,
            )


def ceiling(field: Field, _requests: int) -> None:
    """Token by token behind the clean answer: the same choice at every token is that answer."""
    pairs = [field.pair(name, field.perturbed[name], 64) for name in field.broken]
    print("layer  answered as the clean prompt")
    for layer in (None, *range(len(field.access.layers))):
        same = sum(_answers(field.access, pair, layer) for pair in pairs)
        print(f"{'none' if layer is None else layer!s:>5}  {same} of {len(pairs)}", flush=True)


def _answers(access: Access, pair: creme.Pair, layer: int | None) -> bool:
    """Whether each token of the clean answer is chosen, the layer's states there being clean."""
    count = min(pair.count, CremeOptions().tokens)  # CREME aligns no more than these
    start, at = len(pair.clean) - pair.count, len(pair.perturbed) - pair.count
    with ExitStack() as stack:
        if layer is not None:
            clean = access.until(layer, access.batch([pair.clean]))[0, start : start + count]

            def patch(_module: Any, _inputs: Any, output: Any) -> None:
                states = output if isinstance(output, torch.Tensor) else output[0]
                states[0, at : at + count] = clean

            stack.callback(access.layers[layer].register_forward_hook(patch).remove)
        chosen = access.logits(access.batch([pair.perturbed]))[0].argmax(dim=-1)
    return chosen[at - 1 : -1].tolist() == list(pair.perturbed[at:])


def shifts(field: Field, _requests: int) -> None:
    """A shift is the clean states less the perturbed ones, at the tokens of the answer."""
    print("layer  cosine of two mean shifts  share of the common shift  squared shift / state")
    for layer in range(len(field.access.layers)):
        gaps, size = [], 0.0
        for name in field.broken:
            pair = field.pair(name, field.perturbed[name])
            gaps.append(field.states(name, field.perturbed[name], layer).gap)
            clean = field.access.until(layer, field.access.batch([pair.clean]))
            size += float(clean[0, -pair.count :].square().sum())
        means = torch.nn.functional.normalize(torch.stack([gap.mean(dim=0) for gap in gaps]))
        count, joined = len(gaps), torch.cat(gaps)
        cosine = float(((means @ means.T).sum() - count) / (count * (count - 1)))
        total = float(joined.square().sum())
        common = len(joined) * float(joined.mean(dim=0).square().sum()) / total
        print(f"{layer:>5} {cosine:>26.3f} {common:>26.3f} {total / size:>22.2f}", flush=True)


def many(field: Field, _requests: int) -> None:
    """Least squares with a penalty on the change; half of the tasks are left out of the fit."""
    names = random.Random(0).sample(field.solved, len(field.solved))
    fitted, held = names[::2], set(names[1::2])
    drawn = [(name, prompts[name]) for prompts in map(field.drawn, range(5)) for name in fitted]
    learnt = random.Random(0).sample(field.breaking(drawn), len(field.breaking(drawn)))
    broken, robust = (
        [(name, field.perturbed[name]) for name in group if name in held]
        for group in (field.broken, field.robust)
    )
    print("                      ---- repaired ----")
    print("layer  requests  left  fitted   held out  newly broken of robust")
    for layer in (0, 4):
        states = [field.states(*each, layer) for each in learnt]
        for count in (1, 5, 20, 50, len(states)):
            delta, left = _fit(states[:count])
            change = weight_change(field.access.projection(layer), delta, None, {})
            requests = [field.request(*each) for each in learnt[:count]]
            identity = edited_identity(field.model.identity, parse_edit("creme"), requests)
            with applied(field.model, change, identity) as model:
                own, mended, kept = (
                    field.share(each, model) for each in (learnt[: min(count, 30)], broken, robust)
                )
            print(
                f"{layer:>5} {count:>9} {left:>5.2f} {own:>7.2f} {mended:>10.2f} {1 - kept:>23.2f}",
                flush=True,
            )


def _fit(states: Sequence[creme.States], penalty: float = 1.0) -> tuple[torch.Tensor, float]:
    """The change that minimises CREME's objective over all states; the share of it that is left."""
    hit, clean, gap = (torch.cat([getattr(each, name) for each in states]).double()
                       for name in ("perturbed", "clean", "gap"))  # fmt: skip
    gram = hit.T @ hit + CremeOptions().lam * clean.T @ clean
    ridge = penalty * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    delta = torch.linalg.solve(gram + ridge, hit.T @ gap).T
    left = (gap - hit @ delta.T).square().mean() / gap.square().mean()
    return delta.float(), float(left)


TABLES = {each.__name__: each for each in (edits, ceiling, shifts, many)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    options = parser.parse_args()
    with measuring() as field:
        for name in options.tables or TABLES:
            print(f"\n== {name}")
            TABLES[name](field, options.requests)


if __name__ == "__main__":
    main()
