"""One breaking prompt as a report that a stranger can act on: a Markdown file and a JSON file.

Both prompts, what changed, both completions, the failing assert with its values, the model's
fingerprint, the environment, and one line that reproduces it. Minimal prompts that a hunt found
come before the variants of a run that broke the same task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_coderobust.hunting.failure import Failure, ShownPrompt
from pytest_coderobust.records import (
    ModelIdentity,
    Sampling,
    Status,
    digest,
)
from pytest_coderobust.records.codec import encode
from pytest_coderobust.reporting.reproduction import spell_line
from pytest_coderobust.reporting.words import WordChange, find_word_changes
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Finding, JudgedCompletion

SCHEMA = 1
"""Raised when a key of the JSON changes its meaning or goes; new keys do not raise it."""


@dataclass(frozen=True, slots=True)
class BugReport:
    """All facts about one breaking prompt; texts are raw.

    Attributes:
        condition: the cell's label, or the perturbations that a hunt searched.
        minimal: whether taking back any one edit solves the task again, each tried.
        clean, broken: a sample of the clean prompt that passes, one of the other that fails.
        passing, samples: the breaking prompt's samples that pass, and all of them.
        environment: names and versions of Python, the platform and the packages.
    """

    suite: str
    task: str
    condition: str
    minimal: bool
    clean_prompt: str
    prompt: str
    clean: JudgedCompletion | None
    broken: JudgedCompletion | None
    passing: int
    samples: int
    model: ModelIdentity
    sampling: Sampling
    environment: Mapping[str, str]
    reproduce: str

    @property
    def id(self) -> str:
        """The name of the files, safe for file systems and shells."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self.task).strip("-")[:40] or "task"
        return f"{slug}-{digest('bug', self.suite, self.task, self.prompt)[:12]}"

    @property
    def changes(self) -> tuple[WordChange, ...]:
        """The changes, word by word."""
        return find_word_changes(self.clean_prompt, self.prompt)


def make_bug_reports(
    report: SuiteReport, failures: Sequence[Failure], limit: int | None = None
) -> Iterator[BugReport]:
    """Makes the reports of one suite's run.

    Args:
        failures: minimal failures of the suite; those that this model mended, or that another
            model showed, are passed over.
        limit: most variants of the run that get a report; minimal failures always do.
    """
    mine = [
        f for f in failures if f.state == "broken" and f.model.digest == report.run.model.digest
    ]
    for failure in mine:
        yield report_failure(failure, report.origin.environment)
    known = {failure.task_id for failure in mine}
    rest = (
        o for o in report.run.observations if o.status is Status.BROKEN and o.task_id not in known
    )
    for finding in report.archive.findings(islice(rest, limit)):
        yield report_finding(finding, report)


def report_finding(finding: Finding, report: SuiteReport) -> BugReport:
    observation, origin = finding.observation, report.origin
    return BugReport(
        suite=report.run.suite,
        task=observation.task_id,
        condition=observation.cell.label,
        minimal=False,
        clean_prompt=finding.clean_prompt,
        prompt=finding.prompt,
        clean=finding.passing,
        broken=finding.failing,
        passing=observation.c,
        samples=observation.n,
        model=report.run.model,
        sampling=report.run.sampling,
        environment=origin.environment,
        reproduce=spell_line(observation, report),
    )


def report_failure(failure: Failure, environment: Mapping[str, str]) -> BugReport:
    passing = [s for s in _pair_samples(failure.clean) if s.verdict.full]
    failing = [s for s in _pair_samples(failure.broken) if not s.verdict.full]
    member = f"{failure.member}-s{failure.seed}" if failure.member else ""
    return BugReport(
        suite=failure.suite,
        task=failure.task_id,
        condition=f"{failure.perturbation} ({member})" if member else failure.perturbation,
        minimal=failure.minimal,
        clean_prompt=failure.clean.prompt,
        prompt=failure.broken.prompt,
        clean=passing[0] if passing else None,
        broken=failing[0] if failing else None,
        passing=failure.broken.passing,
        samples=len(failure.broken.verdicts),
        model=failure.model,
        sampling=failure.sampling,
        environment=environment,
        reproduce=failure.reproduce,
    )


def make_document(bug: BugReport) -> dict[str, object]:
    """Makes the JSON object; docs/reports.md names its keys."""
    return {
        "schema": SCHEMA,
        "id": bug.id,
        "suite": bug.suite,
        "task": bug.task,
        "condition": bug.condition,
        "minimal": bug.minimal,
        "clean": {"prompt": bug.clean_prompt, "sample": _encode_sample(bug.clean)},
        "broken": {"prompt": bug.prompt, "sample": _encode_sample(bug.broken)},
        "changes": [
            {
                "start": change.start,
                "stop": change.stop,
                "original": bug.clean_prompt[change.start : change.stop],
                "replacement": change.replacement,
            }
            for change in bug.changes
        ],
        "passing": bug.passing,
        "samples": bug.samples,
        "model": {
            "name": bug.model.name,
            "fingerprint": bug.model.digest,
            "facts": dict(bug.model.facts),
        },
        "sampling": encode(bug.sampling),
        "environment": dict(bug.environment),
        "reproduce": bug.reproduce,
    }


def _pair_samples(shown: ShownPrompt) -> list[JudgedCompletion]:
    pairs = enumerate(zip(shown.completions, shown.verdicts, strict=True))
    return [JudgedCompletion(*pair, shown.left_out.get(sample, "")) for sample, pair in pairs]


def _encode_sample(sample: JudgedCompletion | None) -> dict[str, object] | None:
    if sample is None:
        return None
    verdict = sample.verdict
    opened = sample.completion.opened
    return {
        "completion": sample.completion.text,
        **({"opened": opened} if opened else {}),
        **({"left_out": sample.left_out} if sample.left_out else {}),
        "finish": sample.completion.finish,
        "level": verdict.level.value,
        "failure": verdict.failure,
        "passed": verdict.passed,
        "total": verdict.total,
        "detail": verdict.detail,
    }
