"""Judged variants, and the observation that a variant and its clean prompt make."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.engine.completions import Keyed
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.adoption import classify_adoption, is_stale
from pytest_coderobust.metrics.outcome import decide_status
from pytest_coderobust.metrics.stages import find_stage
from pytest_coderobust.models.extraction.solution import read_solution
from pytest_coderobust.records import Adoption, AnswerReading, Observation, Variant, Verdict


@dataclass(frozen=True, slots=True)
class Answered:
    """A variant with its completions and their verdicts, in sample order.

    Attributes:
        unfinished: completions that are a thought that never ends.
        reading: how solutions were read from the completions; None where they were judged raw.
    """

    variant: Variant
    completions: tuple[Keyed, ...]
    verdicts: tuple[tuple[str, Verdict], ...]
    unfinished: int = 0
    reading: AnswerReading | None = None

    @property
    def n(self) -> int:
        return len(self.verdicts)

    @property
    def c(self) -> int:
        """Samples that pass every test."""
        return sum(verdict.full for _, verdict in self.verdicts)

    @property
    def adoptions(self) -> tuple[Adoption, ...]:
        """The adoption of each sample; empty if the task declares no API change."""
        if not self.variant.task.api_changes:
            return ()
        return tuple(classify_adoption(verdict) for _, verdict in self.verdicts)

    @property
    def stale(self) -> int:
        """Samples that neither pass nor use a new API, and reached for an old one."""
        return sum(is_stale(verdict) for _, verdict in self.verdicts)

    @property
    def stages(self) -> tuple[int, ...]:
        """The stage that each sample came to; empty if the task declares no API change."""
        if not self.variant.task.api_changes:
            return ()
        return tuple(int(find_stage(verdict)) for _, verdict in self.verdicts)

    @property
    def in_process(self) -> bool:
        """Whether a solution was judged in its own process."""
        return any(verdict.in_process for _, verdict in self.verdicts)

    @property
    def refused(self) -> int:
        """Samples that the model's server would not give."""
        return sum(completion.refused for _, completion in self.completions)

    @property
    def truncated(self) -> int:
        return sum(completion.truncated for _, completion in self.completions)

    @property
    def thought_tokens(self) -> int:
        return sum(completion.thought_tokens for _, completion in self.completions)


def list_left_out(answered: Answered, sample: int) -> tuple[str, ...]:
    """Lists the statements of a completion's program that its solution was judged without."""
    if answered.reading is None:
        return ()
    _, completion = answered.completions[sample]
    if completion.refused:
        return ()
    task = answered.variant.task
    text = completion.text.removeprefix(task.prompt) if completion.whole else completion.answer
    return read_solution(text, task, answered.reading).dropped


def join_left_out(answered: Answered) -> dict[int, str]:
    """Joins what solutions that fail were judged without, by sample, where there is any."""
    found = {
        sample: "".join(list_left_out(answered, sample))
        for sample, (_, verdict) in enumerate(answered.verdicts)
        if not verdict.full
    }
    return {sample: text for sample, text in found.items() if text.strip()}


@dataclass(frozen=True, slots=True)
class Measured:
    """An observation with the answers it was computed from; None where nothing was asked."""

    observation: Observation
    clean: Answered | None = None
    perturbed: Answered | None = None


def make_observation(
    clean: Answered, seen: Answered, solved_at: float, *, checked: bool
) -> Observation:
    """Makes the observation of a variant from its samples and those of the clean prompt.

    Args:
        checked: the task has a canonical solution, and it passes.
    """
    cell = seen.variant.cell
    return Observation(
        seen.variant.task.id,
        cell,
        decide_status(cell, (clean.n, clean.c), (seen.n, seen.c), solved_at),
        n=seen.n,
        c=seen.c,
        clean_n=clean.n,
        clean_c=clean.c,
        truncated=seen.truncated,
        checked=checked,
        member=seen.variant.member,
        adoptions=seen.adoptions,
        in_process=seen.in_process,
        unfinished=seen.unfinished,
        refused=seen.refused,
        thought_tokens=seen.thought_tokens,
        stale=seen.stale,
        stages=seen.stages,
    )


def store_measured(measured: Measured, ledger: Ledger, run: str) -> None:
    """Stores an observation of a run with the prompt it is about and the keys behind it."""
    seen = measured.perturbed or measured.clean
    ledger.observe(
        run,
        measured.observation,
        prompt=seen.variant.prompt if seen else "",
        completions=[key for key, _ in seen.completions] if seen else (),
        verdicts=[key for key, _ in seen.verdicts] if seen else (),
        left_out=join_left_out(seen) if seen else {},
    )
