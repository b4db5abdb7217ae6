"""Plans: what a run would ask and cost, without asking; runs that may cost much want a budget."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.hunt_model import write_suite
from support.streamed import ScriptedStream

from pytest_coderobust.engine.forecast import Forecast
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import ServingTerms
from pytest_coderobust.records import Tariff
from pytest_coderobust.reporting.terminal.forecast import describe_forecast
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.planning import check_cost, make_forecasts
from pytest_coderobust.session.session import Session, open_session

NAMES = ("total", "summed", "added")
SECTIONS = 'perturbations = ["C1"]\n[sampling]\nn = 2\ntemperature = 0.8\nmax_new_tokens = 100\n'


class Unmet(ScriptedStream):
    """A served model that nobody has met: its identity would need a handshake."""

    @property
    def identity(self):  # type: ignore[no-untyped-def]
        raise AssertionError("the server was asked")


@contextmanager
def planning(folder: Path, model: ScriptedStream, **chosen: object) -> Generator[Session]:
    suite = write_suite(folder, NAMES, SECTIONS)
    choices = Choices(
        model="streamed", ledger=folder / "ledger.sqlite", sandbox_workers=1, **chosen
    )  # type: ignore[arg-type]
    with Session(
        choices, open_session(Choices(), folder).settings, folder, backend=model
    ) as session:
        opened = session.suite(session.refer(suite))
        session.want(
            (opened.reference, (t, c)) for c in opened.plan.cells for t in opened.plan.tasks
        )
        yield session


def forecast(session: Session, *, probe: bool = False) -> Forecast:
    (found,) = make_forecasts(session, session.wanted, probe=probe)
    return found


def test_plan_counts_rows_tokens_and_money_and_asks_nothing(tmp_path: Path) -> None:
    model = ScriptedStream()
    model.terms = ServingTerms("127.0.0.1:9", Tariff(2.0, 6.0))
    with planning(tmp_path, model) as session:
        found = forecast(session, probe=True)
        plan = session.wanted[0].plan
        from pytest_coderobust.engine.variants import make_variant

        prompts = [make_variant(plan, t, c).prompt for c in plan.cells for t in plan.tasks.values()]
    assert model.streams == []
    assert (found.asked, found.stored, found.known, found.counted) == (12, 0, True, False)
    assert found.input == sum(2 * round(len(p) / 3.5) for p in prompts)
    assert (found.mean, found.earlier, found.most_output) == (40.0, 0, 1200)
    assert found.cost == pytest.approx((found.input * 2 + 480 * 6) / 1e6)
    most = sum(2 * (len(p) + 64) for p in prompts)
    assert found.most_cost == pytest.approx((most * 2 + 1200 * 6) / 1e6)


def test_plan_knows_what_the_ledger_has_once_the_model_is_met(tmp_path: Path) -> None:
    model = ScriptedStream()
    with planning(tmp_path, model) as session:
        measurement = session.wanted[0].single
        task = next(iter(measurement.plan.tasks.values()))
        measurement.want([(task.id, measurement.plan.cells[0])])
        measurement.measure(task, measurement.plan.cells[0])
        found = forecast(session, probe=True)
    assert (found.asked, found.stored, found.mean, found.earlier) == (10, 2, 5.0, 2)
    assert len(model.sent) == 2


def test_plan_of_a_server_that_nobody_met_shakes_no_hands(tmp_path: Path) -> None:
    model = Unmet()
    choices = Choices(model="unmet", ledger=tmp_path / "ledger.sqlite", sandbox_workers=1)

    class Named(Session):
        """Knows the model's name without its identity."""

        model = "unmet"

    suite = write_suite(tmp_path, NAMES, SECTIONS)
    settings = open_session(Choices(), tmp_path).settings
    with Named(choices, settings, tmp_path, backend=model) as session:
        opened = session.suite(session.refer(suite))
        session.want(
            (opened.reference, (t, c)) for c in opened.plan.cells for t in opened.plan.tasks
        )
        found = forecast(session)
    assert (found.asked, found.known) == (12, False)
    assert "12 requests at most" in "\n".join(describe_forecast(found))


@pytest.mark.parametrize("budget", [None, "5usd", "30m"])
def test_a_run_that_may_cost_much_wants_a_budget(tmp_path: Path, budget: str | None) -> None:
    model = ScriptedStream()
    model.terms = ServingTerms("127.0.0.1:9", Tariff(100.0, 10_000.0))
    with planning(tmp_path, model, budget=budget) as session:
        if budget == "5usd":
            check_cost(session, session.wanted)
            return
        with pytest.raises(
            UsageError, match=r"this run may cost 12\.\d\d usd, more than 10"
        ) as caught:
            check_cost(session, session.wanted)
    assert "12 requests" in str(caught.value)
    assert "--budget 12usd" in str(caught.value)
    assert model.streams == []


def test_cheap_and_unpriced_runs_want_none(tmp_path: Path) -> None:
    for place, tariff in enumerate((None, Tariff(1.0, 2.0))):
        model = ScriptedStream()
        model.terms = ServingTerms(tariff=tariff)
        (tmp_path / str(place)).mkdir()
        with planning(tmp_path / str(place), model) as session:
            check_cost(session, session.wanted)


def test_lines_of_a_plan() -> None:
    found = Forecast(
        suite="s", model="prod", place="10.0.0.5:8000", asked=9840, stored=1640, known=True,
        input=1_480_000, counted=True, mean=193.4, earlier=1640, limit=512, most_input=1_500_000,
        tariff=Tariff(0.15, 0.6), rate=7.8,
    )  # fmt: skip
    assert list(describe_forecast(found)) == [
        "s on prod (10.0.0.5:8000)",
        "  to ask      9,840 requests of 11,480 (1,640 are in the ledger)",
        "  tokens in   1.48 M (counted with its tokenizer)",
        "  tokens out  1.90 M expected (mean 193, from 1,640 earlier answers), 5.04 M at most",
        "  cost        1.36 usd expected, 3.25 usd at most (0.15 in, 0.6 out per million tokens)",
        "  time        about 21 min at 7.8 answers/s, as before",
    ]
