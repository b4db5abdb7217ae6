"""Scoring an editor that does nothing: a model that passes by a coin's toss, through the engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_coderobust.config.edits import EditConfig
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.edited.requests import (
    draw_requests,
    find_broken_squares,
    list_request_tasks,
)
from pytest_coderobust.engine.edited.scoring import Draws, make_scoring_sampling, make_trials
from pytest_coderobust.engine.events import silent
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.selfcheck import SelfCheck
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.edits import summarise_edits
from pytest_coderobust.models.scripted import WRONG, Scripted
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, digest
from pytest_coderobust.records.editing import EditFacts, Editing, EditRecord
from pytest_coderobust.sandbox import open_sandbox

TASKS = 240
CELL = Cell("W1", 0)
PROMPT = 'def same(value):\n    """Return the given value itself, whatever it is."""\n'
CANONICAL = "    return value\n"


def coin(name: str) -> Scripted:
    """Solves half of the samples, each by its own noise; `name` tells two models apart."""

    def answer(row: Row) -> str:
        task = row.variant.task.id
        tossed = int(digest("coin", name, task, row.variant.cell.label, row.noise)[:8], 16)
        return CANONICAL if tossed % 2 else WRONG

    return Scripted(answer, name=name)


def plan_of(sampling: Sampling) -> Plan:
    tests = Tests("def check(candidate):\n    assert candidate(3) == 3\n", "check")
    # One prompt and one answer for all, so that two checks judge every completion.
    tasks = {f"Coin/{i}": Task(f"Coin/{i}", PROMPT, "same", tests, CANONICAL) for i in range(TASKS)}
    config = SuiteConfig(
        path=Path("coin.toml"), name="coin", tasks="coin", perturbations=("W1",), sampling=sampling
    )
    return Plan(config, tasks, (Cell(), CELL), {}, "coin")


def test_noise_alone_scores_like_its_control_and_above_zero(tmp_path: Path) -> None:
    chosen_at = Sampling(n=10, temperature=0.2, top_p=0.95)
    plan = plan_of(chosen_at)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    judge = VerdictStore(open_sandbox(1), ledger, silent)
    checked = SelfCheck({}, frozenset())

    def measure(name: str, draw: int) -> Measurement:
        sampling = (
            make_scoring_sampling(EditConfig().scored, chosen_at, draw) if draw else chosen_at
        )
        drawn = replace(plan, config=replace(plan.config, sampling=sampling))
        answers = CompletionStore(coin(name), ledger, silent)
        made = Measurement(drawn, answers, judge, ledger, silent, checked)
        made.want([(task, cell) for cell in plan.cells for task in plan.tasks])
        return made

    try:
        base = measure("base", 0)
        broken = find_broken_squares(base, "W1")
        requests = draw_requests(base, broken, 1, 0)
        own = [square for square in broken if square[0] in list_request_tasks(requests)]
        draws = Draws(
            before=measure("base", 1),
            control=measure("base", 2),
            after=measure("edited", 2),
            placebos=(),
            greedy=False,
        )
        # Every prompt but the request's: being picked or not, the second draw is a coin's again.
        others = [(task, CELL) for task in plan.tasks if (task, CELL) not in own]
        _, scored = make_trials(draws, plan, own, others)
    finally:
        judge.close()
        ledger.close()
    assert 20 < len(broken) < 120
    record = EditRecord("W1", 1, list_request_tasks(requests), EditFacts(), trials=scored)
    editing = Editing(("nothing",), "instant", 1, False, "T=0.2, n=10", (record,))
    (found,) = summarise_edits(editing, 0.5).categories
    assert found.g_rir is not None
    assert found.control is not None
    assert found.gain is not None
    for one in (found.g_rir.raw, found.control.raw):
        assert one.low is not None
        assert one.high is not None
        assert 0.1 < one.low < 0.5 < one.high
    assert found.gain.low is not None
    assert found.gain.high is not None
    assert found.gain.low < 0.0 < found.gain.high
