"""`--edit`: the base model and edited ones side by side, with controls, undone afterwards."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Project

import pytest_coderobust.reporting.json
from pytest_coderobust.editors.registry import EDITORS

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 14
max_unusable = 1.0
gates = ["rd[C1]@base >= 0.2", "rd[C1] <= 1.0", "pass@1@base >= 0.5"]
[sampling]
max_new_tokens = 48
[edit]
n = 2
placebos = 1
"""
EDIT = "ft:epsilon=0.01,lr=0.002,layer=1"
SCHEMA = Path(pytest_coderobust.reporting.json.__file__).parent / "schema.json"


@pytest.fixture
def quick(project: Project) -> Project:
    (project.path / "quick.toml").write_text(SUITE)
    return project


def edit(project: Project, *arguments: str, json_name: str = "out.json") -> pytest.RunResult:
    return project.run("quick.toml", "--model=tiny", f"--coderobust-json={json_name}", *arguments)


def completions(path: Path) -> dict[str, bytes]:
    database = sqlite3.connect(path)
    rows = dict(database.execute("SELECT key, text FROM completions"))
    database.close()
    return rows


def untimed(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what was timed."""
    found = json.loads(json.dumps(document))
    shown = [*found["edit"]["metrics"].values(), *(s["metrics"] for s in found["edit"]["steps"])]
    for metrics in shown:
        del metrics["seconds"], metrics["peak_mb"]
    del found["facts"]["threads"]  # chosen by timing
    return dict(found)


def test_base_and_edited_stand_side_by_side(quick: Project) -> None:
    result = edit(quick, f"--edit={EDIT}")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        ["edit  ft:*", "*scored on T=0.2, n=2", "*no edit*", "*placebo*", "layer   1 #*"]
    )
    found: Any = quick.json()
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(found)
    statuses = {item["status"] for item in found["base"]["items"]}
    assert statuses == {"solved", "unsolved", "robust", "broken"}
    assert "(" in found["facts"]["threads"]
    (step,) = found["edit"]["steps"]
    (own,) = step["tasks"]
    assert [i["task"] for i in found["items"] if i.get("self")] == [own, own]
    assert own not in {trial["task"] for trial in step["trials"]}
    assert step["own"][0]["task"] == own
    assert found["metrics"]["C1"]["n"] == found["base"]["metrics"]["C1"]["n"] == 13
    gates = {gate["gate"]: gate["value"] for gate in found["gates"]}
    assert gates["rd[C1]@base >= 0.2"] == found["base"]["metrics"]["C1"]["rd"]
    assert gates["rd[C1] <= 1.0"] == found["metrics"]["C1"]["rd"]


def test_literal_command_edits_by_creme(project: Project) -> None:
    (project.path / "pyproject.toml").write_text('[tool.coderobust]\nsuites = ["quick.toml"]\n')
    suite = SUITE.replace("limit = 14", "limit = 4")
    (project.path / "quick.toml").write_text(suite.replace("gates", "# gates"))
    result = project.run("--model", "tiny", "--edit", "creme")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["edit  creme", "C1*edit*", "*no edit*", "*placebo*", "layer *"])


@pytest.mark.slow
def test_two_processes_and_a_second_run_agree_and_repeat_nothing(quick: Project) -> None:
    first = edit(quick, f"--edit={EDIT}", "--coderobust-ledger=one.sqlite", json_name="one.json")
    assert first.ret == 0, first.stdout.str()
    before = completions(quick.path / "one.sqlite")
    # Answers that are lost come back the same: the edit is made again, the rest is read.
    database = sqlite3.connect(quick.path / "one.sqlite")
    database.execute("DELETE FROM completions WHERE key < '4'")
    database.commit()
    database.close()
    edit(quick, f"--edit={EDIT}", "--coderobust-ledger=one.sqlite", "-n2", json_name="two.json")
    assert completions(quick.path / "one.sqlite") == before
    assert untimed(quick.json("two.json")) == untimed(quick.json("one.json"))


WITNESS = """
import torch
import pytest
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.plugin.stash import SESSION

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    network = session.config.stash[SESSION].backend.load().model
    fresh = open_backend("tiny").load().model
    now, then = network.state_dict(), fresh.state_dict()
    same = now.keys() == then.keys() and all(torch.equal(now[name], then[name]) for name in then)
    hooks = [each for each in network.modules() if each._forward_hooks or each._forward_pre_hooks]
    print(f"\\nthe model is {'as it was' if same and not hooks else 'another'}")
"""


TOLD = {"creme": "creme:layer=0", "grace": "grace:gain=0", "a-grace": "a-grace:gain=0"}
"""Editors that may refuse the request, which has no key layer or moves little, told to edit it."""


@pytest.mark.slow
@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("editor", EDITORS)
def test_every_editor_runs_and_leaves_the_model_as_it_was(quick: Project, editor: str) -> None:
    if editor == "lora":
        pytest.importorskip("peft")
    quick.pytester.makeconftest(WITNESS)
    suite = SUITE.replace("limit = 14", "limit = 6").replace("gates", "# gates")
    (quick.path / "quick.toml").write_text(suite)
    words = TOLD.get(editor, editor)
    result = edit(quick, f"--edit={words}", "-s")
    assert result.ret == 0, result.stdout.str()
    writes = editor in ("creme", "rome", "memit", "pmet", "malmen", "ft", "dinm")
    placebo = "*placebo* ?.* (*" if writes else "*placebo*"
    result.stdout.fnmatch_lines(["*the model is as it was", f"edit  {words}", "*no edit*", placebo])
    found: Any = quick.json()
    (step,) = found["edit"]["steps"]
    assert (step["metrics"]["drift"] is not None) == writes


@pytest.mark.usefixtures("own_cache")
def test_an_editor_says_what_became_of_its_edit(quick: Project) -> None:
    """MEMIT at a great weight writes little of what it should, and the report says so."""
    (quick.path / "quick.toml").write_text(SUITE.replace("limit = 14", "limit = 4"))
    words = "memit:layers=1-2,steps=4,prefixes=0,tokens=704,lam=20000"
    result = edit(quick, f"--edit={words}")
    result.stdout.fnmatch_lines(["C1, edit 1: z-error kept *", "C1, edit 1: under-written: *"])
    found: Any = quick.json()
    said, warned, *_ = found["edit"]["notes"]
    assert re.fullmatch(
        r"C1, edit 1: z-error kept \d+% after 1 round, NLL of the target [\d.]+ before and [\d.]+ "
        r"after \(lam=20000, 704 tokens of stdlib\)",
        said,
    )
    assert warned.endswith("is more than 30%; give more rounds or a smaller lam")
    assert found["edit"]["layers"] == {"1": 1, "2": 1}
    refused = edit(quick, "--edit=memit:layers=4-8")
    assert refused.ret != 0
    shown = refused.stdout.str() + refused.stderr.str()
    assert "--edit memit:layers=4-8: layers=4-8: layer 8 is out of range: model 'tiny'" in shown


@pytest.mark.slow
def test_a_stack_of_editors_is_measured_as_one_edit(quick: Project) -> None:
    stack = [f"--edit={EDIT}", "--edit=rome:layer=2,steps=3,prefixes=1", "--coderobust-ledger=l.db"]
    result = edit(quick, *stack)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["edit  ft:* + rome:*", "*placebo* 0.* (*", "layer   1 #*"])
    found: Any = quick.json()
    assert found["edit"]["layers"] == {"1": 1, "2": 1}
    (step,) = found["edit"]["steps"]
    assert all(len(trial["placebos"]) == 1 for trial in step["trials"])
    edit(quick, f"--edit={EDIT}", "--coderobust-ledger=l.db", json_name="alone.json")
    alone: Any = quick.json("alone.json")
    assert alone["base"]["items"] == found["base"]["items"], "both edits were taken out again"
    before = completions(quick.path / "l.db")
    edit(quick, *stack, json_name="again.json")
    assert completions(quick.path / "l.db") == before
    assert untimed(quick.json("again.json")) == untimed(found)


@pytest.mark.slow
def test_instant_edits_are_made_one_by_one_and_pooled(quick: Project) -> None:
    result = edit(quick, f"--edit={EDIT},requests=3")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["*3 requests a perturbation, instant; scored on T=0.2, n=2"])
    found: Any = quick.json()
    steps = found["edit"]["steps"]
    assert [step["number"] for step in steps] == [1, 2, 3]
    edited = [task for step in steps for task in step["tasks"]]
    assert len(set(edited)) == 3
    for item in found["items"]:
        # One sample a model; a model that was edited on the task itself does not count.
        assert item["n"] in (0, 2 if item["task"] in edited else 3)
    drifts = [step["metrics"]["drift"] for step in steps]
    assert max(drifts) < 1.5 * min(drifts), "each is made on the base model"
    assert not any(item.get("self") for item in found["items"])


def test_a_refused_request_is_counted_and_ends_nothing(quick: Project) -> None:
    """GRACE refuses every edit that does not lower its loss to nothing."""
    (quick.path / "quick.toml").write_text(SUITE.replace("limit = 14", "limit = 4"))
    result = edit(quick, "--edit=grace:gain=1,steps=1,requests=2")
    result.stdout.fnmatch_lines(
        ["every request under C1 was refused: *", "gate not judged  rd*C1* <= 1.0: every request *"]
    )
    assert not result.parseoutcomes().get("errors")
    found: Any = quick.json()
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(found)
    reasons = found["edit"]["refused"]["C1"]
    assert all("GRACE lowered its loss by 0.0% only" in reason for reason in reasons)
    assert found["edit"]["unedited"]["C1"].endswith(reasons[0])
    assert found["edit"]["steps"] == []
    items = {item["status"] for item in found["items"]}
    assert "broken" in items, "the base model's results stay"


@pytest.mark.slow
def test_the_requests_beside_a_refused_one_are_edited_for(quick: Project) -> None:
    result = edit(quick, "--edit=grace:gain=0.1,requests=4", "--coderobust-ledger=l.db")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["C1: 1 request refused: quickstart/5*GRACE lowered its loss*"])
    found: Any = quick.json()
    assert [step["number"] for step in found["edit"]["steps"]] == [2, 3, 4]
    again = edit(
        quick,
        "--edit=grace:gain=0.1,requests=4",
        "--coderobust-ledger=l.db",
        json_name="again.json",
    )
    again.stdout.fnmatch_lines(["C1: 1 request refused: quickstart/5*"])
    assert untimed(quick.json("again.json")) == untimed(found)


def test_no_eligible_request_keeps_the_base_and_judges_nothing(project: Project) -> None:
    project.write_suite(
        'perturbations = ["C1"]\ngates = ["broken[C1] >= 0", "broken[C1]@base >= 0"]',
        sections="[sampling]\nmax_new_tokens = 8",
    )
    result = project.run("toy.toml", "--model=tiny", f"--edit={EDIT}")
    result.stdout.fnmatch_lines(
        [
            "no eligible request: no task is solved clean and broken under C1",
            "gate not judged *broken[[]C1] >= 0: no eligible request*",
            "gate holds *broken[[]C1]@base >= 0*",
        ]
    )
    assert result.ret == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model=oracle", "--edit=ft"], "model 'oracle' has no weights to edit"),
        (["--model=tiny", "--edit=fft"], "unknown editor 'fft'; did you mean 'ft'?"),
        (["--model=tiny", "--edit=ft:lrr=1"], "unknown option 'lrr'; did you mean 'lr'?"),
        (
            ["--model=tiny", "--edit=ft", "--edit=rome:layer=8"],
            "--edit rome:layer=8: layer 8 is out of range: model 'tiny' has layers 0 to 7",
        ),
        (["--model=tiny", "--edit=ft:requests=0"], "must be a whole number from 1"),
        (
            ["--model=tiny", "--edit=ft:regime=successive", "--edit=ft"],
            "successive edits take one editor",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(project: Project, words: list[str], message: str) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", *words)
    assert result.ret == 4
    assert message in result.stderr.str()
    assert "Traceback" not in result.stderr.str()
