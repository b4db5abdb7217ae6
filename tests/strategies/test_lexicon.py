"""The bundled word lists are consistent."""

from __future__ import annotations

import re

import pytest

from coderobust_strategies.prompt.inflection import inflect, inflect_phrase, other_forms, readings
from coderobust_strategies.prompt.lexicon import (
    auxiliaries,
    closed_classes,
    frozen_words,
    synonyms,
)

TAGS = {"verb": ("VB", "VBZ", "VBD", "VBN", "VBG"), "noun": ("NN", "NNS"), "adverb": ("RB",)}


def test_the_table_has_the_promised_size() -> None:
    lemmas = {lemma for _, lemma in synonyms()}

    assert len(lemmas) >= 300
    assert {"list", "string", "return", "find"} <= lemmas


def test_no_synonym_is_its_own_lemma_or_carries_a_number_or_a_mark() -> None:
    for (part, lemma), choices in synonyms().items():
        assert part in {"verb", "noun", "adjective", "adverb"}
        assert len(set(choices)) == len(choices) >= 1
        for choice in choices:
            assert choice != lemma
            assert re.fullmatch(r"[a-z]+(?:\|?[ -][a-z]+\|?)*", choice), choice
            words = set(choice.replace("|", "").split())
            assert not words & (frozen_words() - {"up", "down", "out", "of", "at", "all", "not"}), (
                choice
            )


def test_no_frozen_word_has_synonyms() -> None:
    assert not {lemma for _, lemma in synonyms()} & frozen_words()


def test_verbs_and_nouns_of_the_table_inflect_in_every_form() -> None:
    for (part, lemma), choices in synonyms().items():
        for tag in TAGS.get(part, ()):
            for choice in choices:
                form = inflect_phrase(choice, part, tag)  # type: ignore[arg-type]
                assert form, (lemma, choice, tag)
                assert "|" not in form


@pytest.mark.parametrize(
    ("phrase", "part", "tag", "form"),
    [
        ("give back", "verb", "VBZ", "gives back"),
        ("work out", "verb", "VBN", "worked out"),
        ("whole number", "noun", "NNS", "whole numbers"),
        ("sequence| of characters", "noun", "NNS", "sequences of characters"),
        ("tiny", "adjective", "JJS", "tiniest"),
        ("numerical", "adjective", "JJS", ""),
        ("easy to see", "adjective", "JJR", ""),
    ],
)
def test_a_phrase_inflects_its_head(phrase: str, part: str, tag: str, form: str) -> None:
    assert inflect_phrase(phrase, part, tag) == form  # type: ignore[arg-type]


def test_irregular_forms_are_known() -> None:
    assert inflect("write", "VBD") == "wrote"
    assert inflect("index", "NNS") in {"indices", "indexes"}
    assert other_forms("verb", "find", "finds") == ("find", "finding", "found")


def test_words_that_only_programmers_use_are_read_through_the_table() -> None:
    assert [(r.lemma, r.tag) for r in readings("sublists")] == [("sublist", "NNS")]
    assert readings("qwxyz") == ()


def test_an_auxiliary_has_both_tenses() -> None:
    assert auxiliaries()["is"] == ("was", "will be")
    assert {"is", "are", "has", "have", "does", "do", "can", "will"} <= set(auxiliaries())
    assert closed_classes()["is"] == "AUX"
