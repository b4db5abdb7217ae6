"""The rule for a solved prompt, and the status of a task under a cell that follows from it."""

from __future__ import annotations

from pytest_coderobust.records import Cell, Status


def is_solved(n: int, c: int, solved_at: float) -> bool:
    """Says whether at least that share of the n samples passes, and at least one sample."""
    return c > 0 and c >= solved_at * n


def decide_status(
    cell: Cell, clean: tuple[int, int], seen: tuple[int, int], solved_at: float
) -> Status:
    """Decides the status of a task under a cell.

    Args:
        clean: samples of the task's clean prompt, and how many of them pass.
        seen: the same for the prompt under the cell.
    """
    if not is_solved(*clean, solved_at):
        return Status.UNSOLVED
    if cell.is_clean:
        return Status.SOLVED
    return Status.ROBUST if is_solved(*seen, solved_at) else Status.BROKEN
