"""Runners of one worker, each opened with the first check of its language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_coderobust.records import Language, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved
from pytest_coderobust.sandbox.judge.tier import open_zygote
from pytest_coderobust.sandbox.judge.zygote import Zygote
from pytest_coderobust.sandbox.languages.runners import Runner, open_runner


class Cages:
    """Judges the checks whose language is not Python's.

    Args:
        scratch: this worker's own folder.
        shared: a folder that all workers of a pool use.
    """

    def __init__(self, tier: str, scratch: str, shared: str, alive_fd: int) -> None:
        self._tier = tier
        self._scratch = scratch
        self._shared = Path(shared)
        self._alive_fd = alive_fd
        self._runners: dict[str, Runner] = {}

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        """Judges as `Runner.judge` does; opens a runner where there is none yet."""
        return self._find(check.language).judge(check)

    def build_together(self, checks: Sequence[Check]) -> None:
        """Makes ready checks of one language. Raises what `judge` raises."""
        self._find(checks[0].language).build_together(checks)

    def _find(self, language: Language) -> Runner:
        assert language != "python"
        if language not in self._runners:
            folder = self._shared / language
            self._runners[language] = open_runner(language, self._open, folder)
        return self._runners[language]

    def _open(self, readable: tuple[str, ...], number: int) -> Zygote:
        zygote, _ = open_zygote(
            [self._tier], self._scratch, self._alive_fd, readable=readable, number=number
        )
        return zygote

    def close(self) -> None:
        for runner in self._runners.values():
            runner.close()
