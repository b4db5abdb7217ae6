"""A clean prompt beside its perturbed one, as a unified diff."""

from __future__ import annotations

from difflib import unified_diff

from pytest_coderobust.reporting.hostile import escape


def diff_prompts(
    clean: str, perturbed: str, names: tuple[str, str], context: int | None = 1
) -> list[str]:
    """Makes the lines of a unified diff, each escaped.

    Args:
        names: shown for the clean and the perturbed prompt.
        context: equal lines around each change; None shows both prompts whole.
    """
    old, new = clean.splitlines(), perturbed.splitlines()
    around = max(len(old), 3) if context is None else context
    return list(map(escape, unified_diff(old, new, *names, lineterm="", n=around)))
