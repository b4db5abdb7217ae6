"""`--coderobust-early` and `[suite] early`: what is asked, and what it decides."""

from __future__ import annotations

import json
import signal

import pytest
from conftest import Project
from support.early_suite import EARLY, MANY, completions, forget, of_many_tasks, outcomes, run, said
from support.generation_log import DIES_IN, count_batches, make_conftest

from pytest_coderobust.errors import UsageError
from pytest_coderobust.plugin.choices import read_choices
from pytest_coderobust.session.checks import check_early

SETTLED = "the gates were settled after 40 of 60 tasks; 40 of 120 completions were not asked"


@pytest.fixture
def many(project: Project) -> Project:
    return of_many_tasks(project)


def test_settled_gates_end_a_suite_and_every_report_says_so(many: Project) -> None:
    result = run(
        many, "-rs", "--junitxml=junit.xml", "--coderobust-html=out.html",
        "--coderobust-markdown=out.md",
    )  # fmt: skip
    assert result.ret == 0
    assert f"PARTIAL: {SETTLED}" in said(result)
    result.stdout.fnmatch_lines(["SKIPPED [[]40]*not asked: settled after 40 of 60 tasks"])
    result.stdout.fnmatch_lines(["gate holds*pass@1*(measured 1): settled after 40 of 60 tasks"])
    assert completions(many) == 80
    found = many.json()
    assert found["early"] == {"ended": "settled", "tasks": 40, "asked": 80, "planned": 120}
    assert (found["complete"], found["incomplete"]) == (False, SETTLED)
    for name in ("out.html", "out.md", "junit.xml"):
        assert SETTLED.partition(";")[0] in (many.path / name).read_text(encoding="utf-8")


def test_a_failing_gate_settles_too(many: Project) -> None:
    result = run(many, model=many.record(unsolved=range(MANY)))
    assert result.ret == 1
    assert outcomes(many)[0] == "fails"


def test_option_asks_what_the_key_asks_whoever_runs_it(many: Project) -> None:
    run(many)
    alone = (many.path / "out.json").read_bytes()
    forget(many)
    many.write_suite(EARLY.replace("early = true\n", ""), name="many.toml")
    run(many, "-n", "2", "--coderobust-early")
    assert (many.path / "out.json").read_bytes() == alone
    assert completions(many) == 80
    run(many)
    assert completions(many) == 120
    assert (many.json()["complete"], "early" in many.json()) == (True, False)


