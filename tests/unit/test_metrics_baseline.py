from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.errors import DataError
from pytest_coderobust.gates.regression import compare_with_baseline
from pytest_coderobust.metrics.baseline import Baseline, dumps, loads, name_changed_parts
from pytest_coderobust.metrics.paired import count_squares
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import Cell, ModelIdentity, Sampling, SuiteRun


def whole(lost: int = 0, n: int = 40) -> SuiteRun:
    table: dict[str, dict[str, Outcome]] = {
        f"T/{i}": {"clean": 1, "C1-s0": int(i >= lost), "C1-s1": 1} for i in range(n)
    }
    return replace(suite_run(table), basis={"tasks": "t", "extractor": "e", "judge": "j"})


def judged_against(baseline: Baseline | str, run: SuiteRun, margin: float = 0.1) -> tuple[str, str]:
    outcome, _ = compare_with_baseline(baseline, BaselineRule(margin), run, summarise(run))
    return outcome.outcome, outcome.reason


def test_what_is_written_is_read_back() -> None:
    run = whole(3)
    found = loads(dumps(run), "base.jsonl")
    assert found.counts == count_squares(run)
    assert (found.suite, found.model, found.fingerprint) == ("toy", "tiny", "0123456789abcdef")
    assert name_changed_parts(found, run) == ""


def test_rows_are_words() -> None:
    table: dict[str, dict[str, Outcome]] = {
        "T/0": {"clean": 4, "C1-s0": 1, "C1-s1": "skip"},
        "T/1": {"clean": "unusable", "C1-s0": "unusable", "C1-s1": "unusable"},
    }
    assert dumps(suite_run(table, n=4)).splitlines()[1:] == [
        '{"task": "T/0", "perturbation": "clean", "seeds": {"0": "solved 4/4"}}',
        '{"task": "T/0", "perturbation": "C1", "seeds": {"0": "broken 1/4", "1": "skipped"}}',
        '{"task": "T/1", "perturbation": "clean", "seeds": {"0": "unusable"}}',
        '{"task": "T/1", "perturbation": "C1", "seeds": {"0": "unusable", "1": "unusable"}}',
    ]


@given(st.text(st.characters(codec=None), min_size=1))
def test_any_name_survives_in_ascii(name: str) -> None:
    run = suite_run({f"{name}/0": {"clean": 1, f"{name}-s0": 0}})
    text = dumps(run)
    assert text.isascii()
    assert len(text.splitlines()) == 3
    assert loads(text, "base.jsonl").counts == count_squares(run)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ":1: is not a valid line of a baseline: ''"),
        ('{"baseline": 2}\n', ":1: is not a valid baseline of version 1"),
        ('{"baseline": 1}\n', ":1: measured must be an object"),
        ('{"baseline": 1, "measured": {}}\n{"task": "T"}\n', ":2: a row has task, perturbation"),
        (
            '{"baseline": 1, "measured": {}}\n{"task": "T", "perturbation": "C1", "seeds": {"0": "robust 2/1"}}\n',
            ":2: seed '0' has 'robust 2/1'",
        ),
        ("<<<<<<< ours\n", ":1: is not a valid line of a baseline: '<<<<<<< ours'"),
    ],
)
def test_what_is_no_baseline_is_refused_with_the_line(content: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        loads(content, "base.jsonl")
    assert str(error.value).startswith(f"base.jsonl{said}")


def test_another_model_and_another_sampling_seed_are_compared() -> None:
    run = whole()
    other = replace(
        run, model=ModelIdentity("edited", "ff"), sampling=Sampling(seed=7), tier="rlimits"
    )
    assert judged_against(loads(dumps(run), "b"), other) == ("holds", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"basis": {"tasks": "t", "extractor": "new", "judge": "j"}}, "the extractor"),
        ({"basis": {"tasks": "new", "extractor": "e", "judge": "j"}}, "the tasks"),
        ({"basis": {}}, "the tasks, their prompts or how they are perturbed and the extractor"),
        ({"sampling": Sampling(temperature=0.8)}, "how completions are sampled"),
        ({"solved_at": 1.0}, "solved_at"),
        ({"cells": (Cell(), Cell("C1", 0))}, "the perturbations or their seeds"),
        ({"suite": "other"}, "it is of the suite 'toy'"),
    ],
)
def test_changed_suite_is_not_compared(change: dict[str, object], said: str) -> None:
    run = whole()
    outcome, reason = judged_against(loads(dumps(run), "b"), replace(run, **change))  # type: ignore[arg-type]
    assert outcome == "not judged"
    assert said in reason


def test_part_of_a_run_is_not_compared_whatever_is_missing() -> None:
    run = whole()
    baseline = loads(dumps(run), "b")
    for part in (
        replace(run, observations=run.observations[:-1]),
        replace(run, observations=()),
        replace(run, incomplete="the processes disagree about the model or the suite"),
    ):
        assert judged_against(baseline, part)[0] == "not judged"
    assert judged_against("b is missing", run) == ("not judged", "b is missing")


def test_loss_within_the_margin_holds_and_beyond_it_fails() -> None:
    baseline = loads(dumps(whole()), "b")
    assert judged_against(baseline, whole(1)) == ("holds", "")
    assert judged_against(baseline, whole(30))[0] == "fails"
    outcome, reason = judged_against(baseline, whole(6))
    assert outcome == "inconclusive"
    assert "a run like this detects" in reason
