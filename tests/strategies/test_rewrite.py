"""The output of a rewriter becomes edits, its damage is found, and recorded rows are restored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderobust_strategies import (
    PerturbationError,
    RewriterNeeded,
    apply_edits,
    check_names,
    level,
    lookup,
    names,
    perturb,
)
from coderobust_strategies.audit import audit
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.rewrite import diff, find_paragraphs, rewrite

PROMPT = '''def gap(values):
    """Return the largest gap between
    neighbouring values of the list.
    - The list holds 2 values.

    Return zero for an empty one.
    >>> gap([1, 5])
    4
    """
'''


@given(st.text(), st.text())
def test_recorded_edits_give_the_variant_byte_for_byte(clean: str, variant: str) -> None:
    assert apply_edits(clean, diff(clean, variant)) == variant


WORDS = st.lists(st.sampled_from(["a", "the", "list", "gap", "values", "of", "Return", "new", "2"]))


@given(st.data())
def test_a_rewriters_words_arrive_in_order_between_the_old_line_breaks(data: st.DataObject) -> None:
    answers: list[str] = []

    def rewriter(_: str) -> str:
        answers.append(" ".join(data.draw(WORDS)))
        return answers[-1]

    made = apply_edits(PROMPT, rewrite(dissect(PROMPT, "gap"), rewriter))

    assert made.count("\n") == PROMPT.count("\n")
    kept = [answer for answer in answers if answer]
    if len(kept) == len(answers):
        prose = made.split('"""')[1].partition(">>>")[0].split()
        assert prose == " ".join(answers).split()


def test_paragraphs_end_at_list_items_blank_lines_and_examples() -> None:
    anatomy = dissect(PROMPT, "gap")
    texts = [" ".join(PROMPT[start:stop].split()) for start, stop in find_paragraphs(anatomy)]

    assert texts == [
        "Return the largest gap between neighbouring values of the list.",
        "- The list holds 2 values.",
        "Return zero for an empty one.",
    ]


def test_an_unchanged_text_has_no_edits() -> None:
    assert rewrite(dissect(PROMPT, "gap"), lambda text: text) == ()
    assert (
        perturb(PROMPT, "S1", 0, rewriter=lambda text: text).skipped
        == "the rewriter changed nothing"
    )


def test_a_rewrite_is_made_of_edits_that_undo_one_by_one() -> None:
    made = perturb(
        PROMPT, "S1", 0, entry_point="gap",
        rewriter=lambda text: text.replace("largest gap", "biggest distance").replace("Return", "Give"),
    )  # fmt: skip

    assert [edit.replacement for edit in made.edits] == ["Give", "biggest distance", "Give"]
    assert "Give the biggest distance between\n    neighbouring" in made.prompt
    assert not audit(PROMPT, made.prompt)


@pytest.mark.parametrize(
    "answer", ['He said """ and left', "Return 3 values", "Return it ' ", "\\"]
)
def test_what_a_rewriter_damages_is_skipped_unless_asked_for(answer: str) -> None:
    clean = PROMPT.replace("2 values", "'two' values")
    made = perturb(clean, "S1", 0, entry_point="gap", rewriter=lambda _: answer)

    assert made.prompt == clean
    assert made.skipped.startswith("damaged by the rewriter: ")
    kept = perturb(clean, "S1", 0, entry_point="gap", rewriter=lambda _: answer, keep_damaged=True)
    assert not kept.skipped
    assert answer.split()[0] in kept.prompt


@pytest.mark.parametrize("name", ["S1", "nlp:P1", "nlp:P2"])
def test_without_a_rewriter_the_error_says_what_could_be_one(name: str) -> None:
    with pytest.raises(RewriterNeeded, match="back-translation or paraphrasing rewriter") as caught:
        perturb(PROMPT, name, 0)

    assert isinstance(caught.value, PerturbationError)
    assert name not in names()
    assert level(name) == "sentence"
    with pytest.raises(RewriterNeeded):
        lookup(name)
    with pytest.raises(RewriterNeeded):
        check_names(["C1", name])
    check_names(["C1", name], rewriter=True)


def test_aggregates_draw_back_translation_only_with_a_rewriter() -> None:
    without = {perturb(PROMPT, "S", seed).member for seed in range(60)}
    with_one = {perturb(PROMPT, "S", seed, rewriter=str.upper).member for seed in range(60)}

    assert without == {"S2", "S3"}
    assert with_one == {"S1", "S2", "S3"}
    assert "S1" not in lookup("mix_all").members


def test_a_paraphrase_opens_a_sentence_and_keeps_its_words() -> None:
    seen = {perturb(PROMPT, "paraphrase", seed, edit_rate=1.0).prompt for seed in range(30)}

    assert len(seen) > 5
    for prompt in seen:
        assert "return the largest gap between" in prompt
        assert not audit(PROMPT, prompt)
