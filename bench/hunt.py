"""Evaluations from a first failure to its minimum: ours, sequential ddmin, Hypothesis alone.

python bench/hunt.py                  toy predicates, side by side
python bench/hunt.py --tiny           every solved task of the quickstart suite, from mix_all
python bench/hunt.py --verify FOLDER  re-verifies the failures of a folder from their JSON
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import contextlib
import itertools

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from support.hunt_toys import ALTERNATIVES, KINDS, OPERATIONS, SITES, Edits, Toy, simpler, toy

from coderobust_strategies.audit import audit, is_damaged
from pytest_coderobust.engine.budget import Budget
from pytest_coderobust.hunting.failure import Failure, from_json
from pytest_coderobust.hunting.hunt import Hunted
from pytest_coderobust.hunting.minimisation import minimise
from pytest_coderobust.hunting.questions import settle
from pytest_coderobust.hunting.store import Failures
from pytest_coderobust.session.hunting import find_breaking_prompt

SEEDS = 20
SUITE = Path(__file__).parents[1] / "example_suites" / "quickstart.toml"


def run_ours(made: Toy) -> tuple[int, float, int]:
    found, effort = settle(minimise(made.first, simpler), lambda s: [made.breaks(e) for e in s])
    return effort.evaluations, effort.batches, len(found.edits)


def run_ddmin(made: Toy) -> tuple[int, float, int]:
    """Zeller and Hildebrandt's ddmin, one evaluation at a time, then simpler edits one by one."""
    asked: dict[Edits, bool] = {frozenset(): False, made.first: True}
    calls = 0

    def fails(edits: Edits) -> bool:
        nonlocal calls
        if edits not in asked:
            calls += 1
            asked[edits] = made.breaks(edits)
        return asked[edits]

    left, n = sorted(made.first), 2
    while len(left) >= 2:
        bounds = [len(left) * i // n for i in range(n + 1)]
        parts = [left[a:b] for a, b in itertools.pairwise(bounds)]
        rests = [[e for e in left if e not in part] for part in parts]
        if (hit := next((p for p in parts if fails(frozenset(p))), None)) is not None:
            left, n = hit, 2
        elif (hit := next((r for r in rests if fails(frozenset(r))), None)) is not None:
            left, n = hit, max(n - 1, 2)
        elif n >= len(left):
            break
        else:
            n = min(2 * n, len(left))
    best = frozenset(left)
    for edit in left:
        for other in simpler(edit, best):
            if fails(best - {edit} | {other}):
                best = best - {edit} | {other}
                break
    return calls, calls, len(best)


def run_hypothesis(made: Toy, number: int) -> tuple[int, float, int]:
    """Hypothesis finds the same failure by chance and shrinks it; evaluations after the finding."""
    slot = st.tuples(
        st.integers(0, SITES - 1), st.integers(0, OPERATIONS - 1), st.integers(0, ALTERNATIVES - 1)
    )
    asked: dict[Edits, bool] = {}
    since: list[Edits] = []
    last: list[Edits] = []

    @seed(number)
    @settings(
        max_examples=20_000, database=None, deadline=None, report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )  # fmt: skip
    @given(st.integers(0, 12).flatmap(
        lambda n: st.lists(slot, min_size=n, max_size=n, unique_by=lambda e: e[0])
    ))  # fmt: skip
    def solved(drawn: list[tuple[int, int, int]]) -> None:
        edits = frozenset(drawn)
        if edits not in asked:
            asked[edits] = made.breaks(edits)
            if last:
                since.append(edits)
        if asked[edits]:
            last.append(edits)
            raise AssertionError

    with contextlib.suppress(AssertionError):
        solved()
    return len(since), len(since), len(last[-1]) if last else -1


def compare_on_toys() -> None:
    print(f"{'':24}{'ours':>22}{'sequential ddmin':>22}{'hypothesis alone':>22}")
    print(f"{SEEDS} seeds, mean".ljust(24) + "evals batches edits   " * 3)
    for kind in KINDS:
        row = kind.ljust(24)
        made = [toy(kind, number) for number in range(SEEDS)]
        alone = [run_hypothesis(each, number) for number, each in enumerate(made)]
        for results in ([run_ours(m) for m in made], [run_ddmin(m) for m in made], alone):
            evals, batches, edits = (mean(column) for column in zip(*results, strict=True))
            row += f"{evals:5.1f} {batches:7.1f} {edits:5.2f}   "
        print(row.rstrip())


def hunt_on_tiny(limit: int | None, folder: Path) -> None:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        tasks = None if limit is None else [f"quickstart/{i}" for i in range(limit)]
        hunted = find_breaking_prompt(
            "tiny", SUITE, tasks, budget=Budget(), ledger=Path(scratch) / "ledger"
        )
    report(hunted)
    print(f"{time.perf_counter() - started:.0f} s")
    store = Failures(folder)
    for each in hunted:
        if each.failure is not None:
            store.write(each.failure)
    print(f"kept in {folder}")


def report(hunted: Sequence[Hunted]) -> None:
    endings = Counter(each.ending for each in hunted)
    solved = len(hunted) - endings["unsolved"]
    found = [each.failure for each in hunted if each.failure is not None]
    print(f"{len(hunted)} tasks, {solved} solved, {len(found)} broken: {len(found) / solved:.1%}")
    print("endings", dict(endings))
    print("edits", dict(Counter(len(f.edits) for f in found)), median(len(f.edits) for f in found))
    print("kinds", dict(Counter(edit.kind for f in found for edit in f.edits).most_common()))
    spent = [f.spent.completions for f in found]
    print(f"completions of a found one: mean {mean(spent):.1f}, most {max(spent)}")
    print("minimal", sum(f.minimal for f in found), "of", len(found))
    print("damaged", sum(is_damaged(audit(f.clean.prompt, f.broken.prompt)) for f in found))


def verify(folder: Path) -> None:
    """Asks a fresh model, with no ledger, about each record and each set that lacks an edit."""
    failures = [from_json(p.read_text(), str(p)) for p in sorted(folder.glob("*.json"))]
    print(f"{len(failures)} records")
    right = sum(
        ask_again(chunk) for chunk in (failures[i : i + 64] for i in range(0, len(failures), 64))
    )
    print(f"{right} verified: they fail, the clean prompt and every set one edit smaller pass")


def ask_again(failures: Sequence[Failure]) -> int:
    from pytest_coderobust.hunting.panel import Confirm, Panel, Question
    from pytest_coderobust.session.choices import Choices
    from pytest_coderobust.session.session import open_session

    with ExitStack() as until:
        scratch = Path(until.enter_context(tempfile.TemporaryDirectory()))
        choices = Choices(model="tiny", ledger=scratch / "ledger")
        session = until.enter_context(open_session(choices, SUITE.parent))
        measurement = session.suite(session.refer(SUITE)).single
        plan = measurement.plan
        panel = Panel(measurement, Confirm())
        right = 0
        sets = [
            (plan.tasks[f.task_id], f, [frozenset(f.edits) - {e} for e in f.edits])
            for f in failures
        ]
        questions = [
            Question(task, edits)
            for task, f, fewer in sets
            for edits in (frozenset(f.edits), frozenset(), *fewer)
        ]
        broke = iter([panel.broke(ballot) for ballot in panel.vote(questions)])
        for _, f, fewer in sets:
            fails, *others = [next(broke) for _ in range(2 + len(fewer))]
            right += fails and not any(others)
            if not fails or any(others):
                print(f"{f.task_id}: fails {fails}, smaller {others}")
    return right


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "failures")
    parser.add_argument("--verify", type=Path)
    chosen = parser.parse_args()
    if chosen.verify:
        verify(chosen.verify)
    elif chosen.tiny:
        hunt_on_tiny(chosen.limit, chosen.folder)
    else:
        compare_on_toys()
