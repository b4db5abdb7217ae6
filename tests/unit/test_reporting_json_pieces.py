"""The JSON document in pieces: the bytes of the whole, without the whole in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import result_of, suite_run
from support.report_runs import hostile_report

from pytest_coderobust.reporting.formats import render_format, write_format
from pytest_coderobust.reporting.json.document import dumps, make_document
from pytest_coderobust.reporting.json.items import delay_items
from pytest_coderobust.reporting.json.pieces import LazyRows, iterate_json

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
)
ROW = st.dictionaries(ANY_TEXT, PLAIN | st.lists(PLAIN, max_size=3), max_size=4)
ROWS = st.lists(ROW, max_size=3).map(lambda rows: LazyRows(lambda: rows))
VALUE = st.recursive(
    PLAIN | ROWS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=12,
)


def make_whole(value: Any) -> Any:
    """Puts lists where rows are."""
    if isinstance(value, LazyRows):
        return list(value.make())
    if isinstance(value, dict):
        return {name: make_whole(held) for name, held in value.items()}
    return [make_whole(held) for held in value] if isinstance(value, list) else value


@given(VALUE)
def test_pieces_are_the_text_of_the_whole(value: object) -> None:
    expected = json.dumps(make_whole(value), ensure_ascii=True, allow_nan=False, indent=1)
    assert "".join(iterate_json(value)) == expected


def test_a_row_is_made_when_it_is_written() -> None:
    made: list[int] = []

    def make() -> Iterator[Mapping[str, object]]:
        for number in range(3):
            made.append(number)
            yield {"number": number}

    pieces = iterate_json({"a": 1, "rows": LazyRows(make)})
    first = next(piece for piece in pieces if "number" in piece)
    assert (made, "0" in first) == ([0], True)


def test_what_cannot_be_written_is_found_before_the_first_piece() -> None:
    pieces = iterate_json({"rows": LazyRows(lambda: iter(())), "rate": math.nan})
    with pytest.raises(ValueError, match="not JSON compliant"):
        next(pieces)


def test_the_document_has_the_bytes_that_it_had_whole(tmp_path: Path) -> None:
    report = hostile_report(tmp_path)
    other = result_of(suite_run({"T/1": {"clean": 1, "C1-s0": "skip"}}))
    for results in ([report.result], [report.result, other], []):
        document = make_document(results, delay_items)
        assert "".join(iterate_json(document)) + "\n" == dumps(make_document(results))
    written = tmp_path / "report.json"
    write_format("json", [report], written)
    assert written.read_text(encoding="utf-8") == dumps(make_document([report.result]))
    assert render_format("json", []) == dumps(make_document([]))
