"""Drafts of tasks: a function with its prompts, its chosen cases, and all that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.harvest.asserting import write_tests
from pytest_coderobust.harvest.cases import HarvestCase
from pytest_coderobust.harvest.functions import HarvestFunction
from pytest_coderobust.harvest.prompting import HarvestPrompt
from pytest_coderobust.records import ApiChange, Tests
from pytest_coderobust.sandbox.check import Check, Limits

CHOSEN = 16
"""Cases of a draft before mutants ask for more."""
LIMITS = Limits(cpu_seconds=5.0, call_seconds=1.0)


@dataclass(frozen=True, slots=True)
class HarvestDraft:
    """A task in the making.

    Attributes:
        prompts: the forms that may be tried, the best one first.
        cases: those that its tests have.
        others: those that were seen too, for mutants that the tests do not notice.
        changes: remove the original, under every name that it has.
        branches: ways out of branching lines that the cases take, and all; counted at the end.
        mutants: how many simple mutants of the body fail.
        in_process: the tests run in the solution's process.
    """

    function: HarvestFunction
    prompts: tuple[HarvestPrompt, ...]
    cases: tuple[HarvestCase, ...]
    others: tuple[HarvestCase, ...]
    changes: tuple[ApiChange, ...] = ()
    branches: tuple[int, int] = (0, 0)
    mutants: int = 0
    in_process: bool = False

    @property
    def prompt(self) -> HarvestPrompt:
        return self.prompts[0]

    @property
    def tests(self) -> Tests:
        return make_tests(self.cases, self.function.owner)


def make_tests(cases: Sequence[HarvestCase], owner: str = "") -> Tests:
    """Makes the tests of some cases; `owner` is the class that the function is a method of."""
    return Tests(write_tests(cases, owner), "check", "# none\n")


def make_draft_check(
    draft: HarvestDraft, completion: str, cases: Sequence[HarvestCase] | None = None
) -> Check:
    """Makes the check of a completion by some cases, or by those of the draft."""
    tests = draft.tests if cases is None else make_tests(cases, draft.function.owner)
    return Check(
        draft.prompt.prompt + completion,
        draft.function.name,
        tests,
        limits=LIMITS,
        api_changes=draft.changes,
        in_process=draft.in_process,
    )


def choose_cases(
    cases: Sequence[HarvestCase], most: int = CHOSEN
) -> tuple[tuple[HarvestCase, ...], tuple[HarvestCase, ...]]:
    """Chooses cases: short ones that together run all that any runs, recorded ones first.

    Returns:
        The chosen cases, and the others.
    """
    order = sorted(cases, key=lambda each: (not each.recorded, each.size, each.call.text))
    chosen: list[HarvestCase] = []
    reached: set[tuple[int, int]] = set()
    for case in order:
        if case.arcs - reached:
            chosen.append(case)
            reached |= case.arcs
    rest = [each for each in order if each not in chosen]
    room = max(0, most - len(chosen))
    more = rest if len(rest) <= room else [rest[at * len(rest) // room] for at in range(room)]
    picked = [each for each in order if each in chosen or each in more]
    return tuple(picked), tuple(each for each in order if each not in picked)
