"""Edit requests: drawn by seed from the prompts that the base run found broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.records import Square, Status, digest


def find_broken_squares(base: Measurement, perturbation: str) -> tuple[Square, ...]:
    """Finds a perturbation's squares that are solved clean and broken perturbed, in plan order.

    Raises:
        ModelError, SandboxError, OracleError: the harness failed.
    """
    cells = [cell for cell in base.plan.cells if cell.perturbation == perturbation]
    return tuple(
        (task.id, cell)
        for cell in cells
        for task in base.plan.tasks.values()
        if base.measure(task, cell).observation.status is Status.BROKEN
    )


def draw_requests(
    base: Measurement, eligible: Iterable[Square], count: int, seed: int
) -> tuple[EditRequest, ...]:
    """Draws up to `count` requests of different tasks.

    The order of drawing follows from the seed and the square alone. So a larger count starts with
    the same requests, and a task that joins or leaves moves no other one.
    """

    def place(square: Square) -> str:
        task, cell = square
        return digest("request", seed, cell.perturbation, task, cell.seed)

    drawn: dict[str, Square] = {}
    for square in sorted(eligible, key=place):
        drawn.setdefault(square[0], square)
    return tuple(make_request(base, square) for square in list(drawn.values())[:count])


def make_request(base: Measurement, square: Square) -> EditRequest:
    """Makes the request that a square's prompt be answered as its clean prompt is."""
    task_id, cell = square
    task = base.plan.tasks[task_id]
    variant = make_variant(base.plan, task, cell)
    return EditRequest(
        task=task,
        clean=task.prompt,
        perturbed=variant.prompt,
        perturbation=cell.perturbation,
        seed=cell.seed,
    )


def list_request_tasks(requests: Sequence[EditRequest]) -> tuple[str, ...]:
    """Lists the tasks of requests, each once."""
    return tuple(dict.fromkeys(each.task.id for each in requests))
