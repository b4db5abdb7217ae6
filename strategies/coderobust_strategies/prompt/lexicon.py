"""The word lists behind word-level perturbations, read once from the package's data files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

PartOfSpeech = Literal["verb", "noun", "adjective", "adverb"]


@cache
def closed_classes() -> Mapping[str, str]:
    """Maps each word of a closed class (one without new members) to its Penn tag, AUX or NEG."""
    return MappingProxyType(
        {word: tag for tag, words in _rows("closed_words.tsv") for word in words.split()}
    )


@cache
def frozen_words() -> frozenset[str]:
    """Reads the words that no word-level edit touches: negation, number, order, logic, names."""
    return frozenset(word for line in _lines("frozen_words.txt") for word in line.split())


@cache
def synonyms() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Maps (part of speech, lemma) to synonyms; "|" marks the word of a phrase that inflects."""
    return _choices("synonyms.tsv")


@cache
def derivations() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Maps (part of speech, lemma) to related words of another class."""
    return _choices("derivations.tsv")


@cache
def auxiliaries() -> Mapping[str, tuple[str, str]]:
    """Maps an auxiliary to its past and its future form; "-" means that it does not change."""
    rows = _rows("tense_words.tsv")
    return MappingProxyType({word: (past, future) for word, past, future in rows})


def _choices(name: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    return MappingProxyType(
        {
            (part, lemma): tuple(choice.strip() for choice in choices.split(","))
            for part, lemma, choices in _rows(name)
        }
    )


def _rows(name: str) -> Iterator[list[str]]:
    for line in _lines(name):
        yield line.split("\t")


def _lines(name: str) -> Iterator[str]:
    text = (files("coderobust_strategies") / "data" / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line
