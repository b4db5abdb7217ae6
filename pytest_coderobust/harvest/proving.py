"""Proof of drafts in the sandbox: what must pass passes twice, and what must fail fails.

1  the canonical body passes, in two runs
2  a stub fails
3  every simple mutant of the body fails; a case that was seen is added where one would not
4  an answer that hands the call on to the original fails, and is seen to reach for it
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_coderobust.harvest.cases import HarvestCase
from pytest_coderobust.harvest.drafts import HarvestDraft, make_draft_check
from pytest_coderobust.harvest.mutants import Mutant, make_mutants
from pytest_coderobust.harvest.reaching import write_reaching
from pytest_coderobust.records import Packages, Verdict
from pytest_coderobust.sandbox.calibration import JudgeAll, calibrate
from pytest_coderobust.sandbox.check import Check

STUBS = ("    pass\n", "    raise NotImplementedError\n")
MOST_CASES = 40
LEAST_CASES = 3
"""Cases of a task, at least."""
Told = Callable[[str], None]


class HarvestProver:
    """Proves drafts; those that fail are left out with the reason.

    Args:
        judges: two, none of which remembers what the other one judged.
        packages: what the prompts import.

    Attributes:
        left_out: by full name of the function.
        weak: those of them whose tests do not tell right from wrong.
    """

    def __init__(self, judges: tuple[JudgeAll, JudgeAll], packages: Packages, tell: Told) -> None:
        self._judges = judges
        self._packages = packages
        self._tell = tell
        self.left_out: dict[str, str] = {}
        self.weak: dict[str, str] = {}

    def prove(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        """Returns the drafts that hold, with the cases that their mutants asked for."""
        self._tell(f"{len(drafts)} canonical bodies are judged")
        alive = self._prove_canonicals(drafts)
        self._tell(f"{len(alive)} pass; stubs and mutants are judged")
        alive = self._prove_stubs(alive)
        alive = self._prove_mutants(alive)
        alive = self._prove_again(alive)
        return self._prove_reaching(alive)

    def _judge(self, checks: Sequence[Check], again: bool = False) -> Sequence[Verdict]:
        return self._judges[again]([replace(each, packages=self._packages) for each in checks])

    def _leave_out(self, draft: HarvestDraft, reason: str, *, weak: bool = False) -> None:
        (self.weak if weak else self.left_out)[draft.function.full_name] = reason

    def _prove_canonicals(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        """Finds the form and the cases with which each canonical body passes."""
        found: list[HarvestDraft] = []
        waiting = list(drafts)
        while waiting:
            checks = [make_draft_check(each, each.prompt.canonical) for each in waiting]
            judged = calibrate(checks, self._judge)
            again: list[HarvestDraft] = []
            for draft, (check, verdict) in zip(waiting, judged, strict=True):
                if verdict.full:
                    found.append(replace(draft, in_process=check.in_process))
                elif len(draft.prompts) > 1:
                    again.append(replace(draft, prompts=draft.prompts[1:]))
                elif verdict.passed and (fewer := self._drop_failing(draft)) is not None:
                    again.append(fewer)
                else:
                    self._leave_out(draft, f"its own body fails in the sandbox ({_name(verdict)})")
            waiting = again
        order = {each.function.full_name: at for at, each in enumerate(drafts)}
        return sorted(found, key=lambda each: order[each.function.full_name])

    def _drop_failing(self, draft: HarvestDraft) -> HarvestDraft | None:
        """Drops the cases with which the canonical body fails; None where too few are left."""
        checks = [make_draft_check(draft, draft.prompt.canonical, [each]) for each in draft.cases]
        pairs = zip(draft.cases, self._judge(checks), strict=True)
        kept = tuple(case for case, verdict in pairs if verdict.full)
        if len(kept) < LEAST_CASES or len(kept) == len(draft.cases):
            return None
        return replace(draft, cases=kept)

    def _prove_stubs(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        checks = [make_draft_check(each, stub) for each in drafts for stub in STUBS]
        verdicts = self._judge(checks)
        alive: list[HarvestDraft] = []
        for at, draft in enumerate(drafts):
            if len(draft.cases) < LEAST_CASES:
                self._leave_out(draft, f"it has {len(draft.cases)} tests", weak=True)
            elif any(each.full for each in verdicts[2 * at : 2 * at + 2]):
                self._leave_out(draft, "a stub passes its tests", weak=True)
            else:
                alive.append(draft)
        return alive

    def _prove_mutants(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        mutants = [make_mutants(each.prompt, each.function.name) for each in drafts]
        pairs = list(zip(drafts, mutants, strict=True))
        checks = [make_draft_check(draft, m.completion) for draft, own in pairs for m in own]
        verdicts = iter(self._judge(checks))
        alive: list[HarvestDraft] = []
        for draft, own in pairs:
            survivors = [mutant for mutant in own if next(verdicts).full]
            stronger = self._strengthen(draft, survivors)
            if not own:
                self._leave_out(draft, "its body has nothing to mutate", weak=True)
            elif stronger is not None:
                alive.append(replace(stronger, mutants=len(own)))
        return alive

    def _strengthen(self, draft: HarvestDraft, survivors: Sequence[Mutant]) -> HarvestDraft | None:
        """Adds seen cases until every survivor fails; None where one does not."""
        for mutant in survivors:
            if not self._judge([make_draft_check(draft, mutant.completion)])[0].full:
                continue  # a case that was added for another one does it
            killer = self._find_killer(draft, mutant)
            if killer is None:
                self._leave_out(draft, f"a mutant passes ({mutant.change})", weak=True)
                return None
            others = tuple(each for each in draft.others if each is not killer)
            draft = replace(draft, cases=(*draft.cases, killer), others=others)
        return draft

    def _find_killer(self, draft: HarvestDraft, mutant: Mutant) -> HarvestCase | None:
        """Finds a seen case that the canonical body passes and a mutant does not, by halves."""
        own = draft.prompt.canonical
        cases = list(draft.others)
        while cases:
            if self._judge([make_draft_check(draft, mutant.completion, cases)])[0].full:
                return None
            if len(cases) == 1:
                right = self._judge([make_draft_check(draft, own, cases)])[0].full
                return cases[0] if right else None
            half = cases[: len(cases) // 2]
            passes = self._judge([make_draft_check(draft, mutant.completion, half)])[0].full
            cases = cases[len(half) :] if passes else half
        return None

    def _prove_again(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        """Judges the canonical bodies with their last tests, in two runs."""
        checks = [make_draft_check(each, each.prompt.canonical) for each in drafts]
        alive: list[HarvestDraft] = []
        runs = zip(self._judge(checks), self._judge(checks, True), strict=True)
        for draft, (first, second) in zip(drafts, runs, strict=True):
            if first.full and second.full:
                alive.append(draft)
            else:
                self._leave_out(draft, "its own body does not pass twice in the sandbox")
        return alive

    def _prove_reaching(self, drafts: Sequence[HarvestDraft]) -> list[HarvestDraft]:
        checks = [make_draft_check(each, write_reaching(each.function)) for each in drafts]
        alive: list[HarvestDraft] = []
        for draft, verdict in zip(drafts, self._judge(checks), strict=True):
            reached = not draft.changes or any(use.old for use in verdict.api_uses)
            if verdict.full or not reached:
                self._leave_out(draft, "its original cannot be taken away from answers")
            else:
                alive.append(draft)
        return alive


def _name(verdict: Verdict) -> str:
    """The failure and the exception's name, without what a message may hold."""
    name = verdict.detail.partition(":")[0]
    return f"{verdict.failure}, {name}" if name.isidentifier() else verdict.failure
