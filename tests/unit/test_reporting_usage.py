"""Usage and refused rows of a served model in every report; other models' reports have no word of them."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from support.report_runs import make_report

from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import Bill, RefusalReason, SuiteRun, Usage
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.reporting.figures import describe_bill, format_money, format_tokens
from pytest_coderobust.reporting.formats import render_format
from pytest_coderobust.reporting.terminal.report import render
from pytest_coderobust.results.conclusion import SuiteReport, read_conclusions
from pytest_coderobust.results.suite_run import note_refused

BILL = Bill(Usage(9840, 12, 1_480_000, 900_000, 1_900_000, 20_000, 99.0, 7), 1260.0, 1.36, 2)
TOLD = (
    "9,840 requests (12 again), 1.48 M tokens in (900.0 k cached), 1.90 M out (20.0 k of thought), "
    "7 of them estimated, cost 1.36 usd, in 2 sessions"
)


def served(folder: Path, refused: int, bill: Bill | None = BILL) -> SuiteReport:
    """A report of 200 completions of which some were refused."""
    table = {f"T/{place}": {"clean": 1, "C1-s0": 0} for place in range(100)}
    report = make_report(folder, table)
    seen = report.run.observations
    marked = tuple(
        replace(o, refused=1) if place < refused else o
        for place, o in enumerate(o for o in seen if not o.cell.is_clean)
    )
    run = replace(
        report.run, observations=(*(o for o in seen if o.cell.is_clean), *marked), bill=bill
    )
    run = note_refused(run)
    return replace(report, result=replace(report.result, run=run, summary=summarise(run)))


def test_one_line_tells_what_was_asked(tmp_path: Path) -> None:
    assert describe_bill(BILL) == TOLD
    assert (
        describe_bill(Bill(Usage(1, 0, 30, 0, 5), sessions=1)) == "1 requests, 30 tokens in, 5 out"
    )
    watched = replace(BILL, watching=Usage(36), unsure_cost=0.07)
    assert describe_bill(watched) == TOLD.replace(
        "(12 again)", "(12 again), 36 of them canary"
    ).replace("1.36 usd", "1.36 usd (1.43 usd at most, with what was sent again)")
    report = served(tmp_path, 0)
    text = " ".join(render([report.result], 400, colour=False).split())
    assert f"usage {TOLD}" in text
    for name in ("markdown", "html"):
        assert TOLD in render_format(name, [report])


REASONS = (RefusalReason("400: prompt of 812 tokens\x1b[31m <b>", 2), RefusalReason("filter", 1))


def test_the_first_reason_of_refusals_is_told_and_foreign_text_is_harmless(tmp_path: Path) -> None:
    report = served(tmp_path, 3)
    run = replace(report.run, refusals=REASONS)
    told = replace(report, result=replace(report.result, run=run))
    document = json.loads(render_format("json", [told]))
    schema = json.loads((files("pytest_coderobust.reporting.json") / "schema.json").read_text())
    jsonschema.validate(document, schema)
    assert document["refusals"] == [
        {"reason": each.told, "completions": each.rows} for each in REASONS
    ]
    words = "2 of them, and 1 other reason: "
    text = render([told.result], 400, colour=False)
    assert words + "400: prompt of 812 tokens\\x1b[31m <b>" in text
    page = render_format("html", [told])
    assert words in page
    assert "&lt;b&gt;" in page.partition(words)[2][:80]
    assert f"  - {words}<code>400&#58; prompt" in render_format("markdown", [told])
    for name in ("json", "html", "markdown"):
        assert "other reason" not in render_format(name, [served(tmp_path / "plain", 3)])


def test_a_conclusion_keeps_the_reasons_and_has_no_word_of_them_where_there_are_none(
    tmp_path: Path,
) -> None:
    run = replace(make_report(tmp_path, {"T/0": {"clean": 1}}).run, refusals=REASONS)
    assert decode(SuiteRun, encode(run)).refusals == REASONS
    assert "refusals" not in encode(replace(run, refusals=()))


@pytest.mark.parametrize("refused", [0, 2, 3])
def test_refused_rows_are_counted_and_more_than_one_in_a_hundred_is_partial(
    tmp_path: Path, refused: int
) -> None:
    report = served(tmp_path, refused)
    document = json.loads(render_format("json", [report]))
    schema = json.loads((files("pytest_coderobust.reporting.json") / "schema.json").read_text())
    jsonschema.validate(document, schema)
    assert document["totals"].get("refused") == (refused or None)
    assert document["metrics"]["C1"].get("refused") == (refused or None)
    assert "refused" not in document["metrics"]["clean"]
    assert sum(item.get("refused", 0) for item in document["items"]) == refused
    assert document["usage"]["input"] == 1_480_000
    assert document["complete"] is (refused <= 2)
    assert report.run.incomplete == (
        "the server refused 3 of 200 completions; a new run asks for them again"
        if refused > 2
        else ""
    )
    for name in ("markdown", "html"):
        told = f"refused by the server: {refused} of 200 completions"
        assert (told in render_format(name, [report])) is (refused > 0)


def test_models_that_are_not_served_have_no_word_of_it(tmp_path: Path) -> None:
    report = served(tmp_path, 0, None)
    for text in (
        render([report.result], 100, colour=False),
        *(render_format(name, [report]) for name in ("json", "markdown", "html")),
    ):
        assert "usage" not in text.casefold().replace("usage error", "")
        assert "refused" not in text
    (stored,) = read_conclusions(Ledger(tmp_path / "ledger.sqlite"))
    assert {"bill", "waves"}.isdisjoint(stored.body["run"])


def test_numbers_are_written_as_people_say_them() -> None:
    assert [format_tokens(n) for n in (0, 812, 9999, 10_000, 1_480_000)] == [
        "0", "812", "9999", "10.0 k", "1.48 M",
    ]  # fmt: skip
    assert [format_money(cost) for cost in (0, 0.0042, 0.1, 20.756)] == [
        "0.00 usd", "0.0042 usd", "0.10 usd", "20.76 usd",
    ]  # fmt: skip
