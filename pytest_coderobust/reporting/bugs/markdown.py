"""A bug report in Markdown, fit to be pasted into a tracker."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.reporting.bugs.report import BugReport
from pytest_coderobust.reporting.figures import describe_sampling
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table, make_fence
from pytest_coderobust.reporting.prompt_diff import diff_prompts
from pytest_coderobust.results.evidence import JudgedCompletion

CHANGES = 40
"""Changes shown one by one; the JSON file has them all."""


def render(bug: BugReport) -> str:
    return "\n\n".join(render_blocks(bug)) + "\n"


def render_blocks(bug: BugReport) -> Iterator[str]:
    """Renders the report, a block at a time."""
    kind = "a minimal change" if bug.minimal else "a change"
    yield f"# {format_code(bug.task)} breaks under {format_code(bug.condition)}"
    yield (
        f"The model solves the clean prompt of {format_code(bug.task)} ({format_code(bug.suite)}) "
        f"and fails it after {kind} of wording: {bug.passing} of {bug.samples} samples pass."
    )
    yield "## Reproduce"
    yield make_fence(bug.reproduce, "console")
    yield "## What changed"
    rows = [
        (format_code(bug.clean_prompt[c.start : c.stop], 80), format_code(c.replacement, 80))
        for c in bug.changes[:CHANGES]
    ]
    yield format_table(("clean", "perturbed"), rows, left=2)
    if len(bug.changes) > CHANGES:
        yield f"{len(bug.changes) - CHANGES} more changes are in the JSON file."
    names = ("clean", "perturbed")
    diff = diff_prompts(bug.clean_prompt, bug.prompt, names, context=None)
    yield make_fence("\n".join(diff), "diff")
    yield "## What the model wrote"
    yield from render_sample("The clean prompt", bug.clean_prompt, bug.clean)
    yield from render_sample("The perturbed prompt", bug.prompt, bug.broken)
    yield "## Where"
    named = [
        ("model", bug.model.name),
        ("fingerprint", bug.model.digest),
        *bug.model.facts.items(),
        ("drawn", describe_sampling(bug.sampling)),
        ("sampling seed", str(bug.sampling.seed)),
        *bug.environment.items(),
    ]
    yield format_table(
        ("fact", "value"),
        [(format_code(name), format_code(value)) for name, value in named],
        left=2,
    )


def render_sample(title: str, prompt: str, sample: JudgedCompletion | None) -> Iterator[str]:
    """Renders one prompt, its completion and the verdict."""
    yield f"### {title}"
    yield make_fence(prompt, "python")
    if sample is None:
        yield "No completion of it is kept."
        return
    yield "Completion:"
    yield make_fence(sample.completion.text, "python")
    if sample.left_out:
        yield "Left out of the solution that was judged:"
        yield make_fence(sample.left_out, "python")
    verdict = sample.verdict
    counted = f"{verdict.passed} of {verdict.total} tests pass"
    if verdict.full:
        yield f"{counted}."
        return
    cut = ", cut by the token limit" if sample.completion.truncated else ""
    yield f"{verdict.failure}{cut}, {counted}:"
    yield make_fence(escape(verdict.detail) or "(no detail)")
