from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.early_simulation import simulate
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.engine.early import WAVE, add_course, cut_waves, order_tasks
from pytest_coderobust.gates import Gate, decide, parse_gate
from pytest_coderobust.gates.bets import STAKES, Bets, Capital, make_form
from pytest_coderobust.gates.watch import GateWatch, read_planned
from pytest_coderobust.metrics.condition import score_task
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import Cell, SuiteRun

RATE_GATES = (
    "pass@1 >= 0.7", "pass@1 < 0.4", "pass@1[C1] >= 0.5", "rd[C1] <= 0.15", "rd <= 0.3",
    "rd[C2] >= -0.2", "rd > 0.5", "robust_pass@1 >= 0.4", "robust_drop[C1] <= 0.5",
    "robust_relative < 0.3", "pass@2[C1] >= 0.6",
)  # fmt: skip
COUNT_GATES = (
    "broken <= 0", "broken[C1] <= 3", "solved >= 20", "unsolved < 5", "robust >= 10",
    "skipped <= 2", "unusable <= 0", "unchecked <= 1", "truncated <= 4",
)  # fmt: skip


def gate(text: str, confidence: float | None = None) -> Gate:
    return parse_gate({"gate": text, **({"confidence": confidence} if confidence else {})}, "x")


def capital(scores: list[float], worst: float) -> float:
    made = Capital(worst)
    made.take(scores)
    return made.value


def test_capital_is_the_mean_over_the_stakes_of_what_each_wins() -> None:
    scores = [Fraction(3, 10), Fraction(-7, 10), Fraction(3, 10), Fraction(1, 10)]
    total = Fraction(0)
    for place in range(1, STAKES + 1):
        stake = Fraction(place, STAKES + 1) / Fraction(7, 10)
        held = Fraction(1)
        for score in scores:
            held *= 1 + stake * score
        total += held
    assert capital([float(score) for score in scores], 0.7) == pytest.approx(float(total / STAKES))


@pytest.mark.parametrize(("low", "high"), [(-0.7, 0.3), (-0.15, 0.85), (-0.85, 1.0)])
def test_nobody_wins_where_the_mean_is_zero(low: float, high: float) -> None:
    """All outcomes of seven tasks that score an end each, by their chances: a fair game."""
    chance = {low: high / (high - low), high: -low / (high - low)}
    expected = 0.0
    for scores in product((low, high), repeat=7):
        weight = 1.0
        for score in scores:
            weight *= chance[score]
        expected += weight * capital(list(scores), -low)
    assert expected == pytest.approx(1)


@given(st.lists(st.floats(-0.4, 0.6), max_size=30), st.integers(0, 30))
def test_looks_and_order_between_them_do_not_matter(scores: list[float], cut: int) -> None:
    whole, halves = Capital(0.4), Capital(0.4)
    whole.take(scores)
    halves.take(list(reversed(scores[:cut])))
    halves.take(scores[cut:])
    assert whole.value == pytest.approx(halves.value)


def test_bets_decide_on_the_side_that_the_scores_take() -> None:
    for score, met in ((0.2, True), (-0.8, False)):
        bets = Bets(-0.8, 0.2)
        assert bets.decision(0.01) is None
        bets.take([score] * 60)
        assert bets.decision(0.01) is met
    even = Bets(-0.8, 0.2)
    even.take([0.2, 0.2, 0.2, 0.2, -0.8] * 40)
    assert even.decision(0.01) is None


Row = tuple[int | str, int | str, int | str, int | str]
outcomes = st.sampled_from([0, 1, 2, 2, 2, "skip"])
rows = st.lists(
    st.tuples(outcomes, outcomes, outcomes, outcomes) | st.just(("unusable",) * 4),
    min_size=1,
    max_size=3 * WAVE,
)


def run_of(found: list[Row]) -> SuiteRun:
    table: dict[str, dict[str, Outcome]] = {
        f"T/{place}": dict(zip(("clean", "C1-s0", "C1-s1", "C2-s0"), row, strict=True))
        for place, row in enumerate(found)
    }
    return suite_run(table, n=2, ks=(1, 2))


