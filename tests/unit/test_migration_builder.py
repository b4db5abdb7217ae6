"""The builder of migration benchmarks, on a corpus made by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.migration_corpus import ROWS, check_rows, make_plan, make_row, write_apps, write_corpus

from pytest_coderobust.cli import main
from pytest_coderobust.config.settings import Settings
from pytest_coderobust.config.table import read_toml
from pytest_coderobust.migration.benchmark import Benchmark, build_benchmark
from pytest_coderobust.migration.change_file import read_change_file
from pytest_coderobust.migration.checking import PairChecker, explain_runs
from pytest_coderobust.migration.corpus import load_corpus, read_problem
from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.kinds import HOMES
from pytest_coderobust.migration.naming import BUNDLED, make_nonsense, open_names, read_table
from pytest_coderobust.migration.pairs import ChangePair, find_candidates
from pytest_coderobust.migration.spelling import count_decision, spell_changes
from pytest_coderobust.migration.splitting import PRESETS, assign_owners, share_out
from pytest_coderobust.migration.writing import write_files
from pytest_coderobust.records import ApiChange, ApiUse, Level, Task, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.models import open_tokenizer
from pytest_coderobust.tasks.load import load_tasks


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeAll]:
    with open_sandbox(2) as sandbox:
        yield make_judge(sandbox)


def build(
    source: Path, judge: JudgeAll, *kinds: str, names: str = "table", seed: int = 0
) -> Benchmark:
    plan = make_plan(source, *kinds, names=names, seed=seed)
    return build_benchmark(plan, load_corpus(plan.tasks, Path.cwd()), judge)


def write(benchmark: Benchmark, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in write_files(benchmark).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


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


TASK = Task("T", "", "f", Tests("assert f()", "asserts"), "def f(): pass\n")
PROBLEM = read_problem(TASK)
OWNED = st.dictionaries(
    st.sampled_from("abcdefgh"), st.sets(st.sampled_from("opqrstuvwxyz"), min_size=1), min_size=1
)


def make_pairs(owned: dict[str, set[str]]) -> list[ChangePair]:
    assert not isinstance(PROBLEM, str)
    return [
        ChangePair(ApiChange(api, "x"), replace(PROBLEM, task=replace(TASK, id=task)), "")
        for api, tasks in sorted(owned.items())
        for task in sorted(tasks)
    ]


@given(OWNED, st.integers(0, 3))
def test_a_task_has_one_owner_and_one_subset(owned: dict[str, set[str]], seed: int) -> None:
    owners = assign_owners(make_pairs(owned))
    tasks = [pair.key[1] for pairs in owners.values() for pair in pairs]
    assert sorted(tasks) == sorted(set().union(*owned.values()))
    for api, pairs in owners.items():
        for pair in pairs:
            others = [name for name, found in owned.items() if pair.key[1] in found]
            assert (len(owned[api]), api) == min((len(owned[name]), name) for name in others)
    for name, most, rest in (("study", None, None), ("capped", 4, 16)):
        shares = share_out(owners, PRESETS[name], seed)
        assert set(shares) == {api for api, pairs in owners.items() if len(pairs) >= 2}
        for api, share in shares.items():
            half = len(owners[api]) // 2
            assert len(share.reliability) == (half if most is None else min(most, half))
            left = len(owners[api]) - len(share.reliability)
            assert len(share.generalisation) == (left if rest is None else min(rest, left))
            both = [pair.key[1] for pair in (*share.reliability, *share.generalisation)]
            assert len(set(both)) == len(both)


@given(st.sets(st.text(max_size=3)), st.text(max_size=3), st.integers(0, 99))
def test_an_order_of_draws_keeps_when_an_item_comes(items: set[str], new: str, seed: int) -> None:
    before = order_by_draw(seed, "p", "n", items - {new})
    after = order_by_draw(seed, "p", "n", items | {new})
    assert [item for item in after if item != new] == before


@given(
    st.sampled_from(["math.sqrt", "len", "collections.Counter", "os.path.join"]),
    st.integers(0, 500),
)
def test_nonsense_is_a_free_name_in_the_same_module(api: str, seed: int) -> None:
    import builtins
    import importlib

    new = make_nonsense(api, seed)
    owner, _, last = new.rpartition(".")
    assert owner == api.rpartition(".")[0]
    assert not hasattr(importlib.import_module(owner) if owner else builtins, last)
    assert last.isidentifier()
    assert last[0].isupper() is api.rpartition(".")[2][0].isupper()
    assert make_nonsense(api, seed) == new


@pytest.mark.parametrize(
    ("style", "root", "count"), [("table", "math.square_root", 66), ("short", "math.mean", 12)]
)
def test_the_tables_in_the_package_are_about_names_that_exist(
    style: str, root: str, count: int
) -> None:
    names = open_names(style, 0, Path.cwd())
    assert names.find("math.sqrt") == root
    assert names.find("math.nothing") == ""
    from importlib.resources import files

    from pytest_coderobust.config.api_changes import read_changes
    from pytest_coderobust.errors import DataError

    text = (files("pytest_coderobust.migration") / BUNDLED[style]).read_text(encoding="utf-8")
    table = read_table(text, "t")
    changes = read_changes([{"old": old, "new": new} for old, new in table.items()], DataError)
    assert len(changes) == count
    assert text.splitlines()[1:] == sorted(text.splitlines()[1:])


COMMAND = ("build-apis", "--preset", "study", "--out", "out", "--tasks")


def test_the_command_is_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    source = write_corpus(tmp_path)
    made: list[dict[str, bytes]] = []
    for seed in ("0", "77"):
        command = [
            sys.executable,
            "-m",
            "pytest_coderobust.cli",
            "build-apis",
            "--tasks",
            str(source),
        ]
        ran = subprocess.run(
            [*command, "--out", f"out{seed}", "--workers", "1"], cwd=tmp_path, check=False,
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert "4 changes: reliability 4, generalisation 5, specificity" in ran.stdout
        made.append({p.name: p.read_bytes() for p in sorted((tmp_path / f"out{seed}").iterdir())})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["changes.toml", "suite.toml", "tasks.jsonl"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_reviewer_deletes_and_the_rest_stays(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpus(here)
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 0
    assert "as a build makes it" in capsys.readouterr().out
    path = here / "out" / "changes.toml"
    text = path.read_text()
    rows = (here / "out" / "tasks.jsonl").read_text().splitlines()
    at = text.index('[[change]]\nold = "math.pow"')
    end = text.index("[[change]]", at + 1)
    reviewed = (
        (text[:at] + text[end:]).replace('  "Toy/star",\n', "").replace('  "Toy/plain",\n', "")
    )
    path.write_text(reviewed)
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 1
    assert "tasks.jsonl: line" in capsys.readouterr().out
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert path.read_text() == reviewed
    gone = ("Toy/power", "Toy/power2", "Toy/star", "Toy/plain")
    left = [row for row in rows if json.loads(row)["task_id"] not in gone]
    assert (here / "out" / "tasks.jsonl").read_text().splitlines() == left
    # Sampling and gates of the user's own stay.
    suite = here / "out" / "suite.toml"
    suite.write_text(suite.read_text() + "temperature = 0.5\n")
    own = suite.read_text()
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--fresh"]) == 0
    assert (path.read_text(), suite.read_text()) == (text, own)


def test_the_suite_runs_and_the_oracle_adopts(
    project: object, tmp_path: Path, judge: JudgeAll
) -> None:
    from conftest import Project

    assert isinstance(project, Project)
    benchmark = build(write_corpus(tmp_path), judge)
    folder = write(benchmark, project.path)
    result = project.run(
        folder / "suite.toml", "--model", "oracle", "--coderobust-json", "out.json"
    )
    assert result.ret == 0, result.stdout
    found = project.json()
    changed = sum(benchmark.sizes[1:3])
    stages = dict.fromkeys(("n", "parses", "loads", "resolves", "passes"), changed)
    assert found["adoption"]["conditions"]["clean"] == {
        "correct": changed, "incorrect": 0, "workaround": 0, "none": 0, "stale": 0,
        "stages": stages,
    }  # fmt: skip
    # The oracle's answers are for the new world: they run in no other.
    assert found["adoption"]["eligible"]["eligible"] == 0
    assert found["totals"]["unusable"] == []


def test_a_word_of_the_old_name_is_tagged(tmp_path: Path, judge: JudgeAll) -> None:
    folder = write(build(write_corpus(tmp_path), judge), tmp_path / "out")
    tags = {
        task.id: task.tags for task in load_tasks(str(folder / "tasks.jsonl"), base=folder).tasks
    }
    assert "shown:old" in tags["Toy/shown"]
    assert "shown:old" not in tags["Toy/shadowed"]


def test_what_was_built_is_written_down(tmp_path: Path, judge: JudgeAll) -> None:
    folder = write(build(write_corpus(tmp_path), judge, seed=3), tmp_path / "out")
    document = read_toml(folder / "changes.toml")
    assert isinstance(document["build"], dict)
    assert document["build"]["seed"] == 3
    assert document["build"]["kinds"] == ["modules", "builtins", "renamed"]
    tables = {table["old"]: table for table in document["change"]}  # type: ignore[attr-defined]
    assert tables["sum"]["excluded"]["Toy/taken"] == "the task has the word 'total_of'"


NO_SOLUTION = [{**row, "canonical_solution": None} for row in ROWS[:3]]
BAD = {
    "nothing named": (["--tasks", ","], 4, "--tasks names no data set and no file"),
    "an unknown data set": (["--tasks", "humanevil"], 4, "unknown data set 'humanevil'; did you mean 'humaneval'"),
    "no such file": (["--tasks", "none/there.jsonl"], 1, "there is no such file of tasks; it is not in"),
    "no solutions": (["--tasks", "bare.jsonl"], 1, "no task can be used: tasks without a canonical solution"),
    "twice the same": (["--tasks", "toys.jsonl,toys.jsonl"], 1, "the task id 'Toy/alias' comes twice"),
    "an unknown kind": (["--tasks", "toys.jsonl", "--kinds", "renaimed"], 4, "unknown kind 'renaimed'; did you mean 'renamed'"),
    "unknown names": (["--tasks", "toys.jsonl", "--names", "tabel"], 4, "--names 'tabel' must be table, short, prefix, nonsense, or a file"),
    "no table": (["--tasks", "toys.jsonl", "--names", "no.tsv"], 1, "no.tsv: the file cannot be read"),
    "a method": (["--tasks", "toys.jsonl", "--names", "method.tsv"], 1, "method.tsv: 'str.join' is a method of the type 'str'"),
    "no such API": (["--tasks", "toys.jsonl", "--names", "gone.tsv"], 1, "gone.tsv: there is no function 'math.sqroot' in the standard library; did you mean 'math.sqrt'"),
    "no pair": (["--tasks", "toys.jsonl", "--names", "one.tsv"], 1, "no API has 2 tasks that pass every check, of 2 pairs"),
    "a wrong line": (["--tasks", "toys.jsonl", "--names", "line.tsv"], 1, "line.tsv, line 1: expected an old and a new name, not 'math.sqrt'"),
    "no model": (["--tasks", "toys.jsonl", "--tokenizer", "tinny"], 4, "unknown model 'tinny'; did you mean 'tiny'"),
    "no tokenizer": (["--tasks", "toys.jsonl", "--tokenizer", "oracle"], 4, "--tokenizer: 'oracle' has no tokenizer here"),
    "a negative seed": (["--tasks", "toys.jsonl", "--seed", "-1"], 4, "--seed -1 must not be negative"),
    "a file for a folder": (["--tasks", "toys.jsonl", "--out", "toys.jsonl"], 4, "--out toys.jsonl: "),
    "a file above the folder": (["--tasks", "toys.jsonl", "--out", "toys.jsonl/a/b"], 4, "toys.jsonl is a file, and a folder is needed"),
    "nothing to check": (["--tasks", "toys.jsonl", "--check"], 4, "there is nothing to compare with"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_corpus(here)
    (here / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in NO_SOLUTION))
    (here / "method.tsv").write_text("str.join\tstr.glue\n")
    (here / "gone.tsv").write_text("old\tnew\nmath.sqroot\tmath.root\n")
    (here / "one.tsv").write_text("re.split\tre.cut\nmath.ceil\tmath.up\n")
    (here / "line.tsv").write_text("math.sqrt\n")
    arguments, status, sentence = BAD[name]
    assert main(["build-apis", "--out", "out", *arguments]) == status
    told = capsys.readouterr().err.splitlines()
    assert sentence in told[-1], told
    assert len(told) == 1 or name == "no pair", told  # it is told before anything runs
    assert all("Traceback" not in line for line in told)


def test_another_build_in_the_same_folder_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpus(here)
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--seed", "4"]) == 4
    assert (
        "it was built with seed = 0, not 4; give another --out, or --fresh"
        in capsys.readouterr().err
    )


def test_files_below_the_data_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    write_corpus(tmp_path / "data" / "own")
    monkeypatch.setenv("CODEROBUST_DATA", str(tmp_path / "data"))
    found = load_corpus(("own/toys.jsonl",), tmp_path / "here")
    assert len(found.problems) == len(ROWS)
    # A file that lies here comes first.
    (tmp_path / "here" / "own").mkdir()
    write_corpus(tmp_path / "here" / "own", ROWS[:1])
    assert len(load_corpus(("own/toys.jsonl",), tmp_path / "here").problems) == 1


def test_tasks_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        {**ROWS[1], "canonical_solution": None},
        {**ROWS[2], "canonical_solution": "    return (\n"},
        {**ROWS[3], "api_changes": [{"old": "len", "new": "size_of"}]},
    ]
    assert load_corpus((str(write_corpus(tmp_path, rows)),), tmp_path).left_out == {
        "tasks without a canonical solution": 1,
        "tasks whose prompt and solution are not a valid Python program": 1,
        "tasks that declare API changes already": 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "tokens"),
    [
        ("math.sqrt", "math.mean", 3),  # me an (
        ("math.sqrt", "math.square_root", 7),  # s, and then qua re _ ro o t (
        ("statistics.mean", "statistics.sum", 2),  # sum (
        ("len", "size_of", 5),  # size _ o f (
        ("math.sqrt", "math.sqrt", 0),
    ],
)
def test_names_are_counted_in_tokens_of_a_model(old: str, new: str, tokens: int) -> None:
    assert (
        count_decision(ApiChange(old, new), open_tokenizer(Choices(model="tiny"), Settings()))
        == tokens
    )


def test_the_command_tells_the_tokens(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(here)
    (here / "two.tsv").write_text("math.floor\tmath.mean\nsum\tsize_of\n")
    arguments = ["toys.jsonl", "--names", "two.tsv", "--tokenizer", "tiny"]
    assert main([*COMMAND, *arguments]) == 0
    assert capsys.readouterr().out.endswith(
        "new names in tokens of tiny, from where they differ from the old through the bracket: "
        "3 (math.mean) to 5 (size_of), median 4\n"
    )
    assert (
        spell_changes([ApiChange("len")], open_tokenizer(Choices(model="tiny"), Settings())) is None
    )
