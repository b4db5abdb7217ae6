from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.reporting.hostile import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode, 漢字", "plain text, ünïcode, 漢字"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x00b", r"a\x00b"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x9b31m", r"\x9b31m"),
        ("\udc80", r"\udc80"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\u2028end", r"line\u2028end"),
        ("\U000e0041", r"\U000e0041"),
        ("[bold red]markup[/]", "[bold red]markup[/]"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters(codec=None)))
def test_shown_text_prints_and_encodes(text: str) -> None:
    shown = escape(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert len(shown.split("\n")) == 1


@given(st.text(st.characters(codec=None)).filter(str.isprintable))
def test_printing_text_is_left_alone(text: str) -> None:
    assert escape(text) == text


def test_long_text_is_cut_and_the_rest_counted() -> None:
    assert escape("x" * 1_000_000, 5) == "xxxxx (+999995 characters)"
    assert escape("xxxxx", 5) == "xxxxx"
