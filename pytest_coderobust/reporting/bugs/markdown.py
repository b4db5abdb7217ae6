"""A bug report in Markdown, fit to be pasted into a tracker."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.reporting.bugs.report import BugReport
from pytest_coderobust.reporting.figures import sampling_line
from pytest_coderobust.reporting.hostile import visible
from pytest_coderobust.reporting.markdown.gfm import code, fenced, table
from pytest_coderobust.reporting.prompt_diff import diff_prompts
from pytest_coderobust.results.evidence import JudgedCompletion

CHANGES = 40
"""Changes told one by one; the JSON file has them all."""


def render(bug: BugReport) -> str:
    """The report as GitHub Flavored Markdown."""
    return "\n\n".join(blocks(bug)) + "\n"


def blocks(bug: BugReport) -> Iterator[str]:
    """The report, a block at a time."""
    kind = "a minimal change" if bug.minimal else "a change"
    yield f"# {code(bug.task)} breaks under {code(bug.condition)}"
    yield (
        f"The model solves the clean prompt of {code(bug.task)} ({code(bug.suite)}) and fails it "
        f"after {kind} of wording: {bug.passing} of {bug.samples} samples pass."
    )
    yield "## Reproduce"
    yield fenced(bug.reproduce, "console")
    yield "## What changed"
    rows = [
        (code(bug.clean_prompt[c.start : c.stop], 80), code(c.replacement, 80))
        for c in bug.changes[:CHANGES]
    ]
    yield table(("clean", "perturbed"), rows, left=2)
    if len(bug.changes) > CHANGES:
        yield f"{len(bug.changes) - CHANGES} more changes are in the JSON file."
    names = ("clean", "perturbed")
    diff = diff_prompts(bug.clean_prompt, bug.prompt, names, context=None)
    yield fenced("\n".join(diff), "diff")
    yield "## What the model wrote"
    yield from sample_blocks("The clean prompt", bug.clean_prompt, bug.clean)
    yield from sample_blocks("The perturbed prompt", bug.prompt, bug.broken)
    yield "## Where"
    named = [
        ("model", bug.model.name),
        ("fingerprint", bug.model.digest),
        *bug.model.facts.items(),
        ("drawn", sampling_line(bug.sampling)),
        ("sampling seed", str(bug.sampling.seed)),
        *bug.environment.items(),
    ]
    yield table(("fact", "value"), [(code(name), code(value)) for name, value in named], left=2)


def sample_blocks(title: str, prompt: str, sample: JudgedCompletion | None) -> Iterator[str]:
    """One prompt, its completion and what became of it."""
    yield f"### {title}"
    yield fenced(prompt, "python")
    if sample is None:
        yield "No completion of it is kept."
        return
    yield "Completion:"
    yield fenced(sample.completion.text, "python")
    verdict = sample.verdict
    counted = f"{verdict.passed} of {verdict.total} tests pass"
    if verdict.full:
        yield f"{counted}."
        return
    cut = ", cut by the token limit" if sample.completion.truncated else ""
    yield f"{verdict.failure}{cut}, {counted}:"
    yield fenced(visible(verdict.detail) or "(no detail)")
