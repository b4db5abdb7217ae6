"""Builds of a migration benchmark for tests: from the corpus made by hand, and on disk."""

from __future__ import annotations

from pathlib import Path

from pytest_coderobust.migration.benchmark import Benchmark, build_benchmark
from pytest_coderobust.migration.corpus import load_corpus
from pytest_coderobust.migration.writing import write_files
from pytest_coderobust.sandbox.calibration import JudgeAll
from support.migration_corpus import make_plan


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