@given(rows, st.sampled_from(RATE_GATES))
def test_mean_score_has_the_sign_of_the_gate(found: list[Row], text: str) -> None:
    run, watched = run_of(found), gate(text)
    (outcome,) = decide([watched], summarise(run), run)
    form, cells = make_form(watched), read_planned(run).read_by(watched)
    by_task = [
        [o for o in run.observations if o.task_id == task and o.cell in cells and o.measured]
        for task in run.tasks
    ]
    scores = [form.score(score_task(watched.k or 1, seen)) for seen in by_task if seen]
    assert all(form.low - 1e-12 <= score <= form.high + 1e-12 for score in scores)
    if outcome.value is not None and abs(total := sum(scores)) > 1e-9:
        assert (total > 0) == (outcome.outcome == "holds")


@given(rows, st.sampled_from(RATE_GATES + COUNT_GATES))
def test_what_is_settled_without_a_confidence_is_what_the_whole_run_says(
    found: list[Row], text: str
) -> None:
    run, watched = run_of(found), gate(text)
    (whole,) = decide([watched], summarise(run), run)
    panel = GateWatch([watched], read_planned(run))
    seen = {(o.task_id, o.cell): o for o in run.observations}
    for wave in cut_waves(order_tasks(run.tasks, 0)):
        panel.take(wave, seen)
        if (settled := panel.settled[0]) is not None:
            assert whole.outcome == ("holds" if settled.met else "fails")
    assert text in RATE_GATES or panel.settled[0] or whole.outcome == "not judged"


@pytest.mark.parametrize("first", [(2, 2, 2, 2), (0, 0, 0, 0), (2, 0, 0, 0), (1, 2, 1, 1)])
@pytest.mark.parametrize("rest", [(2, 2, 2, 2), (0, 0, 0, 0), (2, 0, 0, 0), (2, 1, 2, 2)])
def test_a_wave_that_misleads_settles_nothing(first: Row, rest: Row) -> None:
    """All gates at once: after each wave only what the whole run says is settled."""
    names = [f"T/{place}" for place in range(3 * WAVE)]
    leading = set(order_tasks(names, 0)[:WAVE])
    run = run_of([first if name in leading else rest for name in names])
    gates = [gate(text) for text in RATE_GATES + COUNT_GATES]
    whole = decide(gates, summarise(run), run)
    panel = GateWatch(gates, read_planned(run))
    panel.take(order_tasks(names, 0)[:WAVE], {(o.task_id, o.cell): o for o in run.observations})
    for settled, outcome in zip(panel.settled, whole, strict=True):
        assert settled is None or outcome.outcome == ("holds" if settled.met else "fails")


def test_order_is_random_and_not_the_files() -> None:
    tasks = [f"T/{place}" for place in range(100)]
    order = order_tasks(tasks, 0)
    assert order == order_tasks(list(reversed(tasks)), 0)
    assert sorted(order) == sorted(tasks)
    assert order not in (tasks, order_tasks(tasks, 1))
    assert [len(wave) for wave in cut_waves(order)] == [WAVE] * 5
    assert [len(wave) for wave in cut_waves(range(5000))] == [100] * 50  # type: ignore[arg-type]


ALL_PASS: list[Row] = [(2, 2, 2, 2)] * 100


def partly(run: SuiteRun, tasks: int, why: str = "budget", cells: int = 4) -> SuiteRun:
    """The run with the first tasks, in asking order, under the first cells, and all clean ones."""
    asked = set(order_tasks(run.tasks, run.sampling.seed)[:tasks])
    kept = run.cells[:cells]
    seen = tuple(o for o in run.observations if o.task_id in asked and o.cell in kept)
    left = {(o.task_id, o.cell) for o in run.observations if o not in seen}
    return add_course(replace(run, observations=seen), dict.fromkeys(left, why))  # type: ignore[arg-type]


def test_settled_gates_are_decided_and_open_ones_are_inconclusive() -> None:
    run = partly(run_of(ALL_PASS), 40)
    gates = [gate("pass@1 >= 0.7", 0.95), gate("pass@1 >= 0.99", 0.95), gate("broken <= 3")]
    found = decide(gates, summarise(run), run)
    assert [outcome.outcome for outcome in found] == ["holds", "inconclusive", "inconclusive"]
    assert found[0].reason == "settled after 40 of 100 tasks"
    assert found[1].reason == run.incomplete
    assert run.incomplete == (
        "the budget ended after 40 of 100 tasks; 480 of 800 completions were not asked"
    )


