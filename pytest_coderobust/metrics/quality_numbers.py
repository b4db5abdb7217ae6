"""Numbers about the quality of solutions: of one solution, of a group, of a condition, of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.records import Cell
from pytest_coderobust.records.lint import LintRemark, LintTrouble


@dataclass(frozen=True, slots=True)
class SolutionQuality:
    """One solution as a linter judged it, reduced to the part that is counted.

    Attributes:
        passed: it passes every test.
        lines: lines that are not blank, of the counted part.
        statements: of the counted part, by Python's own grammar.
        remarks: those on counted lines.
    """

    task_id: str
    cell: Cell
    passed: bool
    trouble: LintTrouble
    lines: int
    statements: int
    remarks: tuple[LintRemark, ...]


@dataclass(frozen=True, slots=True)
class QualityFigure:
    """A number, with the interval of redrawn tasks; None of a single task, which has none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class CodeCount:
    """A code, its name where it has one, and how often it was given."""

    code: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class QualityGroup:
    """The numbers of some solutions.

    Attributes:
        rates: messages per 100 lines by category; None where there are no lines.
        tiers: the same by tier.
        score: mean of the files' scores, 0 to 10; None without a statement, or of a linter that
            has no score.
        median_score: their median.
        top: the codes given most often.
    """

    solutions: int
    lines: int
    rates: Mapping[str, QualityFigure | None]
    tiers: Mapping[str, float]
    score: QualityFigure | None
    median_score: float | None
    top: tuple[CodeCount, ...]


@dataclass(frozen=True, slots=True)
class QualityChange:
    """One measure on tasks solved in both conditions: the means of tasks, and their difference."""

    measure: str
    clean: float
    perturbed: float
    change: QualityFigure


@dataclass(frozen=True, slots=True)
class QualityPair:
    """Solutions that pass under both conditions, task by task."""

    tasks: int
    changes: tuple[QualityChange, ...]


@dataclass(frozen=True, slots=True)
class ConditionQuality:
    """The quality of one condition's solutions.

    Attributes:
        judged: all solutions, those with a syntax error too.
        syntax: those with a syntax error.
        unjudged: solutions that the linter gave up on; in no number.
        parsing, passing: solutions that parse, and those of them that pass every test.
        paired: against the clean condition; None of that one.
    """

    name: str
    kind: str
    members: tuple[str, ...]
    judged: int
    syntax: int
    unjudged: int
    syntax_share: Estimate | None
    parsing: QualityGroup
    passing: QualityGroup
    paired: QualityPair | None


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """The quality of a run's solutions.

    Attributes:
        tool: "pylint" or "ruff".
        version: of the program, and what else its messages depend on.
        paper: every line and the program's defaults count, as in Liu et al. 2026.
        left_out: solutions in other languages, or without a program.
    """

    tool: str
    version: str
    paper: bool
    conditions: tuple[ConditionQuality, ...]
    left_out: int = 0
