"""The glossary is sorted, gives each word once, and names modules that exist."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def read_rows() -> list[tuple[str, str, str]]:
    rows = [
        tuple(column.strip() for column in line.strip("|").split("|"))
        for line in GLOSSARY.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    assert rows.pop(0) == ("word", "meaning", "where")
    assert len(rows) > 50
    return [(word, meaning, where) for word, meaning, where in rows]


def test_words_are_sorted_and_each_is_given_once() -> None:
    words = [word.casefold() for word, _, _ in read_rows()]
    assert words == sorted(set(words))


def test_named_modules_exist() -> None:
    named = [name for _, _, where in read_rows() for name in re.findall(r"`([\w.]+)`", where)]
    assert named
    assert [name for name in named if find_spec(name) is None] == []


def test_each_word_has_a_meaning() -> None:
    assert [word for word, meaning, _ in read_rows() if not meaning] == []
