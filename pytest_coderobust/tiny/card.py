"""The model card of the bundled model: description, limits, digests and measured figures.

`python -m pytest_coderobust.tiny.card` measures the bundled checkpoint and writes its card.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

from pytest_coderobust.tiny import checkpoint_path
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.measurement import Figures, measure
from pytest_coderobust.tiny.recipe import TrainingRecipe

_CARD = """\
---
license: mit
library_name: transformers
pipeline_tag: text-generation
tags: [code, python, robustness]
---

# tiny: a code model to test robustness tools on

A Llama of {parameters:,} parameters ({layers} layers, hidden size {hidden}, byte-level BPE of
{vocabulary} tokens, {megabytes:.1f} MB in half precision) that completes short Python functions
from a signature, a docstring and one or two examples. It solves tasks of the kind it was trained
on, and it truly breaks when their prose is disturbed. It exists so that editing, shrinking and
gating can be seen and tested without a download or an accelerator.

## Data

{families} families of tasks, written for this model: filters, lists, numbers, strings,
dictionaries, recursion, and calls of library functions. A generator composes each sample from
parts (verb, noun, condition, frame of the sentence, trailing remark), generic names, and examples
computed by running the answer. No text from elsewhere is used. {samples:,} samples, each shown
once. The text is clean: no typing errors, no changed case, no paraphrase made to be hard. The
fragility is what clean training leaves, not something that was put in.

## Training

AdamW with a one-cycle schedule, {count} times:
{cycles}.
Batches of {batch}, float32, one thread. The loss counts the answer only, after a short start on
everything. Between cycles the weights are rounded to half precision, as they are stored, and the
optimizer starts anew. `python -m pytest_coderobust.tiny.train --out FOLDER`
trains it again from seed {seed}; with `--verify` it compares the two on the suite.

## Figures

Greedy, through the plugin, on the bundled `quickstart` suite: {count_all} tasks whose prompts
training never shows. Most ask for a combination of parts that training never shows in any words.
A fifth uses sentence templates that training never shows.

| tasks | n | clean pass@1 |
|---|---|---|
{passed}

| perturbation of the docstring's prose | RD |
|---|---|
{drops}

C1 is keyboard typos at 5 % of letters, C2 swaps of neighbouring characters at 5 %, C3 flipped
case at 35 %. RD is the share of clean pass@1 that is lost.

## Limits

It knows its own families and nothing else: no HumanEval task, no other language, no prose
beyond a docstring. Words it never saw mislead it more than they would a large model. Its
robustness figures say nothing about large models.

## Files

| file | SHA-256 |
|---|---|
{digests}
"""

_DIGESTED = ("model.safetensors", "tokenizer.json", "config.json")


def render(folder: Path, found: Figures) -> str:
    """Writes the card of the checkpoint in `folder` with these figures as text."""
    recipe = TrainingRecipe()
    return _CARD.format(
        parameters=_parameters(folder),
        layers=recipe.layers,
        hidden=recipe.hidden,
        vocabulary=recipe.vocabulary,
        megabytes=(folder / "model.safetensors").stat().st_size / 1e6,
        families=len(FAMILIES),
        samples=sum(recipe.samples),
        count=len(recipe.cycles),
        cycles=_cycles(recipe),
        batch=recipe.batch,
        seed=recipe.seed,
        count_all=found.counts["all"],
        passed="\n".join(
            f"| {part} | {found.counts[part]} | {value:.3f} |"
            for part, value in found.passed.items()
        ),
        drops="\n".join(f"| {name} | {drop:.3f} |" for name, drop in found.drops.items()),
        digests="\n".join(f"| {name} | `{_sha256(folder / name)}` |" for name in _DIGESTED),
    )


def _cycles(recipe: TrainingRecipe) -> str:
    """Describes the cycles: the number of samples and the highest learning rate of each."""
    shown = [f"{cycle.samples:,} samples up to {cycle.rate:g}" for cycle in recipe.cycles]
    return ", then ".join(shown)


def _parameters(folder: Path) -> int:
    """Counts the parameters in the file of weights by its header."""
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    return sum(math.prod(entry["shape"]) for entry in tensors)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    bundled = checkpoint_path()
    (bundled / "README.md").write_text(render(bundled, measure(bundled)), encoding="utf-8")
