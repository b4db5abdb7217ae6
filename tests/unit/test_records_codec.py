"""Records as JSON: every value comes back equal, and the bytes of earlier versions stay."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from support.metrics_runs import result_of, suite_run

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import (
    Adoption,
    ApiChange,
    Cell,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    SuiteRun,
)
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.editing import (
    EditFacts,
    EditRecord,
    ItemChange,
    Passes,
    Trial,
    dump,
    load,
)

RECORD = EditRecord(
    "C1",
    2,
    ("HumanEval/0", "T/\ud800"),
    EditFacts("weights", (3, 5), 1.25, 512.0, None),
    own=(
        Trial(
            "HumanEval/0",
            0,
            Passes(10, 9),
            Passes(10, 1),
            Passes(10, 8),
            Passes(10, 2),
            (Passes(10, 0), Passes(10, 3)),
        ),
    ),
    trials=(Trial("HumanEval/1", 4, Passes(1, 1), Passes(1, 0), Passes(1, 1)),),
    clean=(ItemChange("HumanEval/2", 0, Passes(1, 1), Passes(1, 0)),),
    perturbed=(ItemChange("HumanEval/2", 1, Passes(1, 0), Passes(1, 1)),),
)
WRITTEN_RECORD = (
    '{"clean": [{"after": {"c": 0, "n": 1}, "before": {"c": 1, "n": 1}, "seed": 0, "task": '
    '"HumanEval/2"}], "facts": {"drift": null, "kind": "weights", "layers": [3, 5], "peak_mb": '
    '512.0, "seconds": 1.25}, "number": 2, "own": [{"after": {"c": 8, "n": 10}, "before": {"c": '
    '1, "n": 10}, "control": {"c": 2, "n": 10}, "original": {"c": 9, "n": 10}, "placebos": '
    '[{"c": 0, "n": 10}, {"c": 3, "n": 10}], "seed": 0, "task": "HumanEval/0"}], '
    '"perturbation": "C1", "perturbed": [{"after": {"c": 1, "n": 1}, "before": {"c": 0, "n": '
    '1}, "seed": 1, "task": "HumanEval/2"}], "tasks": ["HumanEval/0", "T/\\ud800"], "trials": '
    '[{"after": {"c": 1, "n": 1}, "before": {"c": 0, "n": 1}, "control": null, "original": '
    '{"c": 1, "n": 1}, "placebos": [], "seed": 4, "task": "HumanEval/1"}]}'
)
"""The record as it was written before it had the codec of every record."""

OBSERVATION = Observation(
    "HumanEval/0",
    Cell("C1", 2),
    Status.BROKEN,
    10,
    0,
    10,
    9,
    1,
    checked=False,
    member="mix \x00",
    reason="why \ud800",
    adoptions=(Adoption.CORRECT, Adoption.NONE),
    in_process=True,
    self_edited=True,
)
WRITTEN_OBSERVATION = (
    '{"adoptions": ["correct", "none"], "c": 0, "cell": {"perturbation": "C1", "seed": 2}, '
    '"checked": false, "clean_c": 9, "clean_n": 10, "in_process": true, "member": "mix \\u0000", '
    '"n": 10, "reason": "why \\ud800", "self_edited": true, "stale": 0, "status": "broken", "task_id": '
    '"HumanEval/0", "truncated": 1, "unfinished": 0}'
)
MODEL = ModelIdentity("tiny", "abc", {"z": "1", "a": "\u20ac"})
WRITTEN_RUN = (
    '{"model": {"name": "tiny", "digest": "abc", "facts": {"z": "1", "a": "\\u20ac"}}, '
    '"tier": "ns"}'
)


def test_a_run_and_its_gates_come_back_equal_through_json() -> None:
    table = {"T/\ud800": {"clean": 1, "C1-s0": 0}, "T/1": {"clean": "skip", "C1-s0": "unusable"}}
    run = replace(
        suite_run(table, n=2, notes=("a note",)),
        api_changes=(ApiChange("a.b", "c"),),
        sampling=Sampling(2, 1, stop=("x",)),
    )
    gates = result_of(run, "rd[C1] <= 0.1", {"gate": "pass@1 >= 0.5", "inconclusive": "pass"}).gates
    assert decode(SuiteRun, json.loads(json.dumps(encode(run)))) == run
    back = decode(tuple[GateOutcome, ...], json.loads(json.dumps(encode(gates))))
    assert back == gates


def test_an_edit_has_the_bytes_of_earlier_versions() -> None:
    assert dump(RECORD) == WRITTEN_RECORD
    assert load(WRITTEN_RECORD) == RECORD
    facts = EditFacts("adapter", (1,), 0.5, 2.0, 1e-3)
    written = '{"kind": "adapter", "layers": [1], "seconds": 0.5, "peak_mb": 2.0, "drift": 0.001}'
    assert json.dumps(encode(facts)) == written
    assert decode(EditFacts, json.loads(written)) == facts
    told = replace(facts, notes=("85 % of the error was kept",))
    assert decode(EditFacts, json.loads(json.dumps(encode(told)))) == told


def test_a_ledger_has_the_bytes_of_earlier_versions(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    ledger.describe("run", "toy", MODEL, "ns")
    ledger.observe("run", OBSERVATION)
    assert ledger.observations("run") == (OBSERVATION,)
    assert ledger.description("run") == (MODEL, "ns")
    ledger.close()
    with sqlite3.connect(path) as database:
        written = database.execute("SELECT body FROM observations").fetchone()
        described = database.execute("SELECT description FROM runs").fetchone()
    database.close()
    assert written == (WRITTEN_OBSERVATION,)
    assert described == (WRITTEN_RUN,)
    earlier = json.loads(WRITTEN_OBSERVATION)
    for later in ("unfinished", "stale"):  # as ledgers had it before these were told apart
        del earlier[later]
    assert decode(Observation, earlier) == OBSERVATION


@pytest.mark.parametrize(
    "value",
    [{"n": "one"}, {"unknown": 1}, {"stop": 3}, {"stop": "text"}, ["n", 1], "text", None],
)
def test_another_shape_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        decode(Sampling, value)
