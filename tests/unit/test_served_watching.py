"""Requests that get to know a served model and watch over it: in plan, bill and cap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.hunt_model import write_suite
from support.recorded_servers import LLAMA, VLLM, Traits, count, play
from support.scripted_server import Asked, ScriptedServer, Told, serve
from support.served_models import Known, open_toy

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import silent
from pytest_coderobust.engine.forecast import Forecast
from pytest_coderobust.engine.spending import BudgetSpent
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.ledger.bills import NOBODY
from pytest_coderobust.models.metering import FRAME
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.length_check import LengthCheck
from pytest_coderobust.models.served.transport import Transport
from pytest_coderobust.records import Bill, Usage
from pytest_coderobust.reporting.figures import describe_bill
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.planning import make_forecasts
from pytest_coderobust.session.session import Session

NAMES = ("total", "summed", "added")
LIMIT = 77
"""Tokens that the suite allows: rows are told from other requests by it."""
RUN = "the suite's run"
SECTIONS = f'perturbations = ["C1"]\n[sampling]\nmax_new_tokens = {LIMIT}\n'


@contextmanager
def asking(
    folder: Path, entry: str, sections: str = SECTIONS, **chosen: object
) -> Iterator[Session]:
    """A session on the model "prod" of an entry, all squares of the suite wanted."""
    suite = write_suite(folder, NAMES, sections)
    (folder / "pyproject.toml").write_text(f"[tool.coderobust.models.prod]\n{entry}")
    choices = Choices(model="prod", ledger=folder / "ledger.sqlite", sandbox_workers=1, **chosen)  # type: ignore[arg-type]
    with Session(choices, read_settings(folder), folder) as session:
        opened = session.suite(session.refer(suite))
        plan = opened.plan
        session.want((opened.reference, (t, c)) for c in plan.cells for t in plan.tasks)
        yield session


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", "one")
    yield opened
    opened.close()


def ask(session: Session) -> None:
    """Asks the suite's rows as a session does, without a sandbox to judge them."""
    (suite,) = session.wanted
    plan, guard = suite.plan, session.guard
    first = next(iter(plan.tasks.values()))
    guard.add_prompt(first.prompt, first.language)
    guard.settle()
    answers = CompletionStore(session.backend, session.ledger, silent, (), guard)
    answers.run = RUN
    answers.brakes = (session.spending,) if session.spending else ()
    prepare(plan, suite.wanted)
    variants = [make_variant(plan, plan.tasks[task], cell) for task, cell in suite.wanted]
    session.book_watching(RUN)
    for _ in answers.generate(variants, plan.config.sampling):
        pass
    session.finish()


def forecast(session: Session, *, probe: bool = False) -> Forecast:
    (found,) = make_forecasts(session, session.wanted, probe=probe)
    return found


def of_run(session: Session) -> Bill:
    bill = session.ledger.bills.of_run(RUN)
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
            ask(session)
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
                ask(session)
            assert servers.watching - before == found.watching.expected.requests + refused


def count_input(asked: Asked, traits: Traits) -> int:
    """The tokens of a prompt as the scripted server counts them; a refused request has none."""
    if len(asked.body.get("stop", ())) > traits.most_stops:
        return 0
    body = asked.body
    return count(body["prompt"] if "prompt" in body else body["messages"][0]["content"])


def dear(asked: Asked) -> Told | None:
    """A server that counts a token for each byte, and as many written ones as are allowed."""
    if not asked.path.endswith("/completions"):
        return None
    body = asked.body
    usage = {"prompt_tokens": len(body["prompt"].encode()), "completion_tokens": body["max_tokens"]}
    choice = {"text": "    return 0\n", "finish_reason": "length"}
    return Told({"model": LLAMA.answers_as, "choices": [choice], "usage": usage})


def spent(asked: Asked) -> int:
    return len(asked.body["prompt"].encode()) + int(asked.body["max_tokens"])


