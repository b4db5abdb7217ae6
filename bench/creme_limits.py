"""Measures the reach of an edit by CREME on `tiny`, and the causes of its limits.

    python bench/creme_limits.py [--requests 5] [--edit EDITOR ...] [TABLE ...]

All answers are greedy, with C1 at seed 0 on the quickstart suite, so that an empty edit changes
nothing. The tables:

edits    one request per edit: what it repairs and breaks, next to a placebo of equal norm
ceiling  prompts answered like the clean ones if states were exactly clean: the states of the
         answer (CREME's objective), or those of the prompt (its search for the layer)
layers   the layer that CREME's search chooses, and the layers whose edit repairs the own prompt
shifts   the similarity of the shifts that C1 causes in two prompts
many     one change fitted to many requests, measured on tasks that it was not fitted to

bench/misspellings.py measures what carries over from one misspelled word to another.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.editors_field import Field, measuring

from pytest_coderobust.editors import creme
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.alignment import Pairs, align
from pytest_coderobust.editors.edited_model import changed_model, edited, placebo
from pytest_coderobust.editors.identity import edited_identity
from pytest_coderobust.editors.localisation import trace
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.weights import WeightChange, weight_change
from pytest_coderobust.errors import ModelError

EDITORS = ("creme:layer=0", "creme:layer=0,lr=0.005")


def edits(field: Field, options: argparse.Namespace) -> None:
    """Edits for one request at a time; asks a third of the clean and of the robust prompts."""
    names = random.Random(0).sample(field.broken, options.requests)
    robust = [(each, field.perturbed[each]) for each in field.robust[::3]]
    clean = [(each, field.clean[each]) for each in field.solved[::3]]
    for text in options.edit or EDITORS:
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


def ceiling(field: Field, _options: argparse.Namespace) -> None:
    """Counts the prompts that get the clean answer with clean states, one place in the model each.

    The clean answer is fed as context, so that each of its tokens is compared.
    """
    access = field.access
    pairs = [field.pair(name, field.perturbed[name], 64) for name in field.broken]
    print("made clean behind  states of the answer  states of the prompt")
    modules = {"embedding": access.model.get_input_embeddings()}
    modules |= {f"layer {place}": layer for place, layer in enumerate(access.layers)}
    for label, module in modules.items():
        counts = [
            f"{sum(_answers(access, pair, module, places(pair)) for pair in pairs)} of {len(pairs)}"
            for places in (_answer_places, _prompt_places)
        ]
        print(f"{label:>17}  {counts[0]:>20}  {counts[1]:>20}", flush=True)


def layers(field: Field, options: argparse.Namespace) -> None:
    """Prints the layer that the search chooses, and the repairs of the own prompt by layer."""
    names = sorted(field.broken)
    random.Random(0).shuffle(names)
    requests = {name: field.request(name) for name in names[: options.traced]}
    keys: dict[str, int] = {}
    for name, request in requests.items():
        with field.access.frozen_weights():
            found = trace(field.access, request, CremeOptions(), field.judge)
        keys[name] = found.key
        most = max(effect.improvement for effect in found.layers)
        print(f"{name}: layer {found.key} chosen, most restored {most:.2f}", flush=True)
    for rate in (5e-4, 5e-3):
        own: dict[int, list[bool]] = {}
        for layer in range(len(field.access.layers)):
            spec = parse_edit(f"creme:layer={layer},lr={rate}")
            for name, request in requests.items():
                with edited(field.model, spec, [request]) as model:
                    own.setdefault(layer, []).extend(
                        field.passing([(name, request.perturbed)], model)
                    )
        counts = [sum(passed) for passed in own.values()]
        chosen = sum(own[key][place] for place, key in enumerate(keys.values()))
        mean = sum(counts) / len(counts)
        print(f"{rate:g}: by layer {counts}, mean {mean:.1f}, chosen {chosen}", flush=True)


def _answer_places(pair: creme.Pair) -> Pairs:
    count = min(pair.count, CremeOptions().tokens)  # CREME aligns no more than these
    starts = (len(each) - pair.count for each in (pair.perturbed, pair.clean))
    here, there = (range(start, start + count) for start in starts)
    return tuple(zip(here, there, strict=True))


def _prompt_places(pair: creme.Pair) -> Pairs:
    return align(pair.clean[: -pair.count], pair.perturbed[: -pair.count], "tokens")


def _answers(access: Access, pair: creme.Pair, module: Any, places: Pairs) -> bool:
    """Says whether each token of the clean answer is chosen, with clean states at the places."""
    here, there = (list(each) for each in zip(*places, strict=True))
    seen: list[torch.Tensor] = []

    def patch(_module: Any, _inputs: Any, output: Any) -> None:
        states = output if isinstance(output, torch.Tensor) else output[0]
        if seen:
            states[0, here] = seen[0][0, there]
        seen.append(states)

    handle = module.register_forward_hook(patch)
    try:
        access.logits(access.batch([pair.clean]))
        chosen = access.logits(access.batch([pair.perturbed]))[0].argmax(dim=-1)
    finally:
        handle.remove()
    wanted = list(pair.perturbed[-pair.count :])
    return chosen[-pair.count - 1 : -1].tolist() == wanted


def shifts(field: Field, _options: argparse.Namespace) -> None:
    """Compares shifts: clean states minus perturbed ones, at the tokens of the answer."""
    print("layer  cosine of two mean shifts  share of the common shift  squared shift / state")
    for layer in range(len(field.access.layers)):
        gaps, size = [], 0.0
        for name in field.broken:
            pair = field.pair(name, field.perturbed[name])
            gaps.append(field.states(name, field.perturbed[name], layer).gap)
            clean = field.access.run_until(layer, field.access.batch([pair.clean]))
            size += float(clean[0, -pair.count :].square().sum())
        means = torch.nn.functional.normalize(torch.stack([gap.mean(dim=0) for gap in gaps]))
        count, joined = len(gaps), torch.cat(gaps)
        cosine = float(((means @ means.T).sum() - count) / (count * (count - 1)))
        total = float(joined.square().sum())
        common = len(joined) * float(joined.mean(dim=0).square().sum()) / total
        print(f"{layer:>5} {cosine:>26.3f} {common:>26.3f} {total / size:>22.2f}", flush=True)


def many(field: Field, _options: argparse.Namespace) -> None:
    """Fits one change to many requests by least squares with a penalty, without half the tasks."""
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
            with changed_model(field.model, change, identity) as model:
                own, mended, kept = (
                    field.share(each, model) for each in (learnt[: min(count, 30)], broken, robust)
                )
            print(
                f"{layer:>5} {count:>9} {left:>5.2f} {own:>7.2f} {mended:>10.2f} {1 - kept:>23.2f}",
                flush=True,
            )


def _fit(states: Sequence[creme.States], penalty: float = 1.0) -> tuple[torch.Tensor, float]:
    """Minimises CREME's objective over all states; returns the change and the share left of it."""
    hit, clean, gap = (torch.cat([getattr(each, name) for each in states]).double()
                       for name in ("perturbed", "clean", "gap"))  # fmt: skip
    gram = hit.T @ hit + CremeOptions().lam * clean.T @ clean
    ridge = penalty * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    delta = torch.linalg.solve(gram + ridge, hit.T @ gap).T
    left = (gap - hit @ delta.T).square().mean() / gap.square().mean()
    return delta.float(), float(left)


TABLES = {each.__name__: each for each in (edits, ceiling, layers, shifts, many)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--traced", type=int, default=10, help="requests of the table layers")
    parser.add_argument("--edit", action="append", help="an editor, as for pytest; again for more")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    options = parser.parse_args()
    with measuring() as field:
        print(f"{len(field.solved)} solved clean, {len(field.broken)} of them broken by C1")
        for name in options.tables or TABLES:
            print(f"\n== {name}")
            TABLES[name](field, options)


if __name__ == "__main__":
    main()
