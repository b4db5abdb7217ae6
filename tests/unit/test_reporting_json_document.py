from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import Outcome, result_of, suite_run

from pytest_coderobust.records import Course, ModelIdentity, SuiteRun
from pytest_coderobust.reporting.json.document import dumps, make_document
from pytest_coderobust.results.result import DecidedRun

TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 1, "C2-s0": 0},
    "T/1": {"clean": 1, "C1-s0": 0, "C2-s0": "skip"},
    "T/2": {"clean": 0, "C1-s0": 0, "C2-s0": 0},
    "T/3": {"clean": "unusable", "C1-s0": "unusable", "C2-s0": "unusable"},
}


def validate(found: dict[str, object]) -> dict[str, Any]:
    """The document as a reader of the text gets it, checked against the published schema."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        files("pytest_coderobust.reporting.json").joinpath("schema.json").read_text()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    read = json.loads(dumps(found), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    jsonschema.Draft202012Validator(schema).validate(read)
    assert isinstance(read, dict)
    return read


def test_document_has_the_shape_that_readers_rely_on() -> None:
    found = validate(
        make_document([result_of(suite_run(TABLE), "rd[C1] <= 0.15", "pass@1 >= 0.30")])
    )
    assert list(found)[:7] == ["schema", "suite", "model", "complete", "metrics", "gates", "items"]
    assert (found["schema"], found["suite"], found["model"]) == (1, "toy", "tiny")
    assert found["complete"] is True
    assert list(found["metrics"]) == ["clean", "C1", "C2", "character", "all"]
    clean = found["metrics"]["clean"]
    assert (clean["pass@1"], clean["n"], clean["solved"]) == (2 / 3, 3, 2)
    assert "rd" not in clean
    c1 = found["metrics"]["C1"]
    assert c1["pass@1"] == 1 / 3
    assert c1["rd"] == pytest.approx(0.5)
    low, high = c1["intervals"]["pass@1"]
    assert low < 1 / 3 < high
    assert found["gates"][0]["outcome"] == "fails"
    assert found["gates"][1]["value"] == 2 / 3
    assert len(found["items"]) == 12
    assert found["items"][0]["task"] == "T/0"
    assert found["totals"]["unusable"] == [
        {"task": "T/3", "reason": "its canonical solution fails"}
    ]


def test_undefined_values_are_null() -> None:
    run = suite_run({"T/0": {"clean": 0, "C1-s0": 1, "C2-s0": "skip"}})
    found = validate(make_document([result_of(run, "rd[C1] <= 0.15")]))
    assert found["metrics"]["C1"]["rd"] is None
    assert found["metrics"]["C2"]["pass@1"] is None
    assert found["gates"][0]["value"] is None


def test_k_is_left_out_of_a_name_for_the_smallest_k_only() -> None:
    run = suite_run({"T/0": {"clean": 4, "C1-s0": 2}}, n=4, ks=(1, 2))
    found = validate(make_document([result_of(run)]))["metrics"]["C1"]
    assert (found["rd"], found["rd@2"]) == (0.5, pytest.approx(1 / 6))
    assert found["pass@1"] == 0.5
    assert found["pass@2"] == pytest.approx(5 / 6)
    assert found["clean_pass@1"] == found["clean_pass@2"] == 1.0
    assert {"robust_pass@2", "robust_drop@2", "robust_relative@2"} < set(found)


def test_partial_run_says_so() -> None:
    run = suite_run(TABLE, incomplete="3 of 12 items deselected")
    found = validate(make_document([result_of(run, "rd[C1] <= 0.15")]))
    assert found["complete"] is False
    assert found["incomplete"] == "3 of 12 items deselected"
    assert found["gates"][0]["outcome"] == "not judged"


def test_run_that_ended_early_says_how_far_it_went() -> None:
    course = Course("budget", tasks=1, asked=2, planned=4)
    run = replace(suite_run(TABLE), incomplete="the budget ended", course=course)
    found = validate(make_document([result_of(run, "pass@1 >= 0.1")]))
    assert found["early"] == {"ended": "budget", "tasks": 1, "asked": 2, "planned": 4}
    assert "early" not in make_document([result_of(suite_run(TABLE))])


def test_several_suites_stand_in_a_list() -> None:
    one = result_of(suite_run(TABLE))
    two = result_of(replace(suite_run(TABLE), suite="other"))
    found = validate(make_document([one, two]))
    assert [suite["suite"] for suite in found["suites"]] == ["toy", "other"]
    assert validate(make_document([])) == {"schema": 1, "suites": []}


def hostile(text: str) -> DecidedRun:
    table: dict[str, dict[str, Outcome]] = {
        f"{text}/0": {"clean": 1, "C1-s0": 0},
        f"{text}/1": {"clean": "unusable", "C1-s0": "unusable"},
    }
    run = suite_run(table, notes=(text,), model=ModelIdentity(text, text, {text: text}))
    observations = tuple(replace(o, reason=text, member=text) for o in run.observations)
    return result_of(replace(run, suite=text, incomplete=text, observations=observations))


@settings(max_examples=50)
@given(st.text(st.characters(codec=None)))
def test_any_text_survives_and_the_document_is_ascii(text: str) -> None:
    found = validate(make_document([hostile(text)]))
    assert found["model"] == found["suite"] == found["notes"][0] == text
    assert found["items"][0]["reason"] == text
    assert dumps(make_document([hostile(text)])).isascii()


def test_same_run_gives_the_same_bytes() -> None:
    def written(run: SuiteRun) -> str:
        return dumps(make_document([result_of(run, "rd[C1] <= 0.15")]))

    assert written(suite_run(TABLE)) == written(suite_run(TABLE))


def test_infinity_is_refused_rather_than_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps({"value": float("nan")})


def test_documented_example_is_a_real_document_shortened() -> None:
    text = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert validate(example)["metrics"]["C1"]["rd"] == 0.5
    table: dict[str, dict[str, Outcome]] = {
        "HumanEval/0": {"clean": 1, "C1-s0": 1},
        "HumanEval/1": {"clean": 1, "C1-s0": 0},
        "HumanEval/2": {"clean": 0, "C1-s0": "skip"},
    }
    run = replace(suite_run(table), suite="humaneval")
    found = validate(make_document([result_of(run, "rd[C1] <= 0.15")]))
    assert example["metrics"] == {name: found["metrics"][name] for name in ("clean", "C1")}
    assert example["items"][0] in found["items"]
    for shortened in ("metrics", "items"):
        del example[shortened], found[shortened]
    assert example == found
