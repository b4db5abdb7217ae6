"""Our variants change as much prose as ReCode's released rows do, by the same counter."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest
from support.strategies_data import Item, humaneval, mbpp, rows, show

from coderobust_strategies import names, perturb
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.prompt.inflection import readings
from coderobust_strategies.prompt.lexicon import closed_classes, frozen_words, synonyms
from coderobust_strategies.word_count import count_changed_words

RECORDED = {
    "C1": "ButterFingersPerturbation",
    "C2": "SwapCharactersPerturbation",
    "C3": "ChangeCharCase",
    "W1": "SynonymInsertion",
    "W2": "SynonymSubstitution",
    "W3": "EnglishInflectionalVariation",
    "S2": "TenseTransformationPast",
    "S3": "TenseTransformationFuture",
}


def doctest_tasks(data: Path) -> list[Item]:
    return [item for item in humaneval(data) if ">>>" in item.prompt]


def share(item: Item, variant: str) -> float:
    return count_changed_words(dissect(item.prompt, item.entry_point, item.code), variant).share


@pytest.mark.parametrize("name", [name for name in RECORDED if name in names()])
def test_the_median_share_of_changed_words_is_within_a_quarter_of_recodes(
    data: Path, name: str
) -> None:
    tasks = doctest_tasks(data)
    assert len(tasks) == 76
    folder = data / "recode" / "humaneval"
    theirs: list[float] = []
    for path in sorted(folder.glob(f"humaneval_{RECORDED[name]}_s*.jsonl.gz")):
        recorded = {row["task_id"]: row["prompt"] for row in rows(path)}
        theirs += [share(item, recorded[item.id]) for item in tasks]
    ours = [
        share(
            item,
            perturb(
                item.prompt, name, seed,
                task_id=item.id, entry_point=item.entry_point, code=item.code,
            ).prompt,
        )
        for seed in range(3)
        for item in tasks
    ]  # fmt: skip
    figures = f"changed {median(ours):.3f}, ReCode {median(theirs):.3f}"
    show(f"{name}: median share of eligible words {figures}")

    assert 0.75 * median(theirs) <= median(ours) <= 1.25 * median(theirs)


def test_the_synonym_table_covers_the_content_words_of_both_benchmarks(data: Path) -> None:
    lemmas = {lemma for _, lemma in synonyms()}
    suites = {"HumanEval": humaneval(data), "MBPP": mbpp(data)[::2]}
    covered: dict[str, float] = {}
    for suite, items in suites.items():
        words = [
            word.text.lower()
            for item in items
            for word in dissect(item.prompt, item.entry_point, item.code).words
        ]
        content = [w for w in words if w not in frozen_words() and w not in closed_classes()]
        known = [w for w in content if any(r.lemma in lemmas for r in readings(w))]
        covered[suite] = len(known) / len(content)
        show(f"{suite}: {covered[suite]:.1%} of {len(content)} content words have synonyms")

    assert covered["HumanEval"] >= 0.80
    assert covered["MBPP"] >= 0.70
