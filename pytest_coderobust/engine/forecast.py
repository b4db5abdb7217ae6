"""Forecast of a run on a model: requests, tokens, money and time, before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.engine.guarding import ANSWERS
from pytest_coderobust.engine.keys import make_completion_key
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.spending import bound_tokens, count_bytes
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend, count_tokens, find_terms
from pytest_coderobust.models.metering import WatchForecast, WatchPlan, forecast_watch
from pytest_coderobust.records import Bill, Completion, Square, Tariff, Usage, Variant

BYTES_A_TOKEN = 3.5
"""Bytes of a prompt that make a token, where there is no tokenizer."""

SHARE_WRITTEN = 0.4
"""Share of the token limit that an answer takes, where no earlier answer says."""


NOT_WATCHED = WatchForecast()
"""The forecast of a model whose weights are here."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The numbers of one suite.

    Attributes:
        asked, stored: rows that the ledger lacks and has; `stored` is 0 where the model is not
            known without asking it.
        known: the ledger was searched, for this model or the one of the same name before.
        input: tokens of the prompts to ask; estimated where `counted` is false.
        mean: tokens of an answer, from `earlier` answers; without any, a share of the limit.
        limit: tokens of an answer at most.
        most_input: bound of the prompts' tokens.
        rate: answers a second in earlier sessions; None where there were none.
        watching: the requests that get to know the model and watch over it, which come on top.
    """

    suite: str
    model: str
    place: str
    asked: int
    stored: int
    known: bool
    input: int
    counted: bool
    mean: float
    earlier: int
    limit: int
    most_input: int
    tariff: Tariff | None
    rate: float | None
    watching: WatchForecast = NOT_WATCHED

    @property
    def output(self) -> float:
        """Tokens of the answers, as expected."""
        return self.asked * self.mean

    @property
    def most_output(self) -> int:
        return self.asked * self.limit

    @property
    def cost(self) -> float | None:
        """Money, as expected; None without a price."""
        return self._price(Usage(0, 0, self.input, 0, round(self.output)) + self.watching.expected)

    @property
    def most_cost(self) -> float | None:
        """Money at most: the longest answers and the bound of each prompt; None without a price."""
        return self._price(Usage(0, 0, self.most_input, 0, self.most_output) + self.watching.most)

    @property
    def watching_cost(self) -> float | None:
        """The part of `cost` that watches over the model; None without a price."""
        return self._price(self.watching.expected)

    @property
    def seconds(self) -> float | None:
        return self.asked / self.rate if self.rate else None

    def _price(self, usage: Usage) -> float | None:
        return None if self.tariff is None else self.tariff.cost(usage)


def make_forecast(
    plan: Plan,
    squares: list[Square],
    model: str,
    backend: Backend,
    known: Backend | None,
    ledger: Ledger,
    before: Bill | None = None,
    *,
    opening: bool = True,
) -> Forecast:
    """Makes the forecast of the squares that are wanted; perturbs prompts and asks nobody.

    Args:
        known: a backend of the model's identity, which need not be able to answer; None where
            nobody knows it without asking.
        before: what earlier sessions asked of the model.
        opening: it is the first suite of its session, which shakes hands.
    """
    variants = _list_variants(plan, squares)
    sampling = plan.config.sampling
    rows: dict[object, Variant] = {}
    found: dict[str, Completion] = {}
    for variant in variants:
        for sample in range(sampling.n):
            # Equal prompts are asked once; without an identity they are told by their text.
            key: object = (variant.prompt, sample)
            if known is not None:
                key = make_completion_key(
                    known, variant, sampling, sample, plan.config.reading.reasoning
                )
            rows[key] = variant
    if known is not None:
        found = ledger.completions(str(key) for key in rows)
    missing = [variant for key, variant in rows.items() if key not in found]
    counts = [count_tokens(backend, v.prompt, v.task.language) for v in missing]
    told = [each.tokens for each in found.values() if each.tokens]
    return Forecast(
        suite=plan.config.name,
        model=model,
        place=find_terms(backend).place,
        asked=len(missing),
        stored=len(found),
        known=known is not None,
        input=sum(
            round(count_bytes(backend, v) / BYTES_A_TOKEN) if c is None else c
            for v, c in zip(missing, counts, strict=True)
        ),
        counted=None not in counts,
        mean=sum(told) / len(told) if told else SHARE_WRITTEN * sampling.max_new_tokens,
        earlier=len(told),
        limit=sampling.max_new_tokens,
        most_input=sum(bound_tokens(backend, variant) for variant in missing),
        tariff=find_terms(backend).tariff,
        rate=before.answers / before.wall if before and before.wall else None,
        watching=_forecast_watch(plan, missing, backend, known, ledger, opening=opening),
    )


def _forecast_watch(
    plan: Plan,
    missing: list[Variant],
    backend: Backend,
    known: Backend | None,
    ledger: Ledger,
    *,
    opening: bool,
) -> WatchForecast:
    """Forecasts the requests beside the rows: one look before them, and one behind each thousand.

    A session that takes longer looks every ten minutes, too.
    """
    first = next(iter(plan.tasks.values()), None)
    if first is None:
        return NOT_WATCHED
    longest = max(missing, key=lambda each: backend.prompt_length(each.prompt), default=None)
    own = (first.prompt, first.language)
    wanted = WatchPlan(
        digest=known.identity.digest if known is not None else "",
        own=own,
        longest=own if longest is None else (longest.prompt, longest.task.language),
        looks=1 + -(-len(missing) // ANSWERS) if missing else 0,
        opening=opening,
    )
    return forecast_watch(backend, ledger, wanted)


def _list_variants(plan: Plan, squares: list[Square]) -> list[Variant]:
    """Lists the variants of the squares, each beside its clean one."""
    wanted = list(dict.fromkeys([(task, plan.cells[0]) for task, _ in squares] + squares))
    prepare(plan, wanted)
    made = (make_variant(plan, plan.tasks[task], cell) for task, cell in wanted)
    return [variant for variant in made if not variant.skipped]
