"""The builder of migration benchmarks, on a corpus made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.migration_builds import build, write
from support.migration_corpus import ROWS, check_rows, make_plan, make_row, write_apps, write_corpus

from pytest_coderobust.migration.benchmark import Benchmark
from pytest_coderobust.migration.change_file import read_change_file
from pytest_coderobust.migration.checking import PairChecker, explain_runs
from pytest_coderobust.migration.corpus import load_corpus
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.kinds import HOMES
from pytest_coderobust.migration.pairs import find_candidates
from pytest_coderobust.migration.writing import write_files
from pytest_coderobust.records import ApiUse, Level, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.tasks.load import load_tasks


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeAll]:
    with open_sandbox(2) as sandbox:
        yield make_judge(sandbox)


PAIRS = {
    ("math.floor", "alias"), ("math.floor", "from"), ("math.ceil", "from"), ("math.floor", "star"),
    ("sorted", "value"), ("len", "value"), ("sum", "shadowed"), ("re.split", "re"),
    ("sorted", "walrus"), ("math.floor", "unused"), ("len", "nested"), ("sum", "shown"),
    ("itertools.chain", "chain"), ("collections.Counter", "class"), ("isinstance", "class"),
    ("math.pow", "power"), ("math.pow", "power2"),
}  # fmt: skip
REASONS = {
    ("math.tan", "unused"): "it is imported and never used",
    ("len", "prompt"): "the prompt's code uses it",
    ("len", "annotation"): "only a decorator or an annotation uses it",
    ("sum", "taken"): "the task has the word 'total_of'",
    ("sum", "unreached"): "the canonical solution passes under the change too",
    ("sum", "caught"): "the canonical solution passes under the change too",
    ("math.floor", "both ways"): "the rewritten solution still reaches for the old name",
    ("sum", "broken"): "the canonical solution fails anyway (wrong-answer)",
    ("sum", "loose"): "a solution that does nothing passes its tests",
}  # fmt: skip


def test_the_hand_made_corpus_gives_the_expected_pairs(tmp_path: Path, judge: JudgeAll) -> None:
    plan = make_plan(write_corpus(tmp_path))
    corpus = load_corpus(plan.tasks, Path.cwd())
    found = PairChecker(judge).check_pairs(find_candidates(corpus, plan.kinds, plan.names, 0).pairs)
    by_key = {(pair.key[0], pair.key[1].removeprefix("Toy/")): pair.reason for pair in found}
    assert {key for key, reason in by_key.items() if not reason} == PAIRS
    assert {key: reason for key, reason in by_key.items() if reason} == REASONS


REST = {"Toy/plain", "Toy/types", "Toy/unchanged", "Toy/method"}


FULL, FAILED = (
    Verdict(Level.FULL, 1, 1),
    Verdict(Level.LOAD, 0, 1, "exception", "NameError: <f at 0x7f>"),
)
OLD, NEW = (ApiUse(1, 0),), (ApiUse(0, 1),)


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        ([FAILED, replace(FULL, api_uses=NEW), FAILED], ""),
        ([FULL, replace(FULL, api_uses=NEW), FAILED], "the canonical solution passes under the change too"),
        ([FAILED, FAILED, FAILED], "the rewritten solution fails (exception, NameError)"),
        ([FAILED, FULL, FAILED], "the tests never come to the new name"),
        ([FAILED, replace(FULL, api_uses=(ApiUse(1, 1),)), FAILED], "the rewritten solution still reaches for the old name"),
        ([FAILED, replace(FULL, api_uses=NEW), FULL], "the rewritten solution passes without the change too"),
        ([replace(FAILED, api_uses=OLD)], ""),
        ([FAILED], "the tests never come to the old name"),
    ],
)  # fmt: skip
def test_each_of_the_runs_can_speak_against_a_pair(verdicts: list[Verdict], reason: str) -> None:
    assert explain_runs(verdicts) == reason


def test_a_benchmark_of_the_corpus(tmp_path: Path, judge: JudgeAll) -> None:
    benchmark = build(write_corpus(tmp_path), judge)
    assert benchmark.survived == (10, 14)
    # Each task belongs to its rarest API, of equally rare ones to the first by name.
    owned = {
        api: {pair.key[1] for pair in (*share.reliability, *share.generalisation)}
        for api, share in benchmark.shares.items()
    }
    assert owned == {
        "math.floor": {"Toy/alias", "Toy/star", "Toy/unused"},
        "math.pow": {"Toy/power", "Toy/power2"},
        "sum": {"Toy/shadowed", "Toy/shown"},
        "len": {"Toy/value", "Toy/nested"},
    }
    assert benchmark.sizes[:3] == (4, 4, 5)
    assert {problem.task.id for problem in benchmark.specificity} >= REST
    first = next(iter(benchmark.specificity)).task.id
    assert first != "Toy/plain"  # those that use an API that did not change come first
    assert benchmark.left_out["itertools.chain"] == "it owns fewer than 2 tasks"
    assert benchmark.left_out["math.tan"] == "none of its tasks passed every check"


@pytest.mark.parametrize("kind", ["renamed", "moved", "removed", "keyword-only", "swapped"])
def test_every_row_of_every_kind_passes_the_five_runs(
    tmp_path: Path, judge: JudgeAll, kind: str
) -> None:
    benchmark = build(write_corpus(tmp_path), judge, kind)
    folder = write(benchmark, tmp_path / "out")
    check_rows(folder, judge, sum(benchmark.sizes[1:]))
    changes = read_change_file(folder / "changes.toml")
    assert changes == tuple(benchmark.changes.values())
    if kind == "removed":
        assert benchmark.sizes[1] == 0  # nothing to teach
        assert all(not change.new for change in changes)
    elif kind == "moved":
        assert {change.new.partition(".")[0] for change in changes} <= set(HOMES)
    elif kind != "renamed":
        assert {change.kind for change in changes} == {kind}
        assert "math.pow" in benchmark.changes
    if kind == "keyword-only":
        why = "it is handed on as a value, and takes its arguments in another way now"
        assert benchmark.excluded["len"]["Toy/value"] == why


@pytest.mark.parametrize("names", ["prefix", "nonsense"])
def test_every_row_of_every_name_passes_the_five_runs(
    tmp_path: Path, judge: JudgeAll, names: str
) -> None:
    benchmark = build(write_corpus(tmp_path), judge, names=names)
    check_rows(write(benchmark, tmp_path / "out"), judge, sum(benchmark.sizes[1:]))
    news = {change.new for change in benchmark.changes.values()}
    assert ("my_math_floor" in news) is (names == "prefix")
    # The new name stands in for `sum` in the task that has the table's name for it.
    assert "Toy/taken" not in benchmark.excluded.get("sum", {})


def test_ten_programs_that_read_standard_input(tmp_path: Path, judge: JudgeAll) -> None:
    source = write_apps(tmp_path)
    plan = make_plan(source)
    corpus = load_corpus(plan.tasks, Path.cwd())
    candidates = find_candidates(corpus, plan.kinds, plan.names, 0)
    found = PairChecker(judge).check_pairs(candidates.pairs)
    assert {pair.reason for pair in found} == {""}
    assert {pair.key for pair in found} == {
        ("sum", "APPS/0"), ("sorted", "APPS/1"), ("collections.Counter", "APPS/2"), ("max", "APPS/2"),
        ("math.floor", "APPS/3"), ("math.sqrt", "APPS/3"), ("len", "APPS/4"), ("math.gcd", "APPS/5"),
        ("heapq.heapify", "APPS/6"), ("heapq.heappop", "APPS/6"), ("min", "APPS/7"), ("len", "APPS/7"),
        ("re.sub", "APPS/8"),
    }  # fmt: skip


def test_rows_of_programs_come_back_as_they_were(tmp_path: Path, judge: JudgeAll) -> None:
    rows = [json.loads(line) for line in write_apps(tmp_path).read_text().splitlines()]
    twins = [{**row, "problem_id": 100 + row["problem_id"]} for row in rows]
    path = tmp_path / "twins.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (*rows, *twins)))
    benchmark = build(path, judge)
    folder = write(benchmark, tmp_path / "out")
    changes, reliability, generalisation, beside = benchmark.sizes
    assert (changes, reliability, generalisation) == (9, 9, 9)
    check_rows(folder, judge, 18 + beside)
    written = {task.id: task for task in load_tasks(str(folder / "tasks.jsonl"), base=folder).tasks}
    for task in load_tasks(str(path), base=tmp_path).tasks:
        if task.id in written:
            assert (written[task.id].prompt, written[task.id].tests) == (task.prompt, task.tests)
            assert "introductory" in written[task.id].tags


def test_two_builds_are_equal_and_another_seed_differs(tmp_path: Path, judge: JudgeAll) -> None:
    source = write_corpus(tmp_path)
    first = write_files(build(source, judge, names="nonsense"))
    assert write_files(build(source, judge, names="nonsense")) == first
    other = write_files(build(source, judge, names="nonsense", seed=1))
    assert other["tasks.jsonl"] != first["tasks.jsonl"]


def test_a_task_that_is_added_moves_no_other(tmp_path: Path, judge: JudgeAll) -> None:
    few = build(write_corpus(tmp_path), judge)
    more = build(
        write_corpus(
            tmp_path,
            [
                *ROWS,
                make_row(
                    "new", "    import math\n    return math.floor(x)\n", "candidate(2.5) == 2"
                ),
            ],
        ),
        judge,
    )

    def order(benchmark: Benchmark) -> list[str]:
        share = benchmark.shares["math.floor"]
        return [pair.key[1] for pair in (*share.reliability, *share.generalisation)]

    assert [task for task in order(more) if task != "Toy/new"] == order(few)
    assert [p.task.id for p in more.specificity] == [p.task.id for p in few.specificity]
