"""Measures how often recorded completions that pass use the APIs that the canonical solutions use.

    python bench/api_use.py completions.jsonl.gz

For each HumanEval task with a pair that the builder would take, the task's completions are judged
in the world as it is, with the task's APIs watched. Printed are the pairs of a passing completion
and an API, and the share of them that use the API; also by API.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

from pytest_coderobust.migration.checking import PairChecker
from pytest_coderobust.migration.corpus import load_corpus
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.kinds import read_kinds
from pytest_coderobust.migration.naming import open_names
from pytest_coderobust.migration.pairs import find_candidates
from pytest_coderobust.records import ApiChange
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check

CUTS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\nassert", '\n"""', "\n'''")


def cut(text: str) -> str:
    """Cuts a completion where its function surely ends, as the reference verdicts do."""
    return text[: min([len(text), *(at for mark in CUTS if (at := text.find(mark)) >= 0)])]


def main(path: Path) -> None:
    corpus = load_corpus(("humaneval",), Path())
    names = open_names("prefix", 0, Path())
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    with open_sandbox() as sandbox:
        judge = make_judge(sandbox)
        pairs = PairChecker(judge).check_pairs(
            find_candidates(corpus, read_kinds(()), names, 0).pairs
        )
        apis: dict[str, list[str]] = {}
        tasks = {problem.task.id: problem.task for problem in corpus.problems}
        for pair in pairs:
            if not pair.reason:
                apis.setdefault(pair.key[1], []).append(pair.key[0])
        asked = [row for row in rows if row["task_id"] in apis]
        checks = []
        for row in asked:
            task = tasks[row["task_id"]]
            watched = tuple(ApiChange(api, kind="watched") for api in apis[task.id])
            solution = task.prompt + cut(row["completion"])
            checks.append(Check(solution, task.entry_point, task.tests, api_changes=watched))
        verdicts = judge(checks)
    all_of, using = Counter[str](), Counter[str]()
    for row, verdict in zip(asked, verdicts, strict=True):
        if verdict.full:
            for api, use in zip(apis[row["task_id"]], verdict.api_uses, strict=True):
                all_of[api] += 1
                using[api] += use.new > 0
    total, used = all_of.total(), using.total()
    print(f"{len(asked)} completions, {total} pairs of a passing one and an API, {used} use it")
    print(f"{used / total:.1%}")
    for api, count in all_of.most_common():
        print(f"{api:24} {using[api]:4} of {count}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
