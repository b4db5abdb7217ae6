"""Gates about the quality of solutions: the share of syntax errors, decided by its value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.quality_runs import judged_result

from pytest_coderobust.errors import ConfigError
from pytest_coderobust.gates import GateOutcome, decide, parse_gate
from pytest_coderobust.gates.grammar import check_gates
from pytest_coderobust.gates.watch import GateWatch, read_planned
from pytest_coderobust.metrics.summary import Summary


def outcome(text: str, summary: Summary | None = None) -> GateOutcome:
    result = judged_result()
    (found,) = decide([parse_gate(text, "toy.toml")], summary or result.summary, result.run)
    return found


def test_the_share_of_a_condition_is_compared() -> None:
    quality = judged_result().summary.quality
    assert quality is not None
    shares = {each.name: each.syntax_share for each in quality.conditions}
    assert len({share.value for share in shares.values() if share}) > 1
    for name in ("clean", "C1", "all", "character"):
        share = shares[name]
        assert share is not None
        held = outcome(f"syntax_error_share[{name}] <= {share.value + 0.01}")
        assert (held.outcome, held.value) == ("holds", share.value)
        assert outcome(f"syntax_error_share[{name}] > {share.value}").outcome == "fails"
    assert outcome("syntax_error_share <= 1").value == getattr(shares["clean"], "value", None)


def test_without_the_judging_it_is_not_judged() -> None:
    summary = judged_result().summary
    found = outcome("syntax_error_share <= 1", replace(summary, quality=None))
    assert (found.outcome, found.value) == ("not judged", None)
    assert found.reason == "the quality of solutions was not judged: run with --quality"
    assert found.fails_session
    assert summary.quality is not None
    nothing = replace(summary.quality.conditions[0], syntax_share=None)
    empty = replace(summary, quality=replace(summary.quality, conditions=(nothing,)))
    assert outcome("syntax_error_share <= 1", empty).reason == (
        "no solution under clean was judged by pylint"
    )


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("syntax_error_share <= 2", "is a share between 0 and 1, not 2"),
        ("syntax_error_share@1 <= 0.1", "is a share of solutions and takes no @1"),
        ({"gate": "syntax_error_share <= 0.1", "confidence": 0.9}, "is decided by its value"),
        ("syntax_errors_share <= 0.1", "did you mean 'syntax_error_share'?"),
    ],
)
def test_a_gate_that_says_nothing_is_refused(gate: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_gate(gate, "toy.toml")
    assert message in str(caught.value)


def test_its_condition_must_be_planned() -> None:
    gates = [parse_gate(text, "x") for text in ("syntax_error_share <= 0", "pass@1 >= 0")]
    check_gates(gates, [1], [], {}, "x")
    wrong = parse_gate("syntax_error_share[C2] <= 0", "x")
    with pytest.raises(ConfigError, match="is about 'C2', which this suite does not measure"):
        check_gates([wrong], [1], ["C1"], {"C1": "character"}, "x")


def test_a_run_that_may_end_early_asks_all_for_it() -> None:
    run = judged_result().run
    watch = GateWatch([parse_gate("syntax_error_share <= 1", "x")], read_planned(run))
    found = {(seen.task_id, seen.cell): seen for seen in run.observations}
    watch.take(run.tasks, found)
    assert watch.settled == [None]
    assert watch.needed
