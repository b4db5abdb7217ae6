"""Noise floor: the clean prompts answered again with other batch sizes and other seeds."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.metrics.robustness import mean
from pytest_coderobust.models.backend import Backend, is_streaming
from pytest_coderobust.models.forwarding import ForwardingBackend
from pytest_coderobust.records import Cell

SEEDS = 3
"""Number of sampling seeds: the suite's own and the next ones."""


class Rebatched(ForwardingBackend):
    """A backend that answers in batches of another size, at most its own."""

    def __init__(self, backend: Backend, size: int) -> None:
        super().__init__(backend)
        self._size = size

    @property
    def batch_size(self) -> int:
        return self._size


def measure_floor(
    plan: Plan,
    backend: Backend,
    judge: VerdictStore,
    ledger: Ledger,
    listen: Listener,
    guard: Guard | None = None,
    book_on: str = "",
) -> NoiseFloor:
    """Answers and judges every clean prompt under each batch size and each seed.

    Args:
        guard: of a served model, the session's.
        book_on: the run that a server's answers are booked on; by default each seed's own.

    Raises:
        ModelError, SandboxError, OracleError: the harness failed; nothing is known.
    """

    def run(size: int, seed: int) -> dict[str, float]:
        sampling = replace(plan.config.sampling, seed=seed)
        again = replace(
            plan, config=replace(plan.config, sampling=sampling), cells=(Cell(),), recorded={}
        )
        asked = backend if is_streaming(backend) else Rebatched(backend, size)
        tags = plan.config.reading.reasoning
        answers = CompletionStore(asked, ledger, listen, tags, guard)
        measurement = Measurement(again, answers, judge, ledger, listen)
        answers.run = book_on or answers.run
        measurement.want((task, Cell()) for task in plan.tasks)
        found = [measurement.measure(task, Cell()).observation for task in plan.tasks.values()]
        return {o.task_id: pass_at_k(o.n, o.c, k) for o in found if o.measured}

    k = min(plan.config.ks)
    own, first = backend.batch_size, plan.config.sampling.seed
    # Rows of a served model have no batch of ours: only seeds can be changed.
    sizes = [own] if is_streaming(backend) else sorted({1, max(1, own // 4), own})
    seeds = range(first, first + (1 if plan.config.sampling.greedy else SEEDS))
    batches = {size: run(size, first) for size in sizes}
    drawn = {seed: batches[own] if seed == first else run(own, seed) for seed in seeds}
    return NoiseFloor(
        k=k,
        tasks=len(batches[own]),
        batches=tuple((size, mean(values.values()) or 0.0) for size, values in batches.items()),
        seeds=tuple((seed, mean(values.values()) or 0.0) for seed, values in drawn.items()),
    )