def test_a_gate_whose_every_square_was_asked_has_what_looking_left_of_its_confidence() -> None:
    rows: list[Row] = [(2, 2, 2, 2)] * 60 + [(0, 0, 0, 0)] * 40
    run = partly(run_of(rows), 100, "settled", cells=3)
    early, last = (
        decide([gate("pass@1 >= 0.6", confidence)], summarise(plain), plain)[0]
        for plain, confidence in ((run, 0.95), (run_of(rows), 0.96))
    )
    assert early.interval == last.interval
    assert early.gate.confidence == 0.95
    assert (early.outcome, last.outcome) == ("inconclusive", "inconclusive")


def test_items_that_are_missing_for_another_reason_make_a_run_partial() -> None:
    run = partly(run_of(ALL_PASS), 40)
    lost = replace(run, observations=run.observations[1:], course=None, incomplete="lost")
    left = {(o.task_id, o.cell) for o in run_of(ALL_PASS).observations} - {
        (o.task_id, o.cell) for o in run.observations
    }
    again = add_course(lost, dict.fromkeys(left, "budget"))  # type: ignore[arg-type]
    assert again.course is None
    (outcome,) = decide([gate("pass@1 >= 0.7", 0.95)], summarise(again), again)
    assert outcome.outcome == "not judged"


def test_a_cell_is_asked_while_an_open_gate_reads_it_and_unread_cells_to_the_end() -> None:
    run = run_of(ALL_PASS)
    gates = [gate("rd[C1] <= 0.9", 0.95), gate("pass@1 >= 0.95", 0.95)]
    panel = GateWatch(gates, read_planned(run))
    seen = {(o.task_id, o.cell): o for o in run.observations}
    assert panel.needed == set(run.cells)
    panel.take(order_tasks(run.tasks, 0)[:20], seen)
    assert panel.settled[0] is not None
    assert panel.settled[1] is None
    assert panel.needed == {Cell(), Cell("C2")}
    loose = GateWatch([gate("pass@1 >= 0.5", 0.95)], read_planned(run))
    loose.take(order_tasks(run.tasks, 0)[:20], seen)
    assert loose.needed == frozenset()


def test_gates_that_the_plan_cannot_answer_are_never_settled() -> None:
    run = run_of(ALL_PASS)
    panel = GateWatch([gate("broken[W1] <= 3"), gate("pass@5 >= 0.1", 0.95)], read_planned(run))
    panel.take(run.tasks, {(o.task_id, o.cell): o for o in run.observations})
    assert panel.settled == [None, None]


def test_a_drop_is_not_settled_while_nothing_is_solved() -> None:
    run = run_of([(0, 0, 0, 0)] * 60)
    panel = GateWatch([gate("rd <= 0.9"), gate("rd <= 0.9", 0.95)], read_planned(run))
    panel.take(run.tasks, {(o.task_id, o.cell): o for o in run.observations})
    assert panel.settled == [None, None]


def test_errors_stay_below_what_the_confidence_says() -> None:
    found = simulate("pass@1 >= 0.5", 164, 0.5, 0.9, 400)
    # 400 runs: three standard errors above 0.05.
    assert found.holds + found.fails <= 0.05 + 0.033


def test_clear_suites_end_early_with_the_right_outcome() -> None:
    better = simulate("pass@1 >= 0.5", 164, 0.8, 0.9, 100)
    worse = simulate("pass@1 >= 0.5", 164, 0.2, 0.9, 100)
    assert min(better.holds, worse.fails) == 1
    assert max(better.asked, worse.asked) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "rate", "kept"),
    [("pass@1 >= 0.5", 0.5, 0.9), ("pass@1 >= 0.8", 0.8, 0.9), ("rd[C1] <= 0.15", 0.8, 0.85)],
)
def test_errors_in_2000_runs(text: str, rate: float, kept: float) -> None:
    """At the boundary, where erring is easiest; a right confidence errs in 5 % of the runs."""
    found = simulate(text, 164, rate, kept, 2000)
    assert found.holds + found.fails <= 0.05 + 0.015
    assert found.early <= 0.01 + 0.0067
