"""The partial form of a task: its prompt already holds the first half of the solution.

Source: ReCode (Wang et al. 2023), whose perturbations of code syntax need code to change. The half
is counted in lines and rounded down, so that one line of solution leaves the prompt as it was.
"""

from __future__ import annotations

from dataclasses import replace

from coderobust_strategies.perturbations.recode import TaskCode, halved
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Task


def halve_solution(task: Task, where: str) -> Task:
    """Makes the partial form of a task.

    Args:
        where: the place of its row, for messages.

    Raises:
        DataError: it has no canonical solution.
    """
    if task.canonical is None:
        raise DataError(
            f"{where}: the task {task.id!r} has no canonical solution, half of which "
            'prompt_form = "partial" puts into its prompt'
        )
    code = halved(TaskCode(task.prompt, task.canonical, "", task.entry_point))
    return replace(task, prompt=code.prompt, canonical=code.solution)
