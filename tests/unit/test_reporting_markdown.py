"""The Markdown parts: whatever the text, a parser finds it as text and the table whole."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_coderobust.reporting.hostile import escape, escape_block
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table, make_fence

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("gfm-like", {"linkify": False})
ANY = st.text(st.characters(codec=None))
NASTY = st.lists(
    st.sampled_from(
        [
            "|",
            "\\",
            "`",
            "```",
            "<",
            ">",
            "</code>",
            "\n",
            "*",
            "_",
            "[x](y)",
            "&amp;",
            "@me",
            "#1",
            "$",
            "~~",
            "a",
            " ",
            "https://x.y",
        ]
    )
).map("".join)


def text_of(token: object) -> str:
    """The text a reader sees of an inline token, leaving out the tags of <code>."""
    children = token.children or []  # type: ignore[attr-defined]
    for child in children:
        assert child.type in ("text", "text_special", "html_inline", "softbreak"), child
        assert child.type != "html_inline" or child.content in ("<code>", "</code>")
    return "".join(child.content for child in children if child.type != "html_inline")


@settings(max_examples=150)
@given(st.lists(st.tuples(ANY | NASTY, ANY | NASTY), min_size=1, max_size=4))
def test_foreign_text_never_breaks_a_table(rows: list[tuple[str, str]]) -> None:
    text = format_table(("one", "two"), [(format_code(a), format_code(b)) for a, b in rows])
    tokens = PARSER.parse(text)
    assert [t.type for t in tokens if t.type.endswith("_open")].count("tr_open") == len(rows) + 1
    cells = [text_of(t) for t in tokens if t.type == "inline"][2:]
    expected = [escape(value, 300) for row in rows for value in row]
    assert [" ".join(cell.split()) for cell in cells] == [" ".join(e.split()) for e in expected]


@settings(max_examples=150)
@given(ANY | NASTY)
@example("```\n# heading")
@example("`````\n<b>")
def test_foreign_text_never_leaves_its_fence(text: str) -> None:
    tokens = PARSER.parse(f"before\n\n{make_fence(text, 'python')}\n\nafter")
    assert [t.type for t in tokens if t.level == 0] == [
        "paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close",
    ]  # fmt: skip
    (fence,) = [t for t in tokens if t.type == "fence"]
    assert fence.content.rstrip("\n") == escape_block(text).rstrip("\n")


def test_long_text_is_cut_and_the_rest_counted() -> None:
    assert make_fence("x" * 1_000_000, limit=5) == "```\nxxxxx\n(+999995 characters)\n```"
