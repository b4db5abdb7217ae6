"""Numbers and facts as every report for people writes them."""

from __future__ import annotations

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import Bill, Sampling, SuiteRun
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.result import GateOutcome

TIMES = "\u00d7"
"""Between tasks and variants."""

NONE = "\u2013"
"""Undefined, or not measured."""

DASH = "\u2013"
"""Between the ends of an interval."""


def format_number(value: float, digits: int) -> str:
    """Formats a number to this many digits; one that rounds to zero has no sign."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def format_estimate(found: Estimate | None, none: str = NONE, dash: str = DASH) -> str:
    """Formats an estimate: 0.212 (0.16-0.28).

    Args:
        none: shown for an undefined estimate.
        dash: shown between the ends of the interval.
    """
    if found is None:
        return none
    low, high = format_number(found.low, 2), format_number(found.high, 2)
    return f"{format_number(found.value, 3)} ({low}{dash}{high})"


def describe_sampling(sampling: Sampling) -> str:
    """Describes the sampling of completions."""
    drawn = "greedy" if sampling.greedy else f"T={sampling.temperature:g} top_p={sampling.top_p:g}"
    return f"n={sampling.n}, {drawn}, at most {sampling.max_new_tokens} tokens"


def describe_plan(run: SuiteRun, summary: Summary, times: str = TIMES) -> str:
    """Describes the plan: tasks, variants of each, and the sandbox."""
    variants = len(run.cells) - 1
    cells = f" {times} (clean + {variants} variants)" if variants > 0 else ", clean only"
    tier = f", sandbox {escape(run.tier, 40)}" if run.tier else ""
    return f"{summary.tasks} tasks{cells}{tier}"


def describe_bill(bill: Bill) -> str:
    """Describes what was asked of a served model, and what it cost."""
    usage = bill.usage
    again = f" ({usage.retries:,} again)" if usage.retries else ""
    cached = f" ({format_tokens(usage.cached)} cached)" if usage.cached else ""
    thought = f" ({format_tokens(usage.reasoning)} of thought)" if usage.reasoning else ""
    watching = bill.watching.requests
    known = f", {watching:,} of them canary" if watching else ""
    parts = [
        f"{usage.requests:,} requests{again}{known}",
        f"{format_tokens(usage.input)} tokens in{cached}",
        f"{format_tokens(usage.output)} out{thought}",
    ]
    if usage.estimated:
        parts.append(f"{usage.estimated:,} of them estimated")
    if bill.cost is not None:
        most = format_money(bill.most_cost or 0.0)
        told = format_money(bill.cost)
        more = f" ({most} at most, with what was sent again)" if most != told else ""
        parts.append(f"cost {told}{more}")
    if bill.sessions > 1:
        parts.append(f"in {bill.sessions} sessions")
    return ", ".join(parts)


def format_tokens(tokens: float) -> str:
    """Formats a number of tokens as people say it: 812, 9.8 k, 1.48 M."""
    if tokens >= 1e6:
        return f"{tokens / 1e6:.2f} M"
    return f"{tokens / 1e3:.1f} k" if tokens >= 1e4 else f"{tokens:.0f}"


def format_money(cost: float) -> str:
    """Formats a sum of money: two digits behind the point, or enough to see the first."""
    return f"{cost:.2f} usd" if cost >= 0.1 or cost == 0 else f"{cost:.2g} usd"


def describe_refused(summary: Summary) -> str:
    """Describes the answers that a server would not give; "" where it gave all."""
    if not summary.refused:
        return ""
    return (
        f"refused by the server: {summary.refused} of {summary.completions} completions, "
        "which count as unsolved"
    )


def describe_refusals(run: SuiteRun) -> tuple[str, str]:
    """Describes why a server refused rows: the most frequent reason in its words, and its count.

    The words are foreign text. Both are "" where it told none.
    """
    if not run.refusals:
        return "", ""
    first = run.refusals[0]
    others = len(run.refusals) - 1
    more = f", and {others} other reason{'s' if others > 1 else ''}" if others else ""
    return first.told, f"{first.rows} of them{more}"


def explain_gate(found: GateOutcome) -> str:
    """Explains a decision by the measured value and the reason, as one phrase of foreign text."""
    value = "" if found.value is None else f"measured {found.value:.4g}"
    # The reason of an inconclusive gate names the interval already.
    if value and found.interval is not None and found.outcome != "inconclusive":
        value += f", {found.interval.low:.3f} to {found.interval.high:.3f}"
    return "; ".join(part for part in (value, found.reason) if part)


def pick_conditions(summary: Summary) -> list[ConditionSummary]:
    """Picks the conditions for a table: none that pools the same variants as an earlier one."""
    rows: dict[tuple[str, ...], ConditionSummary] = {}
    for condition in summary.conditions:
        rows.setdefault(condition.members, condition)
    return list(rows.values())


def explain_no_rd(run: SuiteRun, summary: Summary) -> str:
    """Explains that RD says nothing where no clean prompt is solved; "" where one is."""
    conditions = pick_conditions(summary)
    clean = [each.scores[max(run.ks)].pass_at_k for each in conditions if each.kind == "clean"]
    if len(conditions) < 2 or not clean or clean[0] is None or clean[0].value:
        return ""
    return "no clean prompt is solved: RD says nothing, because there is nothing to lose"
