"""Scores of knowledge edits against NLTK, a longest common subsequence, SciPy, and by hand."""

from __future__ import annotations

import random
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from math import exp
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import word_tokenize
from nltk.translate.bleu_score import corpus_bleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from scipy.stats import entropy

from pytest_coderobust.metrics.answer_likeness import (
    average_scores,
    compute_bleu,
    compute_rouge_l,
    score_answer,
    score_neighbours,
)
from pytest_coderobust.metrics.fluency import compute_fluency
from pytest_coderobust.metrics.knowledge import average_cases, find_median
from pytest_coderobust.records.edit_scores import AnswerScores, CaseScores, NeighbourScores
from pytest_coderobust.tiny.edit_cases import draw_cases

TEXT = st.text(st.sampled_from("ab1 .,()[]=\n"), max_size=40)


def nltk_bleu(answer: str, target: str) -> float:
    tokens = Tokenizer13a()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of n-grams that never match
        return float(corpus_bleu([[tokens(target).split()]], [tokens(answer).split()]))


def lcs_rouge(answer: str, target: str) -> float:
    """The F-measure of the longest common subsequence, by the textbook's table."""
    a, b = (re.findall(r"[a-z0-9]+", text.lower()) for text in (answer, target))
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            longer = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else longer
    common = table[-1][-1]
    return 2 * common / (len(a) + len(b)) if common else 0.0


def scipy_fluency(text: str) -> float:
    tokens = word_tokenize(text, preserve_line=True)
    found = 0.0
    for n, weight in ((2, 2 / 3), (3, 4 / 3)):
        counts = Counter(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))
        found += weight * float(entropy(list(counts.values()), base=2)) if counts else 0.0
    return found / 2


def make_pairs(targets: Sequence[str]) -> list[tuple[str, str]]:
    """Answers and targets: exact, with one token corrupted, and another's, in equal parts."""
    draw = random.Random(0)
    pairs: list[tuple[str, str]] = []
    for place, target in enumerate(targets):
        words = target.split(" ")
        words[draw.randrange(len(words))] = "corrupted_1"
        other = targets[draw.randrange(len(targets))]
        pairs.append(((target, " ".join(words), other)[place % 3], target))
    return pairs


def check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    assert len({answer == target for answer, target in pairs}) == 2
    for answer, target in pairs:
        found = score_answer(answer, target)
        assert found.em == float(answer == target)
        assert found.bleu == pytest.approx(nltk_bleu(answer, target), abs=1e-12)
        assert found.rouge_l == pytest.approx(lcs_rouge(answer, target), abs=1e-12)
        assert compute_fluency(answer) == pytest.approx(scipy_fluency(answer), abs=1e-12)


def test_scores_of_drawn_cases_are_those_of_independent_sources() -> None:
    check_pairs(make_pairs([each.case.target for each in draw_cases("cases")[:60]]))


def test_scores_of_conala_are_those_of_independent_sources(data: object) -> None:
    from pathlib import Path

    from pytest_coderobust.knowledge.reading import read_case_set

    path = Path(str(data)) / "conala" / "conala_200.json"
    targets = [case.target for case in read_case_set(str(path)).cases]
    assert len(targets) == 200
    check_pairs(make_pairs(targets))


@given(TEXT, TEXT)
@settings(max_examples=60)
def test_scores_are_shares_and_agree_with_a_table(answer: str, target: str) -> None:
    found = score_answer(answer, target)
    assert all(0.0 <= value <= 1.0 for value in (found.em, found.bleu, found.rouge_l))
    if answer:
        assert found.rouge_l == pytest.approx(lcs_rouge(answer, target), abs=1e-12)
    if answer == target and len(re.findall(r"[a-z0-9]", target)):
        assert (found.em, found.rouge_l) == (1.0, 1.0)
    assert 0.0 <= compute_fluency(answer) < 6.0


def test_bleu_by_hand() -> None:
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples: their product is 1/5
    assert compute_bleu(["a b c d e"], ["a b c d f"]) == pytest.approx(0.2**0.25, abs=1e-12)
    # everything matches, but one word of five is missing
    assert compute_bleu(["a b c d"], ["a b c d e"]) == pytest.approx(exp(1 - 5 / 4), abs=1e-12)


