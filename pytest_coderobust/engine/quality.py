"""The quality of a run's solutions: read from the ledger, judged by a linter, kept there."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coderobust_strategies.catalogue import CODE_PREFIX
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.linters.batches import lint_all
from pytest_coderobust.linters.linter import Linter
from pytest_coderobust.metrics.quality_numbers import SolutionQuality
from pytest_coderobust.metrics.quality_taxonomy import SURROUNDINGS
from pytest_coderobust.models.extraction.blocks import quiet_parser
from pytest_coderobust.models.extraction.solution import UNFINISHED, extract, extract_program
from pytest_coderobust.records import Cell, Completion, Observation, Task, digest
from pytest_coderobust.records.lint import LintedSource


@dataclass(frozen=True, slots=True)
class WrittenSolution:
    """A solution with the verdict on it.

    Attributes:
        source: the program as a linter gets it.
        given: leading lines of it that are the prompt's.
        passed: it passes every test.
    """

    task_id: str
    cell: Cell
    source: str
    given: int
    passed: bool


def judge_quality(
    solutions: Sequence[WrittenSolution], linter: Linter, ledger: Ledger, *, paper: bool
) -> list[SolutionQuality]:
    """Judges solutions, in order; equal sources are judged once, and never again.

    Args:
        paper: every line counts and every message.

    Raises:
        UsageError: the linter is not installed.
        SandboxError: it does not work here.
    """
    lint = ("lint", linter.find_version(), *linter.options)
    sources = {each.source: digest(*lint, each.source) for each in solutions}
    known = ledger.lints.read(sources.values())
    waiting = {f"s{key}": source for source, key in sources.items() if key not in known}
    for batch in lint_all(linter, waiting):
        found = {name[1:]: each for name, each in batch.items()}
        ledger.lints.add(found)
        known |= found
    return [_count(each, known[sources[each.source]], paper) for each in solutions]


def list_solutions(
    plan: Plan, ledger: Ledger, run: str, observations: Iterable[Observation]
) -> Iterator[WrittenSolution | None]:
    """Lists the solutions behind observations; None for one that a linter cannot read.

    That is one in another language, one that a server refused, or a thought that never ends.

    Args:
        run: the key of the observations in the ledger.
    """
    for observation in observations:
        if not observation.measured or observation.self_edited:
            continue
        evidence = ledger.evidence(run, observation.task_id, observation.cell)
        if evidence is None:
            continue
        task = _find_judging_task(plan, plan.tasks[observation.task_id], observation.cell)
        completions = ledger.completions(evidence.completions)
        verdicts = ledger.verdicts(evidence.verdicts)
        for asked, judged in zip(evidence.completions, evidence.verdicts, strict=True):
            if asked in completions and judged in verdicts:
                passed = verdicts[judged].full
                yield _write(plan, task, observation.cell, completions[asked], passed)


def make_solution(task: Task, cell: Cell, source: str, *, passed: bool) -> WrittenSolution:
    """Makes the solution of a program; its end is one line end, as cutting decides that."""
    source = f"{source.rstrip()}\n"
    return WrittenSolution(task.id, cell, source, count_given(source, task.prompt), passed)


def count_given(source: str, prompt: str) -> int:
    """Counts the leading lines of a source that are the prompt's, word for word.

    An answer that continues the prompt has it all in front; one that repeats the function has the
    lines that it repeats.
    """
    count = 0
    given = prompt.split("\n")[:-1] if prompt.endswith("\n") else prompt.split("\n")
    for own, theirs in zip(source.split("\n"), given, strict=False):
        if own != theirs:
            break
        count += 1
    return count


def _find_judging_task(plan: Plan, task: Task, cell: Cell) -> Task:
    """The task whose prompt is in front of a solution: another one where code is perturbed."""
    if cell.perturbation.startswith(CODE_PREFIX) or cell in plan.recorded:
        return make_variant(plan, task, cell).task
    return task


def _write(
    plan: Plan, task: Task, cell: Cell, completion: Completion, passed: bool
) -> WrittenSolution | None:
    if task.language != "python" or completion.refused:
        return None
    config = plan.config
    text = completion.text if config.extraction == "raw" else completion.answer
    read = extract_program if completion.whole else extract
    source = read(text, task, config.extraction, config.reading)
    if source == UNFINISHED:
        return None
    return make_solution(task, cell, source, passed=passed)


def _count(solution: WrittenSolution, found: LintedSource, paper: bool) -> SolutionQuality:
    """Reduces a judged solution to the lines and messages that count."""
    given = 0 if paper else solution.given
    lines = solution.source.split("\n")[given:]
    return SolutionQuality(
        task_id=solution.task_id,
        cell=solution.cell,
        passed=solution.passed,
        trouble=found.trouble,
        lines=sum(bool(line.strip()) for line in lines),
        statements=0 if found.trouble else count_statements(solution.source, given),
        remarks=tuple(
            remark
            for remark in found.remarks
            if remark.line > given and (paper or remark.code not in SURROUNDINGS)
        ),
    )


def count_statements(source: str, given: int = 0) -> int:
    """Counts the statements that begin below the given lines; 0 where nothing can be parsed."""
    try:
        with quiet_parser():
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return 0
    return sum(isinstance(node, ast.stmt) and node.lineno > given for node in ast.walk(tree))
