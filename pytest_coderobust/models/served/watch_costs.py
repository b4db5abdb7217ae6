"""Costs of watching over a served model: the bound of a look, and the forecast of a run's requests.

The forecast follows the code that asks: the handshake (`shake_hands`), first contact and the looks
(`ServedContact`), and the checks of long prompts (`LengthCheck`). Tests hold it against what a
server is really asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from pytest_coderobust.models.metering import FRAME, WatchForecast, WatchPlan
from pytest_coderobust.models.served.answers import estimate_tokens
from pytest_coderobust.models.served.canary import SHORT_TOKENS, TOKENS, Canary, list_wanted
from pytest_coderobust.models.served.canary_reference import FIRST_ASKS, REPLICAS
from pytest_coderobust.models.served.handshake_probes import OPEN_PROMPT, SEED_PROMPT
from pytest_coderobust.models.served.handshake_seeds import SEED_TOKENS, SEEDS_TRIED
from pytest_coderobust.models.served.handshake_terms import PROBE_TOKENS
from pytest_coderobust.models.served.length_check import count_check, is_longer, times
from pytest_coderobust.records import Usage

BoundCanary = Callable[[Canary, int], Usage]
"""Bounds what a canary costs that is asked for some tokens."""


@dataclass(frozen=True, slots=True)
class PromptSize:
    """The size of a prompt as it is sent; `tokens` is None where there is no tokenizer."""

    characters: int
    bytes: int
    tokens: int | None


SizePrompt = Callable[[str, str], PromptSize]
"""Finds the size of a prompt in a language, its template included."""


@dataclass(frozen=True, slots=True)
class WatchShape:
    """The way in which a model is watched.

    Attributes:
        canaries: the lasting ones.
        known: those whose references the ledger has; None before first contact.
        servers: the number of its servers.
        tokenized: its tokenizer is known.
    """

    canaries: Sequence[Canary]
    known: Collection[Canary] | None
    servers: int
    chat: bool
    tokenized: bool


def bound_look_at(
    wanted: Sequence[Canary], bound: BoundCanary, servers: int, *, searched: bool
) -> Usage:
    """Bounds what one look costs: each canary again and in doubt three times more.

    A canary that is new is met by three requests, which is less.

    Args:
        searched: replicas were looked for in this session.
    """
    found = [times(bound(each, TOKENS), 1 + FIRST_ASKS) for each in wanted]
    if not searched:
        short = [bound(each, SHORT_TOKENS) for each in wanted]
        found += [times(max(short, key=lambda each: each.input), REPLICAS)] if short else []
    return times(_sum(found), servers)


def forecast_requests(shape: WatchShape, plan: WatchPlan, size: SizePrompt) -> WatchForecast:
    """Forecasts the requests that get to know a model and watch over it while a suite is asked.

    A server that answers every request, and answers canaries as before, is asked just as many in a
    session that ends before its second timed look.
    """
    found = [_forecast_handshake(shape, size)] if plan.opening else []
    if shape.known is None and plan.opening:
        found += [_ask(each, size, FIRST_ASKS, TOKENS) for each in shape.canaries]
        found.append(_search(shape, size))
        others = (_ask(each, size, shape.servers - 1, TOKENS) for each in shape.canaries)
        found += others if shape.servers > 1 else ()
    if plan.looks:
        found += _forecast_looks(shape, plan, size)
    return reduce(add, [*found, *_forecast_checks(shape, plan, size)], WatchForecast())


def _forecast_handshake(shape: WatchShape, size: SizePrompt) -> WatchForecast:
    """Forecasts the handshakes: fields, token ids where they can be sent, and seeds."""
    opens = 2 if shape.tokenized and not shape.chat else 1
    parts = [
        _count(size(OPEN_PROMPT, "python"), opens, PROBE_TOKENS),
        _count(size(SEED_PROMPT, "python"), SEEDS_TRIED, SEED_TOKENS),
    ]
    return _times(reduce(add, parts), shape.servers)


def _forecast_looks(
    shape: WatchShape, plan: WatchPlan, size: SizePrompt
) -> Iterable[WatchForecast]:
    """Forecasts the looks; the suite's own prompt is met at the first one, unless it is known."""
    known = shape.canaries if shape.known is None else shape.known
    own = list_wanted((), [plan.own])[0]
    if shape.known is not None and plan.opening:
        yield _search(shape, size)
    for canary in (*shape.canaries, own):
        met = canary in known
        if not met:
            yield _ask(canary, size, FIRST_ASKS, TOKENS)
        yield _ask(canary, size, shape.servers * (plan.looks - (not met)), TOKENS)


def _search(shape: WatchShape, size: SizePrompt) -> WatchForecast:
    return _ask(shape.canaries[0], size, REPLICAS * shape.servers, SHORT_TOKENS)


def _forecast_checks(
    shape: WatchShape, plan: WatchPlan, size: SizePrompt
) -> Iterable[WatchForecast]:
    """Forecasts the checks of long prompts, in the order in which prompts are asked."""
    if shape.tokenized:
        return
    longest = 0
    rows = [plan.own, plan.longest] if plan.looks else []
    canaries = [(each.prompt, each.language) for each in shape.canaries]
    for prompt in [*canaries, *rows] if plan.looks or shape.known is None else ():
        found = size(*prompt)
        if not is_longer(found.characters, longest):
            continue
        longest = found.characters
        expected = count_check(estimate_tokens(found.bytes), 0, chat=shape.chat)
        most = count_check(found.bytes, FRAME, chat=shape.chat)
        yield _times(WatchForecast(expected, most), shape.servers)


def _ask(canary: Canary, size: SizePrompt, often: int, tokens: int) -> WatchForecast:
    return _count(size(canary.prompt, canary.language), often, tokens)


def _count(size: PromptSize, often: int, written: int) -> WatchForecast:
    """Counts some requests of one prompt that are answered at their limit."""
    expected = estimate_tokens(size.bytes) if size.tokens is None else size.tokens
    most = size.bytes + FRAME if size.tokens is None else size.tokens
    return _times(
        WatchForecast(Usage(1, 0, expected, 0, written), Usage(1, 0, most, 0, written)), often
    )


def _times(found: WatchForecast, factor: int) -> WatchForecast:
    return WatchForecast(times(found.expected, factor), times(found.most, factor))


def _sum(found: Iterable[Usage]) -> Usage:
    return reduce(add, found, Usage())
