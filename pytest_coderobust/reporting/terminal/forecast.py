"""The plan of a run in a few lines: what it would ask, and what that would cost."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.engine.forecast import Forecast
from pytest_coderobust.reporting.figures import format_money, format_tokens
from pytest_coderobust.reporting.hostile import escape

LINE = 200


def describe_forecast(found: Forecast) -> Iterator[str]:
    """Describes one suite's forecast, a line each for requests, tokens, money and time."""
    place = f" ({escape(found.place, LINE)})" if found.place else ""
    yield f"{escape(found.suite, LINE)} on {escape(found.model, LINE)}{place}"
    yield f"  to ask      {_describe_rows(found)}"
    about = "" if found.counted else "about "
    how = "counted with its tokenizer" if found.counted else "by their bytes, without a tokenizer"
    yield f"  tokens in   {about}{format_tokens(found.input)} ({how})"
    mean = f"mean {found.mean:.0f}, from {found.earlier:,} earlier answers"
    if not found.earlier:
        mean = f"{found.mean:.0f} each, guessed: no earlier answers"
    yield (
        f"  tokens out  {'' if found.earlier else 'about '}{format_tokens(found.output)} expected "
        f"({mean}), {format_tokens(found.most_output)} at most"
    )
    if found.watching.expected.requests:
        yield f"  canary      {_describe_watching(found)}"
    yield f"  cost        {_describe_cost(found)}"
    if found.seconds is not None and found.rate:
        time = _format_time(found.seconds)
        yield f"  time        about {time} at {found.rate:.3g} answers/s, as before"


def _describe_rows(found: Forecast) -> str:
    total = found.asked + found.stored
    watching = found.watching.expected.requests
    more = f", + {watching:,} canary" if watching else ""
    if not found.known:
        told = "(--coderobust-plan=probe searches the ledger)"
        return f"{found.asked:,} requests at most {told}{more}"
    return f"{found.asked:,} requests of {total:,} ({found.stored:,} are in the ledger){more}"


def _describe_watching(found: Forecast) -> str:
    """Describes what the handshake, the canaries and the checks of long prompts take."""
    usage = found.watching.expected
    money = "" if found.watching_cost is None else f", {format_money(found.watching_cost)}"
    return (
        f"about {format_tokens(usage.input)} tokens in, {format_tokens(usage.output)} out{money}: "
        "handshake, canaries, checks of long prompts"
    )


def _describe_cost(found: Forecast) -> str:
    if found.cost is None or found.most_cost is None or found.tariff is None:
        return "not known: the model has no price"
    price = f"{found.tariff.input:g} in, {found.tariff.output:g} out per million tokens"
    return f"{format_money(found.cost)} expected, {format_money(found.most_cost)} at most ({price})"


def _format_time(seconds: float) -> str:
    """Formats a time: seconds, minutes, or hours with minutes."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