def test_a_short_exact_match_has_bleu_0() -> None:
    assert score_answer("a b", "a b") == AnswerScores(em=1.0, bleu=0.0, rouge_l=1.0)


def test_rouge_sees_letters_and_digits_only() -> None:
    assert compute_rouge_l("x[1]", "X(1)") == 1.0
    assert compute_rouge_l("sorted lists", "sorting list") == 0.0  # words are not stemmed
    assert score_answer("[:-1]()", "[:-1]()").rouge_l > 0.0
    assert score_answer("(){}", "(){}").rouge_l == 0.0
    assert score_answer("(){}", "(){}").em == 1.0


def test_blanks_count_and_an_empty_answer_has_0() -> None:
    assert score_answer("a b c d", "a b c d ").em == 0.0
    assert score_answer("", "") == AnswerScores(0.0, 0.0, 0.0)


def test_neighbours_are_unchanged_together_or_each() -> None:
    old = ["a b c d", "e f g h", "i j k l", "m n o p", "q r s t"]
    same = score_neighbours(old, old)
    assert same == NeighbourScores(1.0, 1.0, 1.0, 1.0, 5)
    found = score_neighbours([*old[:4], "q r s"], old)
    assert found is not None
    assert (found.em_all, found.em_each) == (0.0, 0.8)
    # one corpus: 19 of 20 words written, 4 of 4 quadruples written that could be
    assert found.bleu == pytest.approx(exp(1 - 20 / 19), abs=1e-12)
    assert found.rouge_l == pytest.approx(fmean([1, 1, 1, 1, 6 / 7]), abs=1e-12)
    assert score_neighbours([], []) is None


def case(name: str, em: float, around: float | None = None, fluency: float = 4.0) -> CaseScores:
    scores = AnswerScores(em, em, em)
    unchanged = None if around is None else NeighbourScores(float(around == 1), around, 1, 1, 5)
    return CaseScores(name, scores, None, unchanged, fluency)


def test_means_and_gains_over_cases() -> None:
    after = [case("a", 1.0, 1.0, 5.0), case("b", 1.0, 0.6, 4.0), case("c", 0.0, None, 3.0)]
    before = [case("a", 0.0, 1.0, 4.0), case("b", 1.0, 1.0, 4.0), case("c", 0.0, None, 4.0)]
    found = {(each.aspect, each.score): each for each in average_cases(after, before)}
    em = found["effectiveness", "em"]
    assert (em.mean.value, em.cases) == (2 / 3, 3)
    assert em.gain is not None
    assert em.gain.value == pytest.approx(1 / 3)
    assert em.gain.low is not None
    assert em.gain.high is not None
    assert em.gain.low <= em.gain.value <= em.gain.high
    each = found["specificity", "em_each"]
    assert (each.mean.value, each.cases) == (0.8, 2)
    assert found["specificity", "em_all"].mean.value == 0.5
    bits = found["fluency", "bits"]
    assert bits.mean.value == 4.0
    assert bits.gain is not None
    assert bits.gain.value == 0.0
    assert not any(aspect == "generalisation" for aspect, _ in found)
    alone = {(each.aspect, each.score): each for each in average_cases(after, None)}
    assert alone["effectiveness", "em"].gain is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=40)
def test_an_editor_that_changes_nothing_gains_nothing(rows: list[tuple[bool, bool]]) -> None:
    scores = [case(str(at), float(em), float(same)) for at, (em, same) in enumerate(rows)]
    for each in average_cases(scores, scores):
        assert each.gain is not None
        assert each.gain.value == 0.0
        if each.gain.low is not None and each.gain.high is not None:
            assert each.gain.low <= 0.0 <= each.gain.high


def test_average_and_median_of_none() -> None:
    assert average_scores([]) is None
    assert find_median([]) is None
    assert find_median([3.0, 1.0]) == 2.0
    assert find_median([3.0, 1.0, 9.0]) == 3.0
