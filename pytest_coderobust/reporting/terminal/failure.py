"""The evidence of a broken prompt: its change, the completion, the failing test."""

from __future__ import annotations

from pytest_coderobust.engine.observations import Answered, Measured, list_left_out
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.prompt_diff import diff_prompts


def explain(measured: Measured, reproduce: str) -> str:
    """Explains it in plain text: prompt diff, first failing completion, verdict, command."""
    clean, perturbed = measured.clean, measured.perturbed
    assert clean is not None
    assert perturbed is not None
    observation = measured.observation
    title = (
        f"{observation.task_id} is solved clean ({clean.c} of {clean.n}) and broken under "
        f"{observation.cell.label} ({perturbed.c} of {perturbed.n})"
    )
    diff = diff_prompts(
        clean.variant.prompt,
        perturbed.variant.prompt,
        ("clean prompt", observation.cell.label),
    )
    lines = [
        title,
        "",
        *diff,
        "",
        *_show_completion(perturbed),
        "",
        f"reproduce: {reproduce}",
    ]
    return "\n".join(lines)


def _show_completion(answered: Answered) -> list[str]:
    """Shows the first completion that fails, with its verdict."""
    pairs = zip(answered.completions, answered.verdicts, strict=True)
    for sample, ((_, completion), (_, verdict)) in enumerate(pairs):
        if verdict.full:
            continue
        cut = ", cut by the token limit" if completion.truncated else ""
        detail = f": {escape(verdict.detail)}" if verdict.detail else ""
        return [
            f"completion {sample}{cut}:",
            *(f"    {escape(line)}" for line in completion.text.splitlines()),
            *_show_left_out(answered, sample),
            f"{verdict.failure}, {verdict.passed} of {verdict.total} tests pass{detail}",
        ]
    return []


def _show_left_out(answered: Answered, sample: int) -> list[str]:
    """Shows what of the completion's program was not judged, so that a wrong cut can be seen."""
    lines = [line for piece in list_left_out(answered, sample) for line in piece.splitlines()]
    if not lines:
        return []
    return ["left out of the solution:", *(f"    {escape(line)}" for line in lines if line.strip())]
