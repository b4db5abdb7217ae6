"""Measures the cost of edits: the layer sweep, CREME cached and in full, and every editor.

    python bench/editing.py [--model tiny] [--rounds 3] [--samples 10] [--tokens 128] [--shape 7b]

The sweep's first line compares the procedure of CREME's released code with ours. The released code
makes one batch per layer of the clean prompt and the samples, reads every row whole, and calls
transformers' `generate`. Ours shares batches among layers and computes once what rows have in
common. The lines in brackets measure the gain of shared batches alone, in either procedure.

Ratios are of medians over rounds. Within a round both run one after the other on the same request,
so that a busy machine slows both alike. Only generation is timed. Both must write the same
completions, which is checked first. `--shape 7b` edits a randomly initialised model of
CodeLlama-7B's shape in bfloat16 on an accelerator (absolute figures, no sweep).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pytest_coderobust.editors import creme
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.localisation import Patched, Sweep
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import EDITORS, parse_edit
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.models.completion_text import Prompt
from pytest_coderobust.models.decoding import generate_by_transformers
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Task, Tests

CLEAN = (
    "def solution(values):\n"
    '    """The function should go through the list and add up the numbers that are even.\n'
    "    >>> solution([24, 15, 22, 5, 15])\n    46\n"
    '    """\n'
)
PERTURBED = CLEAN.replace("add up the numbers that are even", "ad  up nmuber taht areev en")
REQUEST = EditRequest(
    Task("bench/0", CLEAN, "solution", Tests("", "asserts")), CLEAN, PERTURBED, "C1"
)


def time_once(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def compare(name: str, rounds: int, slow: Callable[[], object], fast: Callable[[], object]) -> None:
    slow(), fast()
    pairs = [(time_once(slow), time_once(fast)) for _ in range(rounds)]
    left, right = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{name:<44} {left:8.3f} s {right:8.3f} s   ratio {left / right:5.2f}")


class Released(Sweep):
    """The procedure of the released code, with the noise of our rows so that both are comparable.

    Transformers' `generate` reads the whole prompt in every row, and the clean prompt is a row of
    every batch.
    """

    def _patched(self, rows: Sequence[Patched]) -> list[str]:
        loaded = self._access.loaded
        prompts = [Prompt(self._clean, 0), *(Prompt(self._perturbed, row.noise) for row in rows)]
        with self.patches([row.layer for row in rows]):
            steps = self._steps(self._width)
            return [
                a.text for a in generate_by_transformers(loaded, prompts, self._sampling, steps)[1:]
            ]


def sweep(access: Access, rounds: int, samples: int, tokens: int, temperature: float) -> None:
    """Times the same rows in one batch per layer and in shared batches."""
    options = replace(CremeOptions(), sweep_tokens=tokens, temperature=temperature)
    ours, released = (kind(access, REQUEST, options) for kind in (Sweep, Released))
    depth = len(access.layers)
    rows = [Patched(layer, seed) for layer in range(depth) for seed in range(samples)]
    parts = [rows[start : start + samples] for start in range(0, len(rows), samples)]
    texts = [text for part in parts for text in released.run(part)]
    assert texts == ours.run(rows) == [text for part in parts for text in ours.run(part)]
    distinct = len(set(zip((row.layer for row in rows), texts, strict=True)))
    print(f"sweep at T={temperature:g}: {depth} layers x {samples} samples, {distinct} texts")
    each = lambda: [released.run(part) for part in parts]  # noqa: E731
    compare("  a batch per layer by generate, one in all", rounds, each, lambda: ours.run(rows))
    compare("  (generate: a batch per layer, one in all)", rounds, each, lambda: released.run(rows))
    own = lambda: [ours.run(part) for part in parts]  # noqa: E731
    compare("  (ours: a batch per layer, one in all)", rounds, own, lambda: ours.run(rows))


def solvers(access: Access, rounds: int) -> None:
    layer = len(access.layers) // 2
    projection = access.projection(layer)
    options = CremeOptions()
    pair = creme.make_pair(access, REQUEST, options.tokens)

    def cached() -> None:
        states = creme.cache_states(access, projection, layer, pair)
        creme.minimise_cached(states, options)

    def full() -> None:
        creme.minimise_full(access, projection, layer, pair, options)

    compare(f"CREME at layer {layer}: full loop, cached", rounds, full, cached)


def editors(model: Any, rounds: int) -> None:
    print(f"\n{'editor':<44} {'seconds':>10} {'peak MiB':>10}")
    for name in EDITORS:
        # The sweep was timed above, so CREME gets a layer here.
        spec: Any = parse_edit(f"{name}:layer=0" if name == "creme" else name)
        costs = []
        try:
            for _ in range(rounds):
                with edited(model, spec, [REQUEST]) as repaired:
                    costs.append(repaired.cost)
        except CodeRobustError as error:
            print(f"{name:<44} {error}")
            continue
        seconds = statistics.median(cost.seconds for cost in costs)
        peaks = [cost.peak_bytes for cost in costs if cost.peak_bytes is not None]
        peak = f"{max(peaks) / 2**20:.1f}" if peaks else "unknown"
        print(f"{spec.label:<44} {seconds:>10.3f} {peak:>10}")


def large(folder: Path) -> Path:
    """Writes a checkpoint of CodeLlama-7B's shape with random weights and tiny's tokenizer."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from pytest_coderobust.tiny import checkpoint_path

    config = LlamaConfig(
        vocab_size=32016,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        max_position_embeddings=16384,
    )
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(checkpoint_path()).save_pretrained(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--shape", choices=("7b",))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        name = str(large(Path(folder))) if options.shape else options.model
        model: Any = open_backend(name, options=ModelOptions())
        access = Access(model)
        print(f"{options.shape or options.model} on {access.device}, {access.model.dtype}")
        with access.frozen_weights():
            if not options.shape:
                for temperature in (0.2, 1.0):  # the paper's, and one at which samples differ
                    sweep(access, options.rounds, options.samples, options.tokens, temperature)
            solvers(access, options.rounds)
        editors(model, options.rounds)


if __name__ == "__main__":
    main()
