from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.metrics_runs import result_of, suite_run

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.records import ApiChange, Sampling, SuiteRun
from pytest_coderobust.records.codec import plain, revived


def test_a_run_and_its_gates_come_back_equal_through_json() -> None:
    table = {"T/\ud800": {"clean": 1, "C1-s0": 0}, "T/1": {"clean": "skip", "C1-s0": "unusable"}}
    run = replace(
        suite_run(table, n=2, notes=("a note",)),
        api_changes=(ApiChange("a.b", "c"),),
        sampling=Sampling(2, 1, stop=("x",)),
    )
    gates = result_of(run, "rd[C1] <= 0.1", {"gate": "pass@1 >= 0.5", "inconclusive": "pass"}).gates
    assert revived(SuiteRun, json.loads(json.dumps(plain(run)))) == run
    back = revived(tuple[GateOutcome, ...], json.loads(json.dumps(plain(gates))))
    assert back == gates


@pytest.mark.parametrize("value", [{"n": "one"}, {"unknown": 1}, {"stop": 3}])
def test_another_shape_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        revived(Sampling, value)
