"""Edits of a study on the bundled model: made once, refused with a reason, undone, resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.migration_suite import LEN, make_rows, write_suite

from pytest_coderobust.cli import main
from pytest_coderobust.migration.study.result import StudyResult, read_study

ARMS = "none,placebo,wrong-change,lora:steps=8,lr=0.02"
STILL = "ft:steps=1,lr=1e-7,epsilon=1e-7"


def run(suite: Path, *words: str, arms: str = ARMS) -> StudyResult:
    """The study of the command line, in this process."""
    ledger, document = suite.parent / "ledger.sqlite", suite.parent / "study.json"
    named = ["study", str(suite.parent), "--model", "tiny", "--arms", arms]
    assert main([*named, "--json", str(document), "--ledger", str(ledger), *words]) == 0
    return read_study(json.loads(document.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = make_rows()
    # A third change is the removal of an API, which nothing can be edited for.
    gone = {"old": "sorted"}
    for place, name in enumerate(("generalisation", "generalisation")):
        row = dict(rows[4 + place]) | {
            "task_id": f"gone/{place}",
            "canonical_solution": f"    return len(sorted(x)) + {place}\n",
            "api_changes": [gone],
            "tags": [f"subset:{name}"],
            "test": f"def check(candidate):\n    assert candidate('abc') == {3 + place}\n",
        }
        rows.append(row)
    return write_suite(tmp_path_factory.mktemp("edits"), rows=rows, tokens=6)


@pytest.fixture(scope="module")
def instant(suite: Path) -> StudyResult:
    return run(suite)


def test_edits_tell_what_they_did_and_what_they_cost(instant: StudyResult) -> None:
    lora = instant.arm("lora:steps=8,lr=0.02")
    assert lora is not None
    by_change = {edit.changes[0]: edit for edit in lora.edits}
    assert (
        by_change["sorted -> removed"].refused == "sorted was removed, and nothing takes its place"
    )
    edit = by_change["math.sqrt -> math.square_root"]
    assert edit.requests == ("root/0[math.sqrt-s0]", "root/1[math.sqrt-s0]")
    assert edit.nll_before is not None
    assert edit.nll_after is not None
    assert edit.nll_after < edit.nll_before
    assert edit.met in (True, False)
    assert edit.seconds > 0
    assert lora.seconds == pytest.approx(sum(each.seconds for each in lora.edits), abs=0.01)
    assert lora.refused == 1


@pytest.mark.slow  # cut: test_editors_fit refuses it, and here the edit for a removed API is
def test_an_edit_that_moves_nothing_leaves_the_unedited_answers(suite: Path) -> None:
    study = run(suite, arms=f"none,{STILL}")
    still, none = study.arm(STILL), study.arm("none")
    assert still is not None
    assert none is not None
    assert still.refused == len(still.edits) == 3
    assert all(
        "moved nothing" in edit.refused
        or "removed" in edit.refused
        or "changed no weight" in edit.refused
        for edit in still.edits
    )
    for mine, plain in zip(still.final.subsets, none.final.subsets, strict=True):
        assert (mine.rates, mine.stages, mine.adoption) == (
            plain.rates,
            plain.stages,
            plain.adoption,
        )
    assert still.final.regressions == none.final.regressions


@pytest.mark.slow  # cut: test_editors_contract holds each of them to what an editor is
@pytest.mark.parametrize(
    ("arm", "form"),
    [
        ("a-grace:train=tiny:train,cases=24,least=0,gain=0,replace=all", "solution"),
        ("malmen:train=tiny:train,layers=6-7,steps=1,edits=1,cases=8,rank=4,eta=0.001", "solution"),
        ("memit:lam=5", "decision"),
        ("pmet:lam=5", "decision"),
    ],
)
def test_every_editor_takes_requests_of_changed_apis(suite: Path, arm: str, form: str) -> None:
    study = run(suite, arms=f"none,{arm}")
    found, none = study.arms[1], study.arm("none")
    assert none is not None
    assert found.kind == "editor"
    assert found.request_form == form
    made = {edit.changes[0]: edit for edit in found.edits if not edit.refused}
    assert set(made) == {"len -> length_of", "math.sqrt -> math.square_root"}
    for edit in made.values():
        assert len(edit.requests) == 2
        assert edit.nll_before is not None
        assert edit.nll_after is not None
        assert edit.nll_after < 0.95 * edit.nll_before
    assert run(suite, arms=f"none,{arm}") == study


def test_controls_are_those_of_the_first_editor(instant: StudyResult) -> None:
    placebo, wrong = instant.arm("placebo"), instant.arm("wrong-change")
    assert placebo is not None
    assert wrong is not None
    assert (placebo.kind, wrong.kind) == ("control", "control")
    assert placebo.refused == 1  # of the change without an edit
    right = instant.arms[-1]
    # A placebo is of the same edit; a wrong change is an edit of its own.
    assert [each.nll_after for each in placebo.edits] == [each.nll_after for each in right.edits]
    taught = [each.nll_after for each in wrong.edits if each.nll_after is not None]
    assert len(taught) == 2
    assert taught != [each.nll_after for each in right.edits if each.nll_after is not None]


def test_a_second_run_edits_nothing_and_says_the_same(
    suite: Path, instant: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an edit was made again")

    monkeypatch.setattr("pytest_coderobust.editors.computing.open_editor", refuse)
    again = run(suite)
    assert again == instant


@pytest.mark.slow  # cut: test_editors_fit writes batches one after the other
def test_successive_edits_accumulate(suite: Path) -> None:
    arms = "none,placebo,lora:steps=8,lr=0.02"
    study = run(suite, "--regime", "successive", arms=arms)
    lora = study.arm("lora:steps=8,lr=0.02")
    assert lora is not None
    assert [each.edits for each in lora.checkpoints] == [1, 2, 3]
    assert sum(bool(edit.refused) for edit in lora.edits) == 1
    assert [len(each.subsets) > 1 for each in lora.checkpoints][-1]
    assert run(suite, "--regime", "successive", arms=arms) == study


def test_a_command_tells_what_is_wrong(
    suite: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["study", str(tmp_path), "--model", "tiny"]) == 4
    assert "suite.toml: no such file" in capsys.readouterr().err
    assert main(["study", str(suite.parent), "--model", "oracle", "--arms", "rome"]) == 4
    told = capsys.readouterr().err
    assert (
        "--arms rome: model 'oracle' has no weights to edit; arms that need none are none, note"
        in told
    )
    assert main(["study", str(suite.parent), "--model", "tiny", "--regime", "sudden"]) == 4
    assert "--regime: 'sudden' is not a valid regime" in capsys.readouterr().err
    assert main(["study", str(suite.parent), "--model", "tiny", "--changes", "0"]) == 4
    assert main(["study", str(suite.parent), "--model", "tiny", "--arms", "rome:layer=99"]) == 4
    assert "layer 99 is out of range" in capsys.readouterr().err


def test_a_gate_that_fails_sets_the_exit_status(tmp_path: Path) -> None:
    write_suite(tmp_path, 'arms = ["none"]\ngates = ["stale[none] <= 0.5"]')
    assert (
        main(["study", str(tmp_path), "--model", "oracle", "--ledger", str(tmp_path / "l.sqlite")])
        == 0
    )
    shutil.copy(tmp_path / "suite.toml", tmp_path / "other.toml")
    write_suite(tmp_path, 'arms = ["none"]\ngates = ["pass@1[none] < 0.5"]')
    assert (
        main(["study", str(tmp_path), "--model", "oracle", "--ledger", str(tmp_path / "l.sqlite")])
        == 1
    )
    assert LEN["new"] == "length_of"
