"""When a prompt counts as solved, and what that makes of a task under a cell."""

from __future__ import annotations

from pytest_coderobust.records import Cell, Status


def is_solved(n: int, c: int, solved_at: float) -> bool:
    """Whether at least that share of the n samples passes, and one of them at least."""
    return c > 0 and c >= solved_at * n


def decide_status(
    cell: Cell, clean: tuple[int, int], seen: tuple[int, int], solved_at: float
) -> Status:
    """What a task is under a cell.

    Args:
        clean: samples of the task's clean prompt, and how many of them pass.
        seen: the same for the prompt under the cell.
    """
    if not is_solved(*clean, solved_at):
        return Status.UNSOLVED
    if cell.is_clean:
        return Status.SOLVED
    return Status.ROBUST if is_solved(*seen, solved_at) else Status.BROKEN
