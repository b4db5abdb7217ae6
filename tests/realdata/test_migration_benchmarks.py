"""The builder of migration benchmarks on HumanEval and MBPP: figures, rows, and all changes at once.

The whole of both takes minutes; HumanEval alone is the cut version.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.migration_corpus import check_rows

from pytest_coderobust.migration.benchmark import Benchmark, BuildPlan, build_benchmark
from pytest_coderobust.migration.checking import PairChecker, make_canonical_check
from pytest_coderobust.migration.corpus import Corpus, load_corpus
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.kinds import read_kinds
from pytest_coderobust.migration.naming import open_names
from pytest_coderobust.migration.pairs import ChangePair, find_candidates
from pytest_coderobust.migration.rewriting import rewrite
from pytest_coderobust.migration.writing import write_files
from pytest_coderobust.records import ApiChange
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import JudgeAll

pytestmark = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)
BOTH = ("humaneval", "mbpp/mbpp_recode.jsonl.gz")
HERE = Path()


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeAll]:
    with open_sandbox(2) as sandbox:
        yield make_judge(sandbox)


def make_plan(names: str, preset: str = "capped", sources: tuple[str, ...] = BOTH) -> BuildPlan:
    return BuildPlan(sources, read_kinds(()), open_names(names, 0, HERE), preset)


def write(benchmark: Benchmark, folder: Path) -> Path:
    for name, text in write_files(benchmark).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def check_pairs(plan: BuildPlan, corpus: Corpus, judge: JudgeAll) -> tuple[ChangePair, ...]:
    candidates = find_candidates(corpus, plan.kinds, plan.names, plan.seed)
    return PairChecker(judge).check_pairs(candidates.pairs)


def count_reasons(pairs: tuple[ChangePair, ...]) -> dict[str, int]:
    return dict(Counter(pair.reason.partition(" (")[0] for pair in pairs if pair.reason))


def check_whole_world(
    corpus: Corpus, pairs: tuple[ChangePair, ...], judge: JudgeAll
) -> tuple[list[str], dict[str, str]]:
    """Rewrites each problem for all its APIs, and judges all problems under all changes.

    Returns:
        the rewritten problems that fail, and the reasons of the untouched ones that do.
    """
    checker = PairChecker(judge)
    checker.check_tasks(corpus.problems)
    good = [pair for pair in pairs if not pair.reason]
    changes: dict[str, ApiChange] = {pair.key[0]: pair.change for pair in good}
    ours = {pair.key[1] for pair in good}
    touched = [problem for problem in corpus.problems if problem.task.id in ours]
    checks = []
    for problem in touched:
        start = len(problem.task.prompt)
        source = rewrite(problem.program, tuple(changes.values()), start).source
        check = make_canonical_check(problem, source[start:])
        checks.append(
            type(check)(
                check.solution, check.entry_point, check.tests, api_changes=tuple(changes.values())
            )
        )
    verdicts = judge(checks)
    failed = [p.task.id for p, verdict in zip(touched, verdicts, strict=True) if not verdict.full]
    others = [
        p for p in corpus.problems if p.task.id not in ours and p.task.id not in checker.broken
    ]
    reasons = checker.check_world(others, tuple(changes.values()))
    named = {p.task.id: why for p, why in zip(others, reasons, strict=True) if why}
    return failed, named


@pytest.mark.slow
def test_prefixed_names_on_both_data_sets(judge: JudgeAll) -> None:
    """1,138 problems. The prototype's 64 APIs and 567 problems, and `itertools.chain`, whose
    attribute counts now: one API and one problem more."""
    plan = make_plan("prefix")
    corpus = load_corpus(plan.tasks, HERE)
    assert (len(corpus.problems), sum(corpus.left_out.values())) == (1136, 2)
    pairs = check_pairs(plan, corpus, judge)
    good = [pair for pair in pairs if not pair.reason]
    apis, problems = {pair.key[0] for pair in good}, {pair.key[1] for pair in good}
    assert (len(apis - {"itertools.chain"}), len(apis), len(problems)) == (64, 65, 568)
    assert abs(len(problems) - 567) <= 1
    assert count_reasons(pairs) == {
        "the prompt's code uses it": 6,
        "it is imported and never used": 6,
        "the canonical solution fails anyway": 4,
    }
    failed, untouched = check_whole_world(corpus, pairs, judge)
    assert failed == []
    # Prompts whose own code calls a changed builtin (the first three), and imports that nothing calls.
    assert untouched == {
        "HumanEval/32": "it reaches for an old name",
        "HumanEval/38": "it reaches for an old name",
        "HumanEval/50": "it reaches for an old name",
        "MBPP/446": "it reaches for an old name",
        "MBPP/789": "it reaches for an old name",
    }


@pytest.mark.slow
def test_names_of_the_table_on_both_data_sets(tmp_path: Path, judge: JudgeAll) -> None:
    corpus = load_corpus(BOTH, HERE)
    benchmark = build_benchmark(make_plan("table"), corpus, judge)
    # One fewer than with prefixes: MBPP/124, the only task of `cmath.phase`, has the word "angle".
    assert benchmark.survived == (64, 567)
    assert benchmark.sizes == (37, 103, 244, 200)
    study = build_benchmark(make_plan("table", "study"), corpus, judge)
    assert study.sizes == (37, 264, 281, 200)
    files = write_files(benchmark)
    assert write_files(build_benchmark(make_plan("table"), corpus, judge)) == files
    check_rows(write(benchmark, tmp_path), judge, 103 + 244 + 200)


def test_names_of_the_table_on_humaneval(tmp_path: Path, judge: JudgeAll) -> None:
    plan = make_plan("table", sources=("humaneval",))
    corpus = load_corpus(plan.tasks, HERE)
    benchmark = build_benchmark(plan, corpus, judge)
    assert benchmark.survived == (20, 99)
    assert benchmark.sizes == (12, 30, 55, 65)
    check_rows(write(benchmark, tmp_path), judge, sum(benchmark.sizes[1:]))
    pairs = check_pairs(plan, corpus, judge)
    failed, untouched = check_whole_world(corpus, pairs, judge)
    assert failed == []
    assert untouched.keys() == {"HumanEval/32", "HumanEval/38", "HumanEval/50"}
