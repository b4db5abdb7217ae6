"""Plans of suites: what they would ask and cost, and the refusal of costs without a cap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import Backend, find_terms, is_streaming
from pytest_coderobust.models.forwarding import ForwardingBackend
from pytest_coderobust.records import Bill, ModelIdentity
from pytest_coderobust.reporting.terminal.forecast import describe_forecast
from pytest_coderobust.session.resources import Resources
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from pytest_coderobust.engine.forecast import Forecast

UNBOUNDED = 10.0
"""Money that a run may cost without a budget."""


class Remembered(ForwardingBackend):
    """A served model as the ledger remembers it: it has an identity, and nobody is asked for it."""

    def __init__(self, below: Backend, identity: ModelIdentity) -> None:
        super().__init__(below)
        self._remembered = identity

    @property
    def identity(self) -> ModelIdentity:
        return self._remembered


def make_forecasts(
    session: Resources, suites: Sequence[SuiteSession], *, probe: bool
) -> list[Forecast]:
    """Makes the forecast of every suite, as far as it is wanted.

    Args:
        probe: shakes hands with a server; nothing else is ever asked.

    Raises:
        CodeRobustError: a suite cannot be read, or with `probe` the server cannot be used.
    """
    from pytest_coderobust.engine.forecast import make_forecast
    from pytest_coderobust.results.conclusion import read_conclusions

    backend = session.backend
    stored = [each for each in read_conclusions(session.ledger) if each.model == session.model]
    bills = [bill for each in stored if (bill := session.ledger.bills.of_run(each.digest))]
    known: Backend | None = backend
    if is_streaming(backend) and not find_terms(backend).here and not probe:
        last = str(stored[-1].body["run"]["model"]["digest"]) if stored else ""
        known = Remembered(backend, ModelIdentity(session.model, last)) if last else None
    return [
        make_forecast(
            suite.plan,
            list(dict.fromkeys(suite.wanted)),
            session.model,
            backend,
            known,
            session.ledger,
            sum(bills[1:], bills[0]) if bills else Bill(),
            opening=place == 0,
        )
        for place, suite in enumerate(suites)
    ]


def check_cost(session: Resources, suites: Sequence[SuiteSession]) -> None:
    """Refuses a run that may cost much where no budget bounds it.

    Raises:
        UsageError: it may; the message has the plan's numbers.
    """
    backend = session.backend
    if find_terms(backend).tariff is None or session.spending is not None:
        return
    forecasts = make_forecasts(session, suites, probe=False)
    most = sum(each.most_cost or 0.0 for each in forecasts)
    if most <= UNBOUNDED:
        return
    numbers = "\n".join(line for each in forecasts for line in describe_forecast(each))
    raise UsageError(
        f"this run may cost {most:.2f} usd, more than {UNBOUNDED:g}, and no budget bounds it: "
        f"say how much it may spend, as in --budget {most:.0f}usd\n{numbers}"
    )
