"""Rule of canaries: equal answers, ties, moves, and what a server's own spread allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_coderobust.models.served.canary import CanaryAnswer, CanaryToken
from pytest_coderobust.models.served.canary_rule import (
    CEILING,
    FLOOR,
    CanarySpread,
    choose_tolerance,
    compare_answers,
    find_kinds,
    is_weak,
    measure_spread,
)

LOGPROBS = st.floats(-8.0, 0.0)
WORDS = st.sampled_from(["a", "b", " c", "\n", "é", "世"])


@st.composite
def tokens(draw: st.DrawFn) -> CanaryToken:
    text, logprob = draw(WORDS), draw(LOGPROBS)
    others = draw(st.dictionaries(WORDS, LOGPROBS, max_size=3))
    return CanaryToken(text, logprob, tuple({**others, text: logprob}.items()))


def make(found: list[CanaryToken]) -> CanaryAnswer:
    return CanaryAnswer("".join(token.text for token in found), tuple(found))


ANSWERS = st.lists(tokens(), min_size=1, max_size=12).map(make)
TOLERANCES = st.floats(FLOOR, CEILING)


def moved(answer: CanaryAnswer, place: int, by: float) -> CanaryAnswer:
    """The answer with one token's log-probability moved."""
    token = answer.tokens[place]
    assert token.logprob is not None
    other = replace(token, logprob=token.logprob + by)
    return replace(answer, tokens=(*answer.tokens[:place], other, *answer.tokens[place + 1 :]))


@given(ANSWERS, TOLERANCES)
def test_an_answer_is_the_same_as_itself(answer: CanaryAnswer, tolerance: float) -> None:
    found = compare_answers(answer, answer, tolerance)
    assert (found.outcome, found.place, found.moved) == ("same", None, 0.0)


@given(ANSWERS, ANSWERS, TOLERANCES)
def test_the_order_of_two_answers_decides_nothing(
    one: CanaryAnswer, other: CanaryAnswer, tolerance: float
) -> None:
    there = compare_answers(one, other, tolerance)
    back = compare_answers(other, one, tolerance)
    assert (there.outcome, there.place, there.moved) == (back.outcome, back.place, back.moved)


@given(ANSWERS, ANSWERS, TOLERANCES, TOLERANCES)
def test_a_larger_tolerance_never_parts_what_a_smaller_one_joins(
    one: CanaryAnswer, other: CanaryAnswer, first: float, second: float
) -> None:
    small, large = sorted((first, second))
    strict = compare_answers(one, other, small).outcome
    if strict != "different":
        assert compare_answers(one, other, large).outcome == strict


@given(ANSWERS, st.data(), TOLERANCES)
def test_a_move_beyond_the_tolerance_is_found_and_one_within_is_not(
    answer: CanaryAnswer, data: st.DataObject, tolerance: float
) -> None:
    place = data.draw(st.integers(0, len(answer.tokens) - 1))
    within = compare_answers(answer, moved(answer, place, 0.9 * tolerance), tolerance)
    assert within.outcome == "same"
    assert within.moved == pytest.approx(0.9 * tolerance)
    beyond = compare_answers(answer, moved(answer, place, 1.1 * tolerance), tolerance)
    assert (beyond.outcome, beyond.place) == ("different", place)
    assert repr(answer.tokens[place].text) in beyond.reason


@given(ANSWERS, st.data(), TOLERANCES)
def test_what_comes_after_the_agreed_tokens_decides_nothing(
    answer: CanaryAnswer, data: st.DataObject, tolerance: float
) -> None:
    agreed = data.draw(st.integers(0, len(answer.tokens) - 1))
    tail = data.draw(ANSWERS).tokens
    other = make([*answer.tokens[:agreed], *tail])
    assume(len(other.tokens) >= agreed)
    assert compare_answers(answer, other, tolerance, agreed).outcome == "same"


def pair(first: float, second: float, *, swapped: bool = False) -> CanaryAnswer:
    """An answer that begins alike and then writes "x" (or "y"), whose candidates are given."""
    chosen, logprob = ("y", second) if swapped else ("x", first)
    last = CanaryToken(chosen, logprob, (("x", first), ("y", second)))
    return make([CanaryToken("def", -0.5, (("def", -0.5),)), last])


def test_texts_that_part_at_equal_candidates_are_a_tie() -> None:
    found = compare_answers(pair(-0.7, -0.7004), pair(-0.7003, -0.7, swapped=True), FLOOR)
    assert (found.outcome, found.place) == ("tie", 1)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (pair(-0.7, -0.71), pair(-0.7003, -0.7, swapped=True)),  # no tie before
        (pair(-0.7, -0.7004), pair(-0.71, -0.7, swapped=True)),  # none now
        (pair(-0.7, -0.7), pair(-0.8, -0.8, swapped=True)),  # two ties, elsewhere
    ],
)
def test_a_parting_is_no_tie_unless_all_four_agree(before: CanaryAnswer, now: CanaryAnswer) -> None:
    found = compare_answers(before, now, FLOOR)
    assert (found.outcome, found.place) == ("different", 1)
    assert found.reason == "token 2 was 'x' and is 'y'"