def run_capped(folder: Path, cap: int) -> list[Asked]:
    """Runs a session as far as its budget goes; returns what cost something."""
    with serve(play(LLAMA, dear)) as server:
        entry = f'server = "{server.url}"\n'
        with asking(folder, entry, budget=f"{cap}tok") as session:
            with suppress(BudgetSpent):  # it may also have sufficed
                ask(session)
            posts = Counting([server]).posts
            bill = session.ledger.bills.of_session() or Bill()
            assert bill.usage.input + bill.usage.output == sum(map(spent, posts))
            if any(map(is_row, posts)):
                session.finish()
                assert session.ledger.intervals.open(session.backend.identity.digest) == ()
        return Counting([server]).posts


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The tokens of a session that nothing bounds."""
    posts = run_capped(tmp_path_factory.mktemp("whole"), 10**6)
    assert sum(map(is_row, posts)) == 6
    return sum(map(spent, posts))


@settings(deadline=None, max_examples=8)
@given(share=st.floats(0.0, 1.3))
@example(share=0.999)  # the last row would take what the last look needs
@example(share=0.95)
def test_no_request_passes_the_cap_and_the_last_look_is_kept_in_reserve(
    share: float, whole: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cap = max(1, round(share * whole))
    assert sum(map(spent, run_capped(tmp_path_factory.mktemp("cap"), cap))) <= cap


def test_a_retry_stays_at_its_worst_case_and_is_in_the_shown_cost(tmp_path: Path) -> None:
    """A canary that is answered 503 once may have been counted; the report says so."""
    with served(LLAMA) as (servers, entry):
        usual = servers.servers[0].script
        failed: list[int] = []

        def failing(asked: Asked) -> Told:
            if asked.path.endswith("/completions") and not failed:
                failed.append(spent(asked))
                return Told({"error": "busy"}, 503, {"retry-after-ms": "1"})
            return usual(asked)

        servers.servers[0].script = failing
        price = "price = { input = 1000, output = 1000 }\n"
        with asking(tmp_path, entry + price, budget="999usd") as session:
            ask(session)
            bill = of_run(session)
    assert (bill.usage.retries, bill.watching.retries) == (1, 1)
    assert bill.unsure_tokens == failed[0] + FRAME
    assert bill.cost is not None
    assert bill.most_cost == pytest.approx(bill.cost + (failed[0] + FRAME) / 1000)
    assert f"({bill.most_cost:.2f} usd at most, with what was sent again)" in describe_bill(bill)


def test_what_is_asked_before_a_run_is_known_belongs_to_the_first_one(ledger: Ledger) -> None:
    bills = ledger.bills
    for run, tokens in ((NOBODY, 5), (NOBODY, 7), ("one", 11)):
        bills.watch(run, Bill(Usage(1, 0, tokens), cost=1.0))
    bills.claim("one")
    bills.claim("two")
    one, session = bills.of_run("one"), bills.of_session()
    assert one is not None
    assert one == session
    assert one.watching == one.usage == Usage(3, 0, 23)
    assert (one.cost, one.sessions, one.answers) == (3.0, 1, 0)
    assert bills.of_run("two") is bills.of_run(NOBODY) is None


def test_a_session_that_finds_every_answer_is_billed_for_what_it_asked(tmp_path: Path) -> None:
    with served(LLAMA) as (servers, entry):
        bills: list[Bill] = []
        posts = [0]
        for _ in range(2):
            with asking(tmp_path, entry) as session:
                ask(session)
                bills.append(of_run(session))
            posts.append(len(servers.posts))
        assert sum(map(is_row, servers.posts)) == 6
    first, both = bills
    assert first.usage.requests == posts[1]
    assert both.usage.requests == posts[2]
    assert both.usage.requests - first.usage.requests == posts[2] - posts[1] > 0
    assert both.watching.requests - first.watching.requests == posts[2] - posts[1]
    assert (first.answers, both.answers, both.sessions) == (6, 6, 2)


def test_a_check_of_length_that_failed_is_due_again() -> None:
    """A server that cuts a prompt is not taken on trust the second time."""
    told: list[str] = []

    class Cutting(Known):
        def check_length(self, *given: object) -> None:
            told.append(str(given[-1]))
            if len(told) == 1:
                raise ModelError("truncates prompts")

    agreed = PlainAgreement("toy")
    server = open_toy("http://127.0.0.1:1/v1").server
    check, transport = LengthCheck(server, Cutting(agreed)), cast("Transport", None)
    with pytest.raises(ModelError, match="truncates"):
        check.run("x" * 100, agreed, [transport])
    assert check.bound("x" * 100, agreed, 1).requests == 3
    for _ in range(2):
        check.run("x" * 100, agreed, [transport])
    assert check.bound("x" * 100, agreed, 1).requests == 0
    assert told == ["x" * 100] * 2