def test_a_killed_run_goes_on_as_if_nothing_had_been(
    many: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.pytester.makeconftest(make_conftest("pytest_coderobust.models.oracle:Oracle"))
    with monkeypatch.context() as dying:
        dying.setenv(DIES_IN, "3")
        killed = run(many, "--coderobust-batch-size=16")
    assert killed.ret == -signal.SIGKILL
    assert "gate holds" not in killed.stdout.str()
    # One wave is 20 tasks under 2 cells, in 3 batches; the third was not stored.
    assert completions(many) == 32
    assert run(many, "--coderobust-batch-size=16").ret == 0
    assert completions(many) == 80
    assert count_batches(many.path) == 3 + 1 + 3
    resumed = (many.path / "out.json").read_bytes()
    forget(many)
    run(many, "--coderobust-batch-size=16")
    assert (many.path / "out.json").read_bytes() == resumed


@pytest.mark.slow
def test_tasks_come_in_an_order_of_their_own(many: Project) -> None:
    """A file that begins with the easy tasks: its first 40 would settle the gate wrongly."""
    many.write_suite(EARLY.replace('"broken <= 30"', '"unsolved <= 60"'), name="many.toml")
    result = run(many, model=many.record(unsolved=range(40, MANY)))
    assert "gate holds         pass@1" not in result.stdout.str()
    found = many.json()["items"]
    assert isinstance(found, list)
    assert {item["status"] for item in found} >= {"solved", "unsolved"}


@pytest.mark.parametrize("selection", [["-k", "C1"], ["--deselect=many.toml::Many/3[clean]"]])
def test_part_of_a_suite_is_asked_whole_and_not_judged(many: Project, selection: list[str]) -> None:
    result = run(many, *selection)
    assert result.ret == 1
    assert set(outcomes(many)) == {"not judged"}
    assert completions(many) == 120


@pytest.mark.parametrize(
    "how",
    [
        "raise KeyboardInterrupt",
        pytest.param("item.session.shouldstop = 'enough'", marks=pytest.mark.slow),
    ],
)
def test_an_early_run_that_is_interrupted_is_not_judged(many: Project, how: str) -> None:
    many.pytester.makeconftest(
        f"def pytest_runtest_teardown(item):\n    if 'Many/7[C1' in item.nodeid: {how}\n"
    )
    result = run(many)
    assert result.ret != 0
    assert "gate holds" not in result.stdout.str()
    assert set(outcomes(many)) == {"not judged"}


def test_an_item_in_error_leaves_nothing_judged(many: Project) -> None:
    many.pytester.makeconftest(
        "def pytest_runtest_setup(item):\n"
        "    if item.nodeid.endswith('Many/3[clean]'): raise RuntimeError('no luck')\n"
    )
    assert run(many).ret == 1
    assert set(outcomes(many)) == {"not judged"}


@pytest.mark.slow
def test_processes_that_disagree_leave_nothing_judged(many: Project) -> None:
    many.pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_logreport(report):\n"
        "    for seen in getattr(report, 'coderobust_seen', ()):\n"
        "        if seen['task'] == 'Many/1': seen['run'] = 'f' * 64\n"
    )
    result = run(many)
    assert result.ret == 1
    assert "gate holds" not in result.stdout.str()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--coderobust-early --coderobust-baseline=b.jsonl", "compares whole runs"),
        ("--coderobust-early --coderobust-noise-floor", "asks every clean prompt again"),
        ("--coderobust-early --coderobust-hunt", "searches every solved task"),
        ("--coderobust-early --coderobust-strict", "wants the outcome of every item"),
        ("--coderobust-early --coderobust-edit=creme", "makes several models"),
        ("--coderobust-early --coderobust-no-gates", "has none"),
        ("--coderobust-budget=100 --coderobust-edit=creme", "makes several models"),
        ("--coderobust-budget=100 --coderobust-noise-floor", "asks every clean prompt again"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(
    many: Project, words: str, reason: str
) -> None:
    config = many.pytester.parseconfig("--coderobust-model=oracle", *words.split())
    with pytest.raises(UsageError, match=f"{reason}: leave one out"):
        check_early(read_choices(config))


def test_a_contradiction_ends_the_command_with_a_sentence(many: Project) -> None:
    result = run(many, "--coderobust-early", "--coderobust-strict")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --coderobust-early leaves out what decides no gate" in result.stderr.str()


def test_a_suite_that_edits_its_model_is_refused(many: Project) -> None:
    edit = '[edit]\neditor = "creme"'
    many.write_suite(EARLY, name="many.toml", sections=edit)
    assert "[suite] early = True: settles the gates of one model" in said(run(many, model="tiny"))
    many.write_suite(EARLY.replace("early = true\n", ""), name="many.toml", sections=edit)
    assert "--budget is for the run of one model" in said(run(many, "--budget=9", model="tiny"))


def test_what_wants_a_whole_run_gets_it_and_a_note_says_so(many: Project) -> None:
    result = run(many, "--baseline=base.jsonl", "--update-baseline")
    assert result.ret == 0
    assert "note everything was asked: --baseline compares whole runs" in said(result)
    assert completions(many) == 120
    assert (many.path / "base.jsonl").exists()


def test_a_suite_without_gates_has_nothing_to_settle(many: Project) -> None:
    many.write_suite('perturbations = ["C1"]\nearly = true', name="many.toml")
    assert "note everything was asked: there is no gate to settle" in said(run(many))
    assert completions(many) == 120


@pytest.mark.slow
def test_the_ledger_gives_the_same_report(many: Project) -> None:
    from pytest_coderobust.cli import main

    run(many)
    ledger = many.path / ".coderobust" / "ledger.sqlite"
    again = many.path / "again.json"
    assert main(["report", str(ledger), "--json", str(again)]) in (0, None)
    assert json.loads(again.read_text()) == many.json()


def test_the_bundled_model_settles_its_suite_early(project: Project) -> None:
    (project.path / "many.toml").write_text(
        '[suite]\ntasks = "quickstart"\nlimit = 100\nperturbations = ["C1"]\nearly = true\n'
        'gates = [{ gate = "pass@1 >= 0.4", confidence = 0.95 }]\n[sampling]\nmax_new_tokens = 64\n'
    )
    result = run(project, model="tiny")
    assert result.ret == 0
    assert outcomes(project) == ["holds"]
    early = project.json()["early"]
    assert isinstance(early, dict)
    assert early["ended"] == "settled"
    assert early["tasks"] in (20, 40, 60)
