"""Studies of API migration on a scripted model: every number is known beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.migration_suite import (
    LEN,
    SQRT,
    answer_as_told,
    answer_in_old_way,
    make_rows,
    scripted,
    write_suite,
)

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.events import RowsGenerated
from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.migration.study.result import ArmResult, StudyResult
from pytest_coderobust.migration.study.subsets import AdoptionResult, SubsetResult
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Cell, Row, Variant
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session
from pytest_coderobust.session.studies import measure_study
from pytest_coderobust.tasks.load import load_tasks

ARMS = 'arms = ["note", "example", "codemod"]\n'


def run(
    suite: Path,
    answers: Callable[[Row], str] = answer_as_told,
    name: str = "told",
    batch_size: int = 32,
) -> tuple[StudyResult, int]:
    """The study of a suite, and the rows that it generated."""
    rows = 0

    def listen(event: object) -> None:
        nonlocal rows
        rows += event.rows if isinstance(event, RowsGenerated) else 0

    choices = Choices(ledger=suite.parent / "ledger.sqlite", sandbox_workers=2)
    with open_session(
        choices, suite.parent, backend=scripted(answers, name, batch_size)
    ) as session:
        session.listeners.append(listen)
        found = measure_study(session.suite(session.refer(suite)), "--arms")
    return found, rows


def arm(study: StudyResult, name: str) -> ArmResult:
    found = study.arm(name)
    assert found is not None
    return found


def subset(found: ArmResult, name: str = "generalisation", at: int = -1) -> SubsetResult:
    return next(each for each in found.checkpoints[at].subsets if each.subset == name)


def adoption(found: ArmResult, name: str = "generalisation") -> list[int]:
    """Correct, incorrect, workaround, stale and other."""
    counts = subset(found, name).adoption
    assert isinstance(counts, AdoptionResult)
    return [counts.correct, counts.incorrect, counts.workaround, counts.stale, counts.other]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, Path]:
    suite = write_suite(
        tmp_path_factory.mktemp("told"),
        ARMS
        + 'gates = ["stale[none] <= 0.05", "adoption[note] >= 0.8", "regressions[codemod] <= 0"]',
    )
    return run(suite)[0], suite


def test_arms_are_counted_in_the_same_world(told: tuple[StudyResult, Path]) -> None:
    study = told[0]
    assert [each.name for each in study.arms] == ["none", "note", "example", "codemod"]
    assert adoption(arm(study, "none"), "reliability") == [0, 0, 0, 4, 0]
    assert adoption(arm(study, "none")) == [0, 0, 1, 2, 1]
    assert adoption(arm(study, "note")) == [2, 0, 1, 0, 1]
    assert adoption(arm(study, "example")) == [2, 0, 1, 0, 1]
    assert adoption(arm(study, "codemod")) == [2, 0, 1, 0, 1]
    assert adoption(arm(study, "codemod"), "reliability") == [4, 0, 0, 0, 0]


def test_eligible_tasks_are_those_where_the_old_api_was_used(
    told: tuple[StudyResult, Path],
) -> None:
    found = subset(arm(told[0], "note")).eligible
    assert found is not None
    assert found.adoption is not None
    assert (found.counts.tasks, found.counts.eligible, found.counts.lost) == (4, 2, 0)
    assert found.adoption.value == 1.0
    unedited = subset(arm(told[0], "none")).eligible
    assert unedited is not None
    assert (unedited.counts.stale, unedited.counts.lost) == (2, 2)


def test_rates_stages_and_attribution_follow_from_the_samples(
    told: tuple[StudyResult, Path],
) -> None:
    none, note = subset(arm(told[0], "none")), subset(arm(told[0], "note"))
    (rate,) = none.rates
    assert (rate.passed.value, rate.compiled.value) == (0.25, 0.25)
    assert (none.stages.parses, none.stages.loads, none.stages.resolves) == (3, 3, 1)
    by_name = {each.baseline: each for each in none.attributions}
    # Three of four passed in the old world; two stale ones do not compile any more.
    assert by_name["old world"].change == -0.5
    assert by_name["old world"].compiling.value == -0.5
    assert by_name["no edit"].change == 0
    gained = {each.baseline: each for each in note.attributions}["no edit"]
    assert (gained.change, gained.flagged) == (0.5, 2)
    assert note.against_none is not None
    assert note.against_none.passed.value == 0.5
    assert none.against_none is None


def test_the_world_beside_stays(told: tuple[StudyResult, Path]) -> None:
    for found in told[0].arms:
        regressions = found.final.regressions
        assert regressions is not None
        assert (regressions.edits, regressions.tasks, regressions.solved) == (2, 3, 6)
        assert (regressions.lost, regressions.repaired, regressions.edits_with_lost) == (0, 0, 0)
        assert subset(found, "specificity").adoption is None


def test_gates_name_the_arm(told: tuple[StudyResult, Path]) -> None:
    lines = [(each.text, each.outcome, each.value) for each in told[0].gates]
    assert lines == [
        ("stale[none] <= 0.05", "fails", 0.5),
        ("adoption[note] >= 0.8", "holds", 1.0),
        ("regressions[codemod] <= 0", "holds", 0.0),
    ]


def test_the_old_world_is_told_beside_the_arms(told: tuple[StudyResult, Path]) -> None:
    before = next(each for each in told[0].before if each.subset == "generalisation")
    assert before.adoption is not None
    assert (before.adoption.correct, before.adoption.workaround, before.adoption.other) == (2, 1, 1)


def test_codemod_adopts_where_the_answer_held_the_old_name_and_passed(
    told: tuple[StudyResult, Path],
) -> None:
    """Counted here by the text of answers and a sandbox of its own, without any of the study."""
    study, suite = told
    found = 0
    with open_sandbox(2) as sandbox:
        for task in load_tasks("tasks.jsonl", base=suite.parent).tasks:
            if not task.api_changes:
                continue
            text = answer_as_told(Row(Variant(task, Cell(), task.prompt), 0, 0))
            holds = re.search(rf"\b{re.escape(task.api_changes[0].old)}\(", text) is not None
            program = extract(text, replace(task, api_changes=()))
            passed = sandbox.submit(Check(program, task.entry_point, task.tests)).result().full
            found += holds and passed
    adopted = [
        adoption(arm(study, "codemod"), name)[0] for name in ("reliability", "generalisation")
    ]
    assert found == sum(adopted) == 6


def test_a_second_run_asks_nobody(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, ARMS)
    first, rows = run(suite)
    assert rows > 0
    again, more = run(suite)
    assert more == 0
    assert again == first


def test_a_study_that_was_killed_goes_on(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, 'arms = ["note"]')
    asked: list[str] = []

    def answer(row: Row, most: int = 9) -> str:
        asked.append(row.variant.prompt)
        if len(asked) > most:
            raise KeyboardInterrupt
        return answer_as_told(row)

    with pytest.raises(KeyboardInterrupt):
        run(suite, answer, batch_size=2)
    assert len(asked) == 10
    found, rows = run(suite, lambda row: answer(row, 10**6), batch_size=2)
    # Of 11 plain prompts and 14 with a note, four batches of two were stored before; one that is
    # the batch mate of a missing one may be computed again.
    assert 11 + 14 - 8 <= rows == len(asked) - 10 <= 11 + 14 - 6
    (tmp_path / "whole").mkdir()
    whole, _ = run(write_suite(tmp_path / "whole", 'arms = ["note"]'), batch_size=2)
    assert replace(found, arms=()) == replace(whole, arms=())
    assert [each.checkpoints for each in found.arms] == [each.checkpoints for each in whole.arms]


def test_successive_edits_give_a_curve_in_a_growing_world(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, ARMS + 'regime = "successive"\ncheckpoints = [1]')
    study, _ = run(suite)
    none = arm(study, "none")
    assert (study.redrawn, study.world) == ("tasks", "all")
    assert [each.edits for each in none.checkpoints] == [1, 2]
    assert [subset(none, at=at).tasks for at in (0, 1)] == [2, 4]
    assert [edit.changes for edit in none.edits] == [(c.label,) for c in study.changes]
    assert adoption(none) == [0, 0, 1, 2, 1]


def test_a_task_in_the_world_of_all_changes_counts_its_own_alone(tmp_path: Path) -> None:
    rows = make_rows()
    both = "    import math\n    return math.sqrt(x) + len('abc') - 3\n"
    rows[2] |= {"canonical_before": both, "canonical_solution": both.replace("math.sqrt(", "math.square_root("), "test": "def check(candidate):\n    assert candidate(4) == 2\n"}  # fmt: skip
    suite = write_suite(tmp_path, ARMS + 'world = "all"', rows=rows)
    study, _ = run(suite, lambda row: row.variant.task.canonical or "", "canonical")
    # Its own change is followed; what fails is the other one, which is in force too.
    assert adoption(arm(study, "none")) == [3, 1, 0, 0, 0]
    own = write_suite(tmp_path, ARMS, rows=rows)
    assert adoption(
        arm(run(own, lambda row: row.variant.task.canonical or "", "canonical")[0], "none")
    ) == [4, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tags": []}, "no task has one of the tags 'subset:reliability' and 'subset:generalisation'"),
        ({"api_changes": []}, "declares no API changes"),
        ({"api_changes": [SQRT, LEN]}, "declares 2 API changes"),
        ({"api_changes": [{"old": "math.squirt", "new": "math.x"}]}, "did you mean 'math.sqrt'"),
        ({"api_changes": [{"old": "str.join", "new": "str.joined"}]}, "method of the type 'str'"),
        ({"canonical_solution": None}, "has no canonical solution, which a reliability task needs"),
    ],
)  # fmt: skip
def test_a_wrong_benchmark_is_told_in_a_sentence(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    rows = make_rows()
    rows = [row | change for row in rows] if "tags" in change else [rows[0] | change, *rows[1:]]
    suite = write_suite(tmp_path, ARMS, rows=rows)
    with pytest.raises(DataError, match=re.escape(problem)) as caught:
        run(suite)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("migration", "problem"),
    [
        ('arms = ["lora"]', "model 'told' has no weights to edit; arms that need none are none, note"),
        ('arms = ["placebo"]', "placebo: is the control of an editor, and the study has none"),
        ('arms = ["nota"]', "unknown arm 'nota'; did you mean 'note'"),
        ('arms = ["none"]\ngates = ["stale[note] <= 0"]', "'stale[note] <= 0' is about no arm of the study"),
        ('arms = ["none"]\ngates = ["rd[none] <= 0"]', "unknown metric 'rd'"),
        ('regime = "sudden"', "[migration] regime = 'sudden': not a valid choice"),
        ("arm = 5", "unknown key 'arm'; did you mean 'arms'"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_in_a_sentence(tmp_path: Path, migration: str, problem: str) -> None:
    suite = write_suite(tmp_path, migration)
    with pytest.raises(UsageError, match=re.escape(problem)) as caught:
        run(suite)
    assert "\n" not in str(caught.value)


def test_samples_are_drawn_again_for_the_arms(tmp_path: Path) -> None:
    suite = write_suite(
        tmp_path, 'arms = ["none"]', suite="k = [1, 3]", sampling="n = 4\ntemperature = 0.5"
    )
    # Odd samples follow; the second draw is another one, so the seeds of its noise differ.
    noises: set[int] = set()

    def answer(row: Row) -> str:
        noises.add(row.noise)
        return answer_in_old_way(row) if row.sample % 2 else row.variant.task.canonical or ""

    study, rows = run(suite, answer, "odd")
    found = subset(arm(study, "none"))
    assert [each.k for each in found.rates] == [1, 3]
    assert found.rates[0].passed.value == 0.5
    assert found.rates[1].passed.value == 1 - 0 / 4
    assert adoption(arm(study, "none")) == [8, 0, 0, 8, 0]
    assert rows >= len(noises) == 2 * 4 * 11
    assert read_suite(suite).migration.arms == ("none",)
