"""Spending of a session on a served model: what is spent, and reserved for rows on their way.

A row is sent only if its worst case fits: all tokens of its prompt and all tokens that it may
write, at the full price, and beside it the look at the model that has to follow. The answer's own
counts settle it. So spent and reserved together never pass the cap, however many rows are on their
way. A request that follows a failed one is reserved beside it, since a server may count both; one
that watches over the model is reserved in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend, count_tokens, find_terms, is_streaming
from pytest_coderobust.models.metering import FRAME, bound_check
from pytest_coderobust.models.prompts import clean_text
from pytest_coderobust.records import Bill, Completion, Row, Sampling, Tariff, Usage, Variant


class BudgetSpent(ModelError):
    """No row can be afforded any more."""


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a session may spend; None for no limit.

    Attributes:
        money: in the currency of the user's prices.
        tokens: of prompts and answers together.
    """

    money: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of money and of tokens."""

    money: float = 0.0
    tokens: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.money + other.money, self.tokens + other.tokens)

    def __sub__(self, other: Sum) -> Sum:
        """The rest; nothing of it is below zero."""
        return Sum(max(0.0, self.money - other.money), max(0, self.tokens - other.tokens))

    def times(self, factor: int) -> Sum:
        """The same several times."""
        return Sum(self.money * factor, self.tokens * factor)


class Spending:
    """The cap of a session, as a brake on its rows.

    Args:
        watch: the most that the next look at the model takes, which no row may spend.
    """

    def __init__(
        self, cap: Cap, backend: Backend, ledger: Ledger, watch: Callable[[], Usage] = Usage
    ) -> None:
        self.cap = cap
        self._backend = backend
        self._ledger = ledger
        self._tariff = find_terms(backend).tariff or Tariff(0.0, 0.0)
        self._watch = watch
        self._spent = Sum()
        self._reserved = Sum()
        self._kept = Sum()
        self._on_way: dict[int, tuple[Sum, int]] = {}
        """The worst case of a request of each row, and how many of them may be counted."""

    def begin(self) -> None:
        """Reads what all processes of the session have stored; nothing of ours is on its way."""
        bill = self._ledger.bills.of_session() or Bill()
        told = Sum(bill.cost or 0.0, bill.usage.input + bill.usage.output)
        self._spent = told + Sum(bill.unsure_cost, bill.unsure_tokens)
        self._reserved = Sum()
        self._on_way.clear()
        self._kept = price(self._watch(), self._tariff)

    @property
    def total(self) -> Sum:
        """The sum of what was spent and what is reserved."""
        return self._spent + self._reserved

    def worst(self, variant: Variant, sampling: Sampling) -> Sum:
        """The most that one row can cost."""
        return bound_cost(self._backend, variant, sampling)

    def affords(self, more: Sum, looks: int = 1) -> bool:
        """Says whether this much can be spent on top, and the looks at the model that follow."""
        return self._fits(more + self._kept.times(looks))

    def holds(self, row: Row, sampling: Sampling) -> bool:
        worst = self.worst(row.variant, sampling)
        checked = price(bound_check(self._backend, row.variant), self._tariff)
        return not self.affords(worst + checked)

    def release(self) -> None:
        raise BudgetSpent(f"the budget is spent: {self.describe()}")

    def sent(self, row: Row, sampling: Sampling) -> None:
        worst = self.worst(row.variant, sampling)
        self._on_way[id(row)] = worst, 1
        self._reserved += worst

    def resends(self, row: Row, sampling: Sampling) -> bool:  # noqa: ARG002
        worst, requests = self._on_way[id(row)]
        if not self.affords(worst):
            return False
        self._on_way[id(row)] = worst, requests + 1
        self._reserved += worst
        return True

    def settled(self, row: Row, completion: Completion, usage: Usage) -> None:  # noqa: ARG002
        worst, requests = self._on_way.pop(id(row))
        # The sums are made anew where they can be, so that rounding does not add up.
        rest = worst.times(-requests)
        self._reserved = self._reserved + rest if self._on_way else Sum()
        told = price(usage, self._tariff)
        self._spent += told + bound_unsure(worst, told, usage)

    def reserve_single(self, most: Sum) -> None:
        """Reserves a single request that watches over the model; no other one is on its way.

        Raises:
            BudgetSpent: it does not fit.
        """
        if not self._on_way:
            self.begin()
        if not self._fits(most):
            raise BudgetSpent(
                f"the budget is spent: {self.describe()}, and a request that gets to know the "
                f"model or watches over it may take {self._describe(most)} more"
            )
        self._reserved += most

    def settle_single(self, most: Sum, spent: Sum) -> None:
        """Takes note of what a request that was reserved has cost at most."""
        self._reserved = self._reserved + most.times(-1) if self._on_way else Sum()
        self._spent += spent

    def _fits(self, more: Sum) -> bool:
        total = self.total + more
        return (self.cap.money is None or total.money <= self.cap.money) and (
            self.cap.tokens is None or total.tokens <= self.cap.tokens
        )

    def describe(self) -> str:
        """Describes what was spent of the cap."""
        spent = self.total
        parts: list[str] = []
        if self.cap.money is not None:
            parts.append(f"{spent.money:.4g} of {self.cap.money:g} usd")
        if self.cap.tokens is not None:
            parts.append(f"{spent.tokens:,} of {self.cap.tokens:,} tokens")
        return " and ".join(parts)

    def _describe(self, more: Sum) -> str:
        money = [f"{more.money:.4g} usd"] if self.cap.money is not None else []
        return " and ".join([*money, f"{more.tokens:,} tokens"])


def check_cap(cap: Cap, backend: Backend, name: str) -> None:
    """Refuses a cap that bounds nothing.

    Raises:
        UsageError: the model is not served, or the cap is in money and there is no price.
    """
    written = f"{cap.money:g}usd" if cap.money is not None else f"{cap.tokens}tok"
    if not is_streaming(backend):
        raise UsageError(
            f"--budget {written} bounds what a served model costs, and {name!r} is not served; "
            "a time (30m) or completions (5000) bound any run"
        )
    if cap.money is not None and find_terms(backend).tariff is None:
        raise UsageError(
            f"--budget {written} needs a price, and the model {name!r} has none: state price = "
            "{ input = ..., output = ... } for a million tokens in [tool.coderobust.models]"
        )


def price(usage: Usage, tariff: Tariff) -> Sum:
    """Prices the tokens of requests."""
    return Sum(tariff.cost(usage), usage.input + usage.output)


def bound_cost(backend: Backend, variant: Variant, sampling: Sampling) -> Sum:
    """Bounds the cost of one request: its whole prompt, and all tokens that it may write."""
    prompt = bound_tokens(backend, variant)
    most = Usage(1, 0, prompt, 0, sampling.max_new_tokens)
    return price(most, find_terms(backend).tariff or Tariff(0.0, 0.0))


def bound_unsure(worst: Sum, told: Sum, usage: Usage) -> Sum:
    """Bounds what one answer may have cost beside what was told.

    A server that told no counts may have counted everything, as it may have where a request was
    sent again.

    Args:
        worst: of one request.
        told: what its counts, or their estimate, make.
    """
    counted = usage.input + usage.output and not usage.estimated
    rest = Sum() if counted or not usage.requests else worst - told
    return worst.times(usage.retries) + rest


def bound_tokens(backend: Backend, variant: Variant) -> int:
    """Bounds the tokens of a prompt: counted, or one for each byte where there is no tokenizer."""
    counted = count_tokens(backend, variant.prompt, variant.task.language)
    return count_bytes(backend, variant) + FRAME if counted is None else counted


def count_bytes(backend: Backend, variant: Variant) -> int:
    """Counts the bytes of a prompt as it is sent, with those of the template around it."""
    return len(clean_text(variant.prompt).encode()) + find_terms(backend).frame
