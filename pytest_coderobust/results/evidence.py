"""The evidence of observations: prompts, completions and verdicts, read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_coderobust.ledger import Evidence, Ledger
from pytest_coderobust.records import Cell, Completion, Observation, Verdict

CHUNK = 400
"""Observations that are read together."""

NOTHING = Evidence("", (), ())
"""Evidence of a square that was not observed."""


@dataclass(frozen=True, slots=True)
class JudgedCompletion:
    """One completion with its verdict.

    Attributes:
        left_out: what of its program the solution was judged without; only of one that fails.
    """

    completion: Completion
    verdict: Verdict
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """An observation with its evidence; its texts are raw, and must be escaped before showing.

    Attributes:
        clean_prompt, prompt: equal for a clean observation; "" where nothing was asked.
        clean, samples: by sample index, of the clean prompt and of `prompt`.
    """

    observation: Observation
    clean_prompt: str
    prompt: str
    clean: tuple[JudgedCompletion, ...]
    samples: tuple[JudgedCompletion, ...]

    @property
    def failing(self) -> JudgedCompletion | None:
        """The first sample that fails."""
        return next((sample for sample in self.samples if not sample.verdict.full), None)

    @property
    def passing(self) -> JudgedCompletion | None:
        """The first sample of the clean prompt that passes."""
        return next((sample for sample in self.clean if sample.verdict.full), None)


class Archive:
    """The evidence of one run.

    Args:
        run: the key of the observations in the ledger.
    """

    def __init__(self, ledger: Ledger, run: str) -> None:
        self._ledger = ledger
        self.run = run

    def findings(self, observations: Iterable[Observation]) -> Iterator[Finding]:
        """Reads the observations' evidence, in the order given."""
        rest = iter(observations)
        while chunk := list(islice(rest, CHUNK)):
            yield from self._read(chunk)

    def _read(self, chunk: Sequence[Observation]) -> Iterator[Finding]:
        squares = dict.fromkeys((o.task_id, cell) for o in chunk for cell in (o.cell, Cell()))
        asked = self._ledger.squares.read_evidence(self.run, squares)
        completions = self._ledger.completions(
            key for found in asked.values() for key in found.completions
        )
        verdicts = self._ledger.verdicts(key for found in asked.values() for key in found.verdicts)

        def samples(found: Evidence) -> tuple[JudgedCompletion, ...]:
            pairs = enumerate(zip(found.completions, found.verdicts, strict=True))
            return tuple(
                JudgedCompletion(
                    completions[written], verdicts[judged], found.left_out.get(sample, "")
                )
                for sample, (written, judged) in pairs
                if written in completions and judged in verdicts
            )

        for observation in chunk:
            clean = asked.get((observation.task_id, Cell()), NOTHING)
            found = asked.get((observation.task_id, observation.cell), NOTHING)
            yield Finding(observation, clean.prompt, found.prompt, samples(clean), samples(found))