def test_a_tie_needs_an_equal_beginning() -> None:
    now = pair(-0.7003, -0.7, swapped=True)
    assert compare_answers(pair(-0.7, -0.7004), moved(now, 0, 0.01), FLOOR).place == 0


def test_a_rival_that_the_server_does_not_name_is_no_tie() -> None:
    before = make([CanaryToken("x", -0.7, (("x", -0.7),))])
    now = make([CanaryToken("y", -0.7, (("y", -0.7),))])
    assert compare_answers(before, now, CEILING).outcome == "different"


def test_an_answer_that_ends_earlier_differs() -> None:
    whole = pair(-0.7, -0.8)
    found = compare_answers(whole, make(list(whole.tokens[:1])), CEILING)
    assert (found.outcome, found.place) == ("different", 1)


def test_an_end_token_that_only_one_side_lists_is_no_difference() -> None:
    whole = pair(-0.7, -0.8)
    longer = CanaryAnswer(whole.text, (*whole.tokens, CanaryToken("", -0.1)))
    assert compare_answers(whole, longer, FLOOR).outcome == "same"


def test_log_probabilities_that_vanish_differ() -> None:
    whole = pair(-0.7, -0.8)
    assert compare_answers(whole, CanaryAnswer(whole.text), FLOOR).outcome == "different"
    hidden = replace(whole, tokens=(whole.tokens[0], CanaryToken("x")))
    assert compare_answers(whole, hidden, CEILING).outcome == "different"


@given(st.text(), st.text())
def test_texts_alone_must_be_equal(before: str, now: str) -> None:
    found = compare_answers(CanaryAnswer(before), CanaryAnswer(now), CEILING)
    assert (found.outcome == "same") == (before == now)
    if before != now:
        assert found.place is not None
        assert before[: found.place] == now[: found.place]
        assert before[found.place : found.place + 1] != now[found.place : found.place + 1]


@given(st.lists(st.text("ab", max_size=4), min_size=1, max_size=4))
def test_the_spread_of_texts_is_their_common_beginning(texts: list[str]) -> None:
    found = measure_spread([CanaryAnswer(text) for text in texts])
    assert (found.agreed is None) == (len(set(texts)) == 1)
    for text in texts:
        same = compare_answers(CanaryAnswer(texts[0]), CanaryAnswer(text), FLOOR, found.agreed)
        assert same.outcome == "same"


@given(ANSWERS, st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=2), st.data())
def test_answers_of_first_contact_are_the_same_under_the_tolerance_they_give(
    answer: CanaryAnswer, moves: list[float], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(answer.tokens) - 1))
    answers = [answer, *(moved(answer, place, by) for by in moves)]
    spread = measure_spread(answers)
    assert spread.moved == pytest.approx(max(0.0, *moves) - min(0.0, *moves))
    tolerance = choose_tolerance([spread])
    assert FLOOR <= tolerance <= CEILING
    assert all(
        compare_answers(answers[0], each, tolerance, spread.agreed).outcome == "same"
        for each in answers
    )


def test_a_quiet_server_gets_the_floor_and_a_wild_one_the_ceiling() -> None:
    assert choose_tolerance([]) == FLOOR
    assert choose_tolerance([CanarySpread(), CanarySpread(3, 1e-5)]) == FLOOR
    assert choose_tolerance([CanarySpread(None, 0.01)]) == pytest.approx(0.04)
    assert choose_tolerance([CanarySpread(None, 0.2)]) == CEILING


@pytest.mark.parametrize(("apart", "weak"), [(0, False), (2, False), (3, True), (6, True)])
def test_a_server_that_disagrees_on_more_than_two_of_six_is_weak(apart: int, weak: bool) -> None:
    spreads = [CanarySpread(4)] * apart + [CanarySpread()] * (6 - apart)
    assert is_weak(spreads) == weak


def test_kinds_of_answers_are_those_that_came_again() -> None:
    one, other = pair(-0.7, -0.8), pair(-0.72, -0.8)
    noise = [pair(-0.7 - step / 100, -0.8) for step in range(1, 9)]
    assert find_kinds([one] * 8) == [one]
    assert find_kinds([other, *[one] * 7]) == [one]  # a cache that warmed up
    assert find_kinds([one, other] * 4) == [one, other]
    assert find_kinds(noise) == []
