"""Spending of a session on a served model: what is spent, and reserved for rows on their way.

A row is sent only if its worst case fits: all tokens of its prompt and all tokens that it may
write, at the full price. The answer's own counts settle it. So spent and reserved together never
pass the cap, however many rows are on their way.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend, count_tokens, find_terms, is_streaming
from pytest_coderobust.models.prompts import clean_text
from pytest_coderobust.records import Bill, Completion, Row, Sampling, Tariff, Usage, Variant

FRAME = 64
"""Tokens that a server's chat template may put around a message of which only the bytes are known.
"""


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

    def times(self, factor: int) -> Sum:
        """The same several times."""
        return Sum(self.money * factor, self.tokens * factor)


class Spending:
    """The cap of a session, as a brake on its rows."""

    def __init__(self, cap: Cap, backend: Backend, ledger: Ledger) -> None:
        self.cap = cap
        self._backend = backend
        self._ledger = ledger
        self._tariff = find_terms(backend).tariff or Tariff(0.0, 0.0)
        self._spent = Sum()
        self._reserved = Sum()
        self._on_way: dict[int, Sum] = {}

    def begin(self) -> None:
        """Reads what all processes of the session have stored; nothing of ours is on its way."""
        bill = self._ledger.bills.of_session() or Bill()
        told = Sum(bill.cost or 0.0, bill.usage.input + bill.usage.output)
        self._spent = told + Sum(bill.unsure_cost, bill.unsure_tokens)
        self._reserved = Sum()
        self._on_way.clear()

    @property
    def total(self) -> Sum:
        """The sum of what was spent and what is reserved."""
        return self._spent + self._reserved

    def worst(self, variant: Variant, sampling: Sampling) -> Sum:
        """The most that one row can cost."""
        return bound_cost(self._backend, variant, sampling)

    def affords(self, more: Sum) -> bool:
        """Says whether this much can be spent on top."""
        total = self.total + more
        return (self.cap.money is None or total.money <= self.cap.money) and (
            self.cap.tokens is None or total.tokens <= self.cap.tokens
        )

    def holds(self, row: Row, sampling: Sampling) -> bool:
        return not self.affords(self.worst(row.variant, sampling))

    def release(self) -> None:
        raise BudgetSpent(f"the budget is spent: {self.describe()}")

    def sent(self, row: Row, sampling: Sampling) -> None:
        worst = self.worst(row.variant, sampling)
        self._on_way[id(row)] = worst
        self._reserved += worst

    def settled(self, row: Row, completion: Completion, usage: Usage) -> None:  # noqa: ARG002
        worst = self._on_way.pop(id(row))
        # The sums are made anew where they can be, so that rounding does not add up.
        self._reserved = self._reserved + worst.times(-1) if self._on_way else Sum()
        told = Sum(self._tariff.cost(usage), usage.input + usage.output)
        self._spent += told + worst.times(count_unsure(usage))

    def describe(self) -> str:
        """Describes what was spent of the cap."""
        spent = self.total
        parts: list[str] = []
        if self.cap.money is not None:
            parts.append(f"{spent.money:.4g} of {self.cap.money:g} usd")
        if self.cap.tokens is not None:
            parts.append(f"{spent.tokens:,} of {self.cap.tokens:,} tokens")
        return " and ".join(parts)


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


def bound_cost(backend: Backend, variant: Variant, sampling: Sampling) -> Sum:
    """Bounds the cost of one request: its whole prompt, and all tokens that it may write."""
    prompt = bound_tokens(backend, variant)
    most = Usage(1, 0, prompt, 0, sampling.max_new_tokens)
    tariff = find_terms(backend).tariff or Tariff(0.0, 0.0)
    return Sum(tariff.cost(most), most.input + most.output)


def count_unsure(usage: Usage) -> int:
    """Counts the requests of one answer that may have cost the most, whatever was told.

    A server that told no counts may have counted everything, as it may have where a request was
    sent again.
    """
    return usage.retries + (0 if usage.input + usage.output else 1)


def bound_tokens(backend: Backend, variant: Variant) -> int:
    """Bounds the tokens of a prompt: counted, or one for each byte where there is no tokenizer."""
    counted = count_tokens(backend, variant.prompt, variant.task.language)
    return count_bytes(backend, variant) + FRAME if counted is None else counted


def count_bytes(backend: Backend, variant: Variant) -> int:
    """Counts the bytes of a prompt as it is sent, with those of the template around it."""
    return len(clean_text(variant.prompt).encode()) + find_terms(backend).frame
