"""Handoff of a verified minimum to Hypothesis, so that Hypothesis' own report shows it.

Hypothesis shrinks one candidate after the other, which is too slow with a model behind it. So
it searches the remnants of the first failing variant, and an oracle answers for the model from
what the hunt has proved: a remnant fails if it has every edit of the minimum, either in its
simplest failing form or in the form it was found in. No model is called. Hypothesis ends with the
minimum, prints it and stores it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coderobust_strategies import Edit
from pytest_coderobust.hunting.failure import Failure

EXAMPLES = 1000
"""Examples that Hypothesis draws at most; one in two or three contains the minimum."""


def make_hypothesis_report(
    failure: Failure, perturbations: Sequence[str], code: str = "", database: Path | None = None
) -> str:
    """Makes Hypothesis' report of the minimum with its reproduction blob; "" if it ends elsewhere.

    Args:
        perturbations: the perturbations that gave simpler edits in the hunt.
        code: the task's canonical solution.
        database: a folder for Hypothesis' example database, one for each failure.
    """
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.database import DirectoryBasedExampleDatabase
    from hypothesis.reporting import with_reporter

    from coderobust_strategies.hypothesis_strategies import PerturbedPrompt, ladders, remnants

    clean, first, entry = failure.clean.prompt, failure.first_edits, failure.entry_point
    still = make_oracle(failure.edits, ladders(clean, first, perturbations, entry, code))
    last: list[PerturbedPrompt] = []

    @settings(
        max_examples=EXAMPLES,
        database=DirectoryBasedExampleDatabase(database) if database else None,
        deadline=None,
        derandomize=database is None,
        report_multiple_bugs=False,
        print_blob=True,
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(prompt=remnants(clean, first, *perturbations, entry_point=entry, code=code))
    def is_solved(prompt: PerturbedPrompt) -> None:
        if still(prompt.edits):
            last.append(prompt)
            raise AssertionError(f"{failure.task_id} is not solved")

    said: list[str] = []
    try:
        with with_reporter(lambda line: said.append(str(line))):
            is_solved()
    except AssertionError as error:
        said += getattr(error, "__notes__", [])
    if not last or last[-1] != failure.broken.prompt:
        return ""
    return "\n".join(said)


def make_oracle(
    minimum: Sequence[Edit], steps: Sequence[Sequence[Edit]]
) -> Callable[[Sequence[Edit]], bool]:
    """Makes the test whether edits have each edit of the minimum, or one it was simplified from."""
    needed: list[frozenset[Any]] = []
    for edit in minimum:
        above = [step[step.index(edit) :] for step in steps if edit in step]
        needed.append(frozenset(each for step in above for each in step))
    return lambda edits: all(not each.isdisjoint(edits) for each in needed)
