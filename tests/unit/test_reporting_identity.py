"""The identity of a served model in every report, and nothing new in those of any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from support.metrics_runs import Outcome, result_of, suite_run
from support.report_runs import make_report

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.metrics.baseline import dumps, loads
from pytest_coderobust.records import IDENTITY, ModelIdentity, SuiteRun
from pytest_coderobust.reporting.html.view import list_facts
from pytest_coderobust.reporting.json.document import make_document
from pytest_coderobust.reporting.junit import list_properties
from pytest_coderobust.reporting.markdown.report import render_suite
from pytest_coderobust.reporting.terminal.report import render
from pytest_coderobust.session.baselines import add_baseline

TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 1},
    "T/1": {"clean": 1, "C1-s0": 0},
}


def served(tier: str, fingerprint: str = "f1", name: str = "prod") -> SuiteRun:
    model = ModelIdentity(name, fingerprint, {"model": "m", IDENTITY: f"{tier}: generation 0123"})
    return replace(suite_run(TABLE), model=model)


def test_the_tier_is_read_from_the_fact() -> None:
    assert ModelIdentity("m", "").served_tier == ""
    weak = served("stated, weak").model
    assert (weak.served_tier, weak.weak) == ("stated", True)
    assert (served("verified").model.served_tier, served("verified").model.weak) == (
        "verified",
        False,
    )


def test_json_and_terminal_tell_it_and_only_of_served_models() -> None:
    document = make_document([result_of(served("stated, weak"))])
    assert document["identity"] == {"tier": "stated", "weak": True}
    assert "identity" not in make_document([result_of(suite_run(TABLE))])
    text = render([result_of(served("observed"))], 80, colour=False)
    assert "identity: observed: generation 0123" in text


def test_pages_tell_it_and_only_of_served_models(tmp_path: Path) -> None:
    plain = make_report(tmp_path, TABLE)
    told = replace(plain, result=replace(plain.result, run=served("verified")))
    known = "verified: generation 0123"
    assert ("identity", known) in list_facts(told)
    assert "identity <code>verified&#58; generation 0123</code>; " in "".join(render_suite(told))
    assert ("coderobust.toy.identity", known) in list(list_properties(told))
    assert "identity" not in dict(list_facts(plain))
    assert "identity" not in "".join(render_suite(plain))
    assert not any(name.endswith("identity") for name, _ in list_properties(plain))


def test_the_header_of_a_baseline_has_it_and_only_of_served_models() -> None:
    header = json.loads(dumps(served("observed")).splitlines()[0])
    assert header["identity"] == "observed: generation 0123"
    assert list(header) == ["baseline", "suite", "model", "fingerprint", "identity", "measured"]
    assert loads(dumps(served("observed")), "b").identity == "observed: generation 0123"
    plain = json.loads(dumps(suite_run(TABLE)).splitlines()[0])
    assert list(plain) == ["baseline", "suite", "model", "fingerprint", "measured"]
    assert loads(dumps(suite_run(TABLE)), "b").identity == ""


def warned(before: SuiteRun, now: SuiteRun, tmp_path: Path) -> bool:
    """Whether a comparison of the two warns, which it does in a note."""
    file = tmp_path / "base.jsonl"
    file.write_text(dumps(before))
    found = add_baseline(result_of(now), file, BaselineRule(0.5))
    assert found.gates[-1].outcome in ("holds", "inconclusive", "fails")  # they are compared
    return any("only its name says that it is one model" in note for note in found.run.notes)


def test_two_observed_runs_are_compared_by_name_with_a_warning(tmp_path: Path) -> None:
    assert warned(served("observed"), served("observed", "f2"), tmp_path)
    assert not warned(served("observed"), served("observed"), tmp_path)  # one generation
    assert not warned(served("observed"), served("stated", "f2"), tmp_path)
    assert not warned(served("observed"), served("observed", "f2", "other"), tmp_path)
    assert not warned(suite_run(TABLE), served("observed"), tmp_path)
