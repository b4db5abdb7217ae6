"""Sweeps over layers: histograms of key layers and restoration, by hand, and as rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.metrics.layer_sweep import sweep_layers
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.editing import EditFacts, TracedRequest
from pytest_coderobust.reporting.layer_rows import make_layer_tables, render_sweep

TRACED = (
    TracedRequest("C1", "A", 1, (0.0, 1.0, 0.5)),
    TracedRequest("C1", "B", 1, (0.2, 0.6, 0.0)),
    TracedRequest("C3", "A", None, (0.0, 0.0, 0.0)),
    TracedRequest("C1", "C", None, (0.0, 0.0, 0.0)),
    TracedRequest("C1", "D", 0, (0.6, 0.0, 0.1)),
)


def test_layers_are_counted_by_perturbation() -> None:
    first, second = sweep_layers(TRACED)
    assert (first.perturbation, first.requests, first.none) == ("C1", 4, 1)
    assert dict(first.keys) == {0: 1, 1: 2}
    assert [each.value for each in first.restored] == pytest.approx([0.2, 0.4, 0.15])
    for each in first.restored:
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
        assert each.high > each.low
    assert (second.requests, second.none, dict(second.keys)) == (1, 1, {})
    assert second.restored[0].low is None, "one request has no interval"


@given(st.lists(st.tuples(st.sampled_from("AB"), st.none() | st.integers(0, 2)), min_size=1))
def test_each_request_is_counted_once(drawn: list[tuple[str, int | None]]) -> None:
    traced = [TracedRequest(name, str(n), key, (0.1,) * 3) for n, (name, key) in enumerate(drawn)]
    sweeps = sweep_layers(traced)
    assert sum(each.requests for each in sweeps) == len(drawn)
    for sweep in sweeps:
        assert sum(sweep.keys.values()) + sweep.none == sweep.requests


def test_rows_have_the_numbers_and_fit_a_terminal() -> None:
    first, _ = sweep_layers(TRACED)
    (table,) = make_layer_tables([first])
    assert table.heading.startswith("C1: key layers of 4 requests, 1 without one")
    assert [(row.name, row.keys, row.share) for row in table.rows] == [
        ("layer 0", 1, 0.25), ("layer 1", 2, 0.5), ("layer 2", 0, 0.0)]  # fmt: skip
    assert all(0 <= row.low <= row.value <= row.high <= 1 for row in table.rows)
    lines = render_sweep(first)
    assert max(map(len, lines)) <= 80
    assert "##########" in lines[4]


def test_facts_without_a_trace_keep_their_bytes() -> None:
    assert "profile" not in json.dumps(encode(EditFacts("weights", (1,))))
    for each in TRACED:
        assert decode(TracedRequest, json.loads(json.dumps(encode(each)))) == each
