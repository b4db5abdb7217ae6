"""Requests that get to know a served model and watch over it: in plan, bill and cap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.hunt_model import write_suite
from support.recorded_servers import HOSTED, LLAMA, VLLM, Traits, count, play
from support.scripted_server import Asked, ScriptedServer, serve

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.engine.forecast import Forecast
from pytest_coderobust.engine.spending import BudgetSpent
from pytest_coderobust.records import Bill
from pytest_coderobust.reporting.terminal.forecast import describe_forecast
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.planning import make_forecasts
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.stopping import ask_suite

NAMES = ("total", "summed", "added")
LIMIT = 77
"""Tokens that the suite allows: rows are told from other requests by it."""
SECTIONS = f'perturbations = ["C1"]\n[sampling]\nmax_new_tokens = {LIMIT}\n'


@contextmanager
def asking(
    folder: Path, entry: str, sections: str = SECTIONS, **chosen: object
) -> Iterator[Session]:
    """A session on the model "prod" of an entry, all squares of the suite wanted."""
    suite = write_suite(folder, NAMES, sections)
    (folder / "pyproject.toml").write_text(f"[tool.coderobust.models.prod]\n{entry}")
    choices = Choices(
        model="prod", ledger=folder / "ledger.sqlite", sandbox_workers=1, **chosen
    )  # type: ignore[arg-type]
    with Session(choices, read_settings(folder), folder) as session:
        opened = session.suite(session.refer(suite))
        plan = opened.plan
        session.want((opened.reference, (t, c)) for c in plan.cells for t in plan.tasks)
        yield session


def measure(session: Session) -> None:
    measurement = session.wanted[0].single
    for cell in measurement.plan.cells:
        for task in measurement.plan.tasks.values():
            measurement.measure(task, cell)
    session.finish()


def forecast(session: Session, *, probe: bool = False) -> Forecast:
    (found,) = make_forecasts(session, session.wanted, probe=probe)
    return found


def of_run(session: Session) -> Bill:
    bill = session.ledger.bills.of_run(session.wanted[0].single.run)
    assert bill is not None
    return bill


def is_row(asked: Asked) -> bool:
    return LIMIT in (asked.body.get("max_tokens"), asked.body.get("max_completion_tokens"))


@dataclass
class Counting:
    """Servers that count what they are asked beside rows, and the tokens of everything."""

    servers: list[ScriptedServer]

    @property
    def posts(self) -> list[Asked]:
        found = [each for server in self.servers for each in server.asked]
        return [each for each in found if each.path.endswith("/completions")]

    @property
    def watching(self) -> int:
        return sum(not is_row(each) for each in self.posts)


@contextmanager
def served(traits: Traits, number: int = 1) -> Iterator[tuple[Counting, str]]:
    """Servers alike, and the line of an entry that names them."""
    with ExitStack() as stack:
        found = [stack.enter_context(serve(play(traits))) for _ in range(number)]
        urls = ", ".join(f'"{each.url}"' for each in found)
        yield Counting(found), f"server = [{urls}]\n" if number > 1 else f"server = {urls}\n"


KINDS = {
    "llama.cpp": (LLAMA, 1, ""),
    "two servers": (VLLM, 2, ""),
    "a chat": (LLAMA, 1, 'api = "chat"\n'),
    "own canaries": (VLLM, 1, 'canary = "canary.txt"\n'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_plan_foresees_the_requests_beside_the_rows(tmp_path: Path, kind: str) -> None:
    """Held against what the servers were asked: at first contact, resumed, and in another suite."""
    traits, number, more = KINDS[kind]
    (tmp_path / "canary.txt").write_text("def a():\n---\ndef b():\n")
    # vLLM refuses the first handshake's 32 stop strings, which no plan can know.
    refused = number if traits is VLLM else 0
    with served(traits, number) as (servers, entry):
        entry += more
        with asking(tmp_path, entry) as session:
            found = forecast(session)
            assert servers.posts == []
            measure(session)
            bill = of_run(session)
        assert servers.watching == found.watching.expected.requests + refused
        assert (bill.watching.requests, bill.usage.requests) == (
            servers.watching,
            len(servers.posts),
        )
        assert bill.usage.input == sum(count_input(each, traits) for each in servers.posts)
        assert bill.watching.input <= found.watching.most.input
        assert bill.watching.output <= found.watching.most.output
        # All rows are answered, and then a seed that makes rows of a model that is known.
        for sections in (SECTIONS, SECTIONS.replace("C1", "C2")):
            with asking(tmp_path, entry, sections) as session:
                found = forecast(session, probe=True)
            before = servers.watching
            with asking(tmp_path, entry, sections) as session:
                measure(session)
            assert servers.watching - before == found.watching.expected.requests + refused


def count_input(asked: Asked, traits: Traits) -> int:
    """The tokens of a prompt as the scripted server counts them; a refused request has none."""
    if len(asked.body.get("stop", ())) > traits.most_stops:
        return 0
    body = asked.body
    return count(body["prompt"] if "prompt" in body else body["messages"][0]["content"])
