"""Numbers of a study against what can be counted by hand, and text that arms put in front."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.metrics.attribution import RATE, bound_mean
from pytest_coderobust.migration.study.nearest import find_nearest, score_prompts, split_words
from pytest_coderobust.migration.study.notes import write_example, write_note
from pytest_coderobust.migration.study.outcomes import PairOutcome, StudyPair, by_key
from pytest_coderobust.migration.study.regressions import count_regressions, find_turned
from pytest_coderobust.migration.study.tabulation import StudyReferences, bound, tabulate
from pytest_coderobust.records import ApiChange, ApiUse, Level, Task, Tests, Verdict

FULL = Verdict(Level.FULL, 2, 2, api_uses=(ApiUse(0, 1),))
AROUND = Verdict(Level.FULL, 2, 2, api_uses=(ApiUse(0, 0),))
STALE = Verdict(
    Level.LOAD,
    0,
    2,
    "exception",
    "AttributeError: module 'math' has no attribute 'sqrt'",
    api_uses=(ApiUse(1, 0),),
)
WRONG = Verdict(Level.PARTIAL, 1, 2, "wrong-answer", api_uses=(ApiUse(0, 2),))
BROKEN = Verdict(Level.NONE, 0, 2, "syntax", api_uses=(ApiUse(0, 0),))
KINDS = [FULL, AROUND, STALE, WRONG, BROKEN]
COMPILES = {id(FULL), id(AROUND), id(WRONG)}


def outcome(
    edit: int, task: str, verdicts: tuple[Verdict, ...], *, own: int | None = 0
) -> PairOutcome:
    subset = "generalisation" if own is not None else "specificity"
    return PairOutcome(StudyPair(edit, task, f"api{edit}", subset, own), verdicts)  # type: ignore[arg-type]


samples = st.lists(st.sampled_from(KINDS), min_size=3, max_size=3).map(tuple)
sides = st.lists(st.tuples(samples, samples, samples), min_size=1, max_size=6)


@settings(max_examples=40)
@given(sides)
def test_a_subset_is_counted_as_by_hand(drawn: list[tuple[tuple[Verdict, ...], ...]]) -> None:
    arm, none, old = (
        [outcome(place % 2 + 1, f"T/{place}", each[side]) for place, each in enumerate(drawn)]
        for side in range(3)
    )
    references = StudyReferences(by_key(old), by_key(none), by_key(none), (1, 2, 3))
    found = tabulate("generalisation", arm, references, compared=True)
    verdicts = [verdict for each in arm for verdict in each.verdicts]
    counts = Counter(map(id, verdicts))
    assert found.adoption is not None
    assert (found.adoption.correct, found.adoption.incorrect, found.adoption.workaround) == (
        counts[id(FULL)], counts[id(WRONG)], counts[id(AROUND)],
    )  # fmt: skip
    assert (found.adoption.stale, found.adoption.other) == (counts[id(STALE)], counts[id(BROKEN)])
    assert found.adoption.samples == len(verdicts)
    for rate in found.rates:
        # pass@k is the share of all draws of k samples that hold a passing one.
        shares = [
            Fraction(sum(any(v.full for v in some) for some in combinations(each.verdicts, rate.k)), len(list(combinations(each.verdicts, rate.k))))
            for each in arm
        ]  # fmt: skip
        assert rate.passed.value == pytest.approx(float(sum(shares) / len(shares)))
        assert rate.passed.value <= rate.partial.value
        assert rate.passed.value <= rate.compiled.value
        assert rate.passed.low is None or rate.passed.low <= rate.passed.value <= (
            rate.passed.high or 1
        )
    compiled = sum(id(verdict) in COMPILES for verdict in verdicts)
    assert found.rates[0].compiled.value == pytest.approx(compiled / len(verdicts))
    assert found.against_none is not None
    change = sum(v.full for v in verdicts) - sum(v.full for each in none for v in each.verdicts)
    assert found.against_none.passed.value == pytest.approx(change / len(verdicts))
    for each in found.attributions:
        assert each.compiling.value + each.post.value == pytest.approx(each.change)
    assert {each.baseline for each in found.attributions} == {"old world", "no edit"}
    eligible = [place for place, each in enumerate(drawn) if sum(v is FULL for v in each[2]) >= 1.5]
    assert found.eligible is not None
    assert found.eligible.counts.eligible == len(eligible)


def test_only_the_own_change_counts_as_adopted() -> None:
    two = Verdict(Level.FULL, 2, 2, api_uses=(ApiUse(0, 3), ApiUse(0, 0)))
    first, second = (outcome(1, f"T/{own}", (two,), own=own) for own in (0, 1))
    both = by_key([first, second])
    found = tabulate(
        "generalisation", [first, second], StudyReferences(both, both, both, (1,)), compared=False
    )
    assert found.adoption is not None
    assert (found.adoption.correct, found.adoption.workaround) == (1, 1)
    assert found.against_none is None


def test_regressions_are_told_per_task_and_per_edit() -> None:
    before = [outcome(edit, task, (AROUND,), own=None) for edit in (1, 2, 3) for task in "ab"]
    before += [outcome(edit, "c", (BROKEN,), own=None) for edit in (1, 2, 3)]
    turned = {(1, "a"): BROKEN, (1, "b"): BROKEN, (2, "a"): BROKEN, (3, "c"): AROUND}
    after = [
        PairOutcome(each.pair, (turned.get(each.pair.key, each.verdicts[0]),)) for each in before
    ]
    references = StudyReferences({}, by_key(before), by_key(before), (1,))
    found = count_regressions(after, references)
    assert found is not None
    assert (found.edits, found.tasks, found.solved, found.lost, found.repaired) == (3, 3, 6, 3, 1)
    assert found.rate is not None
    assert found.rate.value == 0.5
    assert (found.edits_with_lost, found.share_of_edits, found.lost_tasks) == (2, 2 / 3, ("a", "b"))
    assert find_turned(after, references)[3].repaired == ("c",)
    assert count_regressions([], references) is None


def bm25(
    query: list[str], documents: list[list[str]], k1: float = 1.5, b: float = 0.75
) -> list[float]:
    """Robertson's formula with Lucene's idf, as the book has it."""
    average = sum(map(len, documents)) / len(documents)
    found = []
    for document in documents:
        score = 0.0
        for word in query:
            holding = sum(word in each for each in documents)
            idf = log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            count = document.count(word)
            score += idf * count / (count + k1 * (1 - b + b * len(document) / average))
        found.append(score)
    return found


@settings(max_examples=25)
@given(
    st.lists(st.text("ab c_", min_size=1, max_size=20), min_size=2, max_size=5),
    st.text("abc _", max_size=12),
)
def test_scores_are_those_of_the_formula(documents: list[str], query: str) -> None:
    words = [split_words(each) for each in documents]
    asked = split_words(query)
    if not all(words):
        return
    expected = bm25(asked, words)
    assert score_prompts(query, documents) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def task(name: str, prompt: str, canonical: str | None = "    pass\n") -> Task:
    return Task(name, prompt, "f", Tests("", "asserts"), canonical)


def test_the_nearest_solved_task_is_never_the_task_itself() -> None:
    asked = task("a", "the square root of a number")
    solved = [
        asked,
        task("b", "the mean of a list"),
        task("c", "root of a square"),
        task("d", "a square root", None),
    ]
    nearest = find_nearest(asked, solved)
    assert nearest is not None
    assert nearest.id == "c"
    assert find_nearest(asked, [asked]) is None
    assert find_nearest(asked, solved[:2]) is solved[1]
    assert split_words("list_of_Roots2") == ["list", "of", "roots", "2"]


def test_notes_say_what_became_of_an_api() -> None:
    note = write_note(
        [
            ApiChange("math.sqrt", "math.square_root"),
            ApiChange("len"),
            ApiChange("math.pow", "math.raised", "swapped", ("x", "y")),
            ApiChange("math.dist", "math.far", "keyword-only", ("p", "q")),
        ]
    )
    assert note.splitlines() == [
        "# Note: math.sqrt was renamed to math.square_root.",
        "# Note: len was removed and has no successor.",
        "# Note: math.pow was renamed to math.raised, whose first two arguments come the other way round.",
        "# Note: math.dist was renamed to math.far, which takes p, q by name alone.",
    ]
    assert (
        write_example(task("a", "def f(x):\n", "    return 1\n\n"))
        == "def f(x):\n    return 1\n\n\n"
    )


def test_tasks_without_a_change_are_drawn_too() -> None:
    """Edits alone would give an interval without width: all lose the same three tasks of eight."""
    arm = [
        outcome(edit, f"T/{task}", (BROKEN if task < 3 else FULL,), own=None)
        for edit in range(12)
        for task in range(8)
    ]
    found = bound(arm, [float(each.verdicts[0].full) for each in arm])
    by_tasks = bound_mean(
        [each.pair.task for each in arm], [float(e.verdicts[0].full) for e in arm], RATE
    )
    assert by_tasks is not None
    assert found.low is not None
    assert found.low <= by_tasks.low < 0.4 < 0.85 < by_tasks.high <= (found.high or 0)
