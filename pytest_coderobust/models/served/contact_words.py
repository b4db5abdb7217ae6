"""Words about contacts: the identity of a served model in sentences."""

from __future__ import annotations

import time

from pytest_coderobust.models.backend import IdentityTier
from pytest_coderobust.models.served.canary_reference import CanaryDifference, References
from pytest_coderobust.models.served.identity_verification import Verification

_SHOWN = 70
"""Characters of an answer that a message shows, from a little before the place of parting."""

_BEFORE = 20


def describe_canaries(references: References, verification: Verification | None) -> str:
    """Describes what watches over a model."""
    # The first prompts of suites join later; a line that counted them would change by itself.
    lasting = [each for each in references.known.values() if not each.canary.of_suite]
    count = sum(each.answer is not None for each in lasting)
    left_out = len(lasting) - count
    parts = [f"{count} prompts and the suite's first"]
    if not any(each.answer is not None and each.answer.text for each in references.answered):
        parts.append("answered without any text, so that nothing watches over it")
    elif not references.has_logprobs:
        parts.append("text only")
    else:
        parts.append(f"log-probabilities within {references.tolerance:.2g}")
    if left_out:
        parts.append(f"{left_out} too long for its window")
    if references.weak:
        parts.append("the server disagrees with itself")
    if verification is not None and not verification.verified:
        parts.append(f"up to {verification.moved:.2g} from the stated weights")
    return "; ".join(parts)


def describe_difference(
    label: str, address: str, found: CanaryDifference, seen: float | None
) -> str:
    """Describes a model that is no longer the one that was met, and the three ways out."""
    if found.replicas:
        who = "several models answer in turn"
    elif seen is None:
        who = "another model answers than at the entry's first server"
    else:
        who = "another model answers than before"
    when = f"; it was last the same at {_format_time(seen)}" if seen is not None else ""
    return (
        f"model {label!r}: {who} at {address}: canary {found.canary.name!r} {_compare(found)}{when}"
        ". Point --model at the server that was meant; or state the `weights` of that one in "
        "[tool.coderobust.models.NAME]; or take it for a new model, whose answers are kept apart "
        "from the old ones, with --coderobust-new-generation"
    )


def explain_demand(label: str, tier: IdentityTier, why: str) -> str:
    """Explains why a demand on an identity is not met, and what helps."""
    ways = {
        "stated": "state what the server has loaded: weights = 'FOLDER', 'FILE.gguf', "
        "'sha256:...' or 'hf:ORG/NAME@COMMIT' in [tool.coderobust.models.NAME]",
        "verified": "it takes weights = 'FOLDER' with the checkpoint, and a server in float32 that "
        "gives log-probabilities; or demand 'stated'",
        "observed": "",
    }
    return f"--coderobust-demand-identity={tier}: model {label!r}: {why}; {ways[tier]}"


def _compare(found: CanaryDifference) -> str:
    if found.before == found.now or found.before.startswith(found.now):
        return f"is answered {_excerpt(found.now, 0)} as before, but {found.match.reason}"
    place = _parting(found.before, found.now)
    return (
        f"was answered {_excerpt(found.before, place)} and is answered "
        f"{_excerpt(found.now, place)} now ({found.match.reason})"
    )


def _excerpt(text: str, place: int) -> str:
    start = max(0, place - _BEFORE)
    shown = text[start : start + _SHOWN]
    return f"{'...' if start else ''}{shown!r}{'...' if start + _SHOWN < len(text) else ''}"


def _parting(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _format_time(seen: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seen))
