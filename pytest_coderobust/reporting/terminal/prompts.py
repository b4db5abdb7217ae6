"""A clean prompt beside its perturbed one, as lines."""

from __future__ import annotations

from difflib import unified_diff

from pytest_coderobust.reporting.hostile import visible
from pytest_coderobust.results.evidence import Finding


def prompt_diff(finding: Finding, context: int = 1) -> str:
    """A unified diff whose lines are fit to show."""
    lines = unified_diff(
        finding.clean_prompt.splitlines(),
        finding.prompt.splitlines(),
        "clean prompt",
        finding.observation.cell.label,
        lineterm="",
        n=context,
    )
    return "\n".join(map(visible, lines))
