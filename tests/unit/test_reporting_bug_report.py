"""Bug reports of minimal failures, and of what a run broke."""

from __future__ import annotations

import json
from pathlib import Path

from support.metrics_runs import Outcome
from support.report_runs import CLEAN_PROMPT, make_report

from coderobust_strategies import Edit
from pytest_coderobust.hunting.failure import Failure, ShownPrompt, Votes
from pytest_coderobust.hunting.store import Failures
from pytest_coderobust.records import Completion, Level, ModelIdentity, Sampling, Verdict
from pytest_coderobust.reporting.bugs.folder import write_bugs
from pytest_coderobust.reporting.bugs.report import make_bug_reports
from pytest_coderobust.results.known_failures import read_failures

TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 0, "C2-s0": 0},
    "T/1": {"clean": 1, "C1-s0": 0, "C2-s0": 1},
}


def failure(fingerprint: str, task: str = "T/0", **changed: object) -> Failure:
    place = CLEAN_PROMPT.index("number")
    edit = Edit(place, place + 6, "nmuber", "swap")
    good, bad = (
        Verdict(Level.FULL, 3, 3),
        Verdict(Level.LOAD, 0, 3, "wrong-answer", "assert 1 == 2"),
    )
    return Failure(
        suite="toy.toml", task_id=task, entry_point="f", model=ModelIdentity("tiny", fingerprint, {}),
        sampling=Sampling(), perturbation="mix_all", member="C2", seed=1, edits=(edit,),
        first_edits=(edit,), minimal=True, votes=Votes(1, 1), reproduce="pytest again",
        clean=ShownPrompt(CLEAN_PROMPT, (Completion("    return x\n", "eos"),), (good,)),
        broken=ShownPrompt(CLEAN_PROMPT.replace("number", "nmuber"), (Completion("    return 0\n", "eos"),), (bad,)),
        **changed,  # type: ignore[arg-type]
    )  # fmt: skip


def test_minimal_failures_stand_for_their_tasks(tmp_path: Path) -> None:
    report = make_report(tmp_path, TABLE)
    mine = failure(report.run.model.digest)
    found = list(make_bug_reports(report, [mine, failure("another model", "T/1")]))
    assert [(bug.task, bug.condition, bug.minimal) for bug in found] == [
        ("T/0", "mix_all (C2-s1)", True),
        ("T/1", "C1-s0", False),
    ]
    assert found[0].reproduce == "pytest again"
    assert found[0].environment == {"python": "3.11"}
    assert [change.replacement for change in found[0].changes] == ["nmuber"]


def test_mended_failures_are_passed_over(tmp_path: Path) -> None:
    report = make_report(tmp_path, TABLE)
    mended = failure(report.run.model.digest, state="fixed")
    assert [bug.minimal for bug in make_bug_reports(report, [mended])] == [False] * 3


def test_folder_holds_what_the_index_names(tmp_path: Path) -> None:
    report = make_report(tmp_path, TABLE)
    Failures(tmp_path / "failures").write(failure(report.run.model.digest))
    write_bugs([report], read_failures(tmp_path / "failures", [report]), tmp_path / "bugs")
    index = (tmp_path / "bugs" / "index.md").read_text(encoding="utf-8")
    names = {path.stem for path in (tmp_path / "bugs").glob("*.json")}
    assert len(names) == 2
    assert all(f"[{name}]({name}.md)" in index for name in names)
    bug = next(
        found
        for path in (tmp_path / "bugs").glob("T-0-*.json")
        if (found := json.loads(path.read_text()))
    )
    assert bug["broken"]["sample"]["detail"] == "assert 1 == 2"
    text = (tmp_path / "bugs" / f"{bug['id']}.md").read_text(encoding="utf-8")
    for expected in ("a minimal change", "pytest again", "assert 1 == 2", "return 0", "return x"):
        assert expected in text
