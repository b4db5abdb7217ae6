"""The scanner of C++ and Java: against source made of known pieces, and against pygments."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers.c_cpp import CppLexer
from pygments.lexers.jvm import JavaLexer
from pygments.token import Comment, String
from support.braced_source import LANGUAGES, ODD, UNBALANCED, draw_pieces, join_pieces
from support.strategies_data import rows

from coderobust_strategies import names, perturb
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.prompt.braced import (
    BracedLanguage,
    blank_braced,
    braced_names,
    braced_spans,
    comment_bodies,
    guess_language,
    scan,
)


@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data())
def test_spans_are_those_of_the_pieces(language: BracedLanguage, data: st.DataObject) -> None:
    source, spans = join_pieces(data.draw(draw_pieces(language, UNBALANCED)))
    assert [(found.start, found.stop, found.kind) for found in scan(source, language)] == spans
    blank = blank_braced(source, language)
    assert len(blank) == len(source)
    for start, stop, _ in spans:
        assert blank[start:stop] == "\0" * (stop - start)
    kept = [char for char in blank if char != "\0"]
    inside = {place for start, stop, _ in spans for place in range(start, stop)}
    assert kept == [char for place, char in enumerate(source) if place not in inside]


@pytest.mark.parametrize("language", LANGUAGES)
@given(source=st.text(ODD + '\nRu8"#0', max_size=80))
def test_any_text_is_scanned_in_order(language: BracedLanguage, source: str) -> None:
    for torn in (True, False):
        spans = [(found.start, found.stop) for found in scan(source, language, torn=torn)]
        assert all(a < b for a, b in spans)
        assert all(b <= c for (_, b), (c, _) in pairwise(spans))
        assert not spans or spans[-1][1] <= len(source)


def of_pygments(source: str, language: BracedLanguage) -> tuple[list[int], list[int]]:
    """The offsets of braces in code, and of characters in comments, as pygments has them."""
    lexer = (CppLexer if language == "cpp" else JavaLexer)(stripnl=False, ensurenl=False)
    braces, commented = list[int](), list[int]()
    for start, kind, text in lexer.get_tokens_unprocessed(source):
        if kind in Comment and kind not in (Comment.Preproc, Comment.PreprocFile):
            commented += [start + at for at, char in enumerate(text) if not char.isspace()]
        elif kind not in String and kind not in Comment:
            braces += [start + at for at, char in enumerate(text) if char in "{}"]
    return braces, commented


def of_ours(source: str, language: BracedLanguage) -> tuple[list[int], list[int]]:
    blank = blank_braced(source, language)
    spans = [found for found in scan(source, language) if found.kind == "comment"]
    return (
        [at for at, char in enumerate(blank) if char in "{}"],
        [at for each in spans for at in range(each.start, each.stop) if not source[at].isspace()],
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_sources_are_read_as_pygments_reads_them(data: Path, language: BracedLanguage) -> None:
    found = list(rows(data / "humaneval_x" / f"humaneval_{language}.jsonl.gz"))
    for row in found:
        source = row["prompt"] + row["canonical_solution"] + row["test"]
        assert of_ours(source, language) == of_pygments(source, language), row["task_id"]
        assert guess_language(source) == language
    assert len(found) == 164


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=50)
@given(data=st.data())
def test_made_sources_are_read_as_pygments_reads_them(
    language: BracedLanguage, data: st.DataObject
) -> None:
    source, _ = join_pieces(data.draw(draw_pieces(language, UNBALANCED, unusual=False)))
    assert of_ours(source, language) == of_pygments(source, language)


@pytest.mark.parametrize(
    ("prompt", "prose"),
    [
        ("/**/\nint f(int x) { return x; }\n/* Twice it. */\nint g(int x) {\n", " Twice it. "),
        ("/** Twice it. */\nint f(int x) { // }\n//\n", " Twice it. "),
        ('String s = """\n/* no */\n""";\n// Twice it.\nint f(int x) {', " Twice it."),
        ('#include <x>\nauto s = R"(\n// no\n)";\n/* Twice it.\n*/\nint f(int x) {', " Twice it.\n"),
        ("int f(int x);  // no\n/// Twice it.\n/// Or so.\nint g(", " Twice it.\n/// Or so."),
        ("// Twice it: src/*.c\nint f(int x) {", " Twice it: src/*.c"),
        ("int f(int x); // src/*.c\n  /* Twice it.\nint f(int x) {", " Twice it.\nint f(int x) {"),
    ],
)  # fmt: skip
def test_the_last_comment_that_says_something_is_prose(prompt: str, prose: str) -> None:
    anatomy = dissect(prompt)
    assert anatomy.form == "comment"
    found = [anatomy.text(each) for each in anatomy.segments if each.kind == "prose"]
    assert "".join(found) == prose
    assert "".join(anatomy.text(each) for each in anatomy.segments) == prompt


def test_a_lone_opening_mark_in_text_opens_nothing() -> None:
    text = "Sources are in src/*.java files.\n// Twice it.\nint f("
    assert [text[each.start : each.stop] for each in comment_bodies(text)] == [" Twice it."]


def test_names_are_identifiers_and_types_but_no_keywords() -> None:
    cpp = '#include <map>\nvector<int> f(const string &s) { new T("word"); /* no */ return s; }'
    assert braced_names(cpp) >= {"vector", "int", "f", "string", "s", "T"}
    assert not braced_names(cpp) & {"const", "new", "return", "word", "no", "include", "map"}
    java = 'class A { /** no */ public boolean f(List<Integer> a) { return "x" == null; } }'
    assert braced_names(java) == {"A", "boolean", "f", "List", "Integer", "a"}


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("a Map<String, List<Integer>> of it", ["Map<String, List<Integer>>"]),
        ("see Solution#twice(int) here", ["Solution#twice(int)"]),
        ("if a &lt; b, an Integer", ["&lt;", "Integer"]),
        ("std::vector<int> or size_t", ["std::vector<int>", "size_t"]),
        ("a string, a list and an object", []),
    ],
)
def test_types_and_references_of_a_description_are_found(text: str, spans: list[str]) -> None:
    assert [text[slice(*span)] for span in braced_spans(text)] == spans


PROSE = "Return the new given {} of many numbers, where {} is shown and {} stays as it was."


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", LANGUAGES)
def test_code_in_a_comment_stays_as_it_is(language: BracedLanguage, name: str) -> None:
    code = ("Map<String, List<Integer>>", "twiceOf(values, 2)", "manyValues")
    lines = [f" * {PROSE.format(*code)}", " * @param manyValues the given numbers", " * @return it"]
    head = "/**\n" + "\n".join(lines) + "\n */\n"
    rest = (
        "#include<vector>\nint twiceOf(std::vector<int> manyValues) {\n"
        if language == "cpp"
        else "class Solution {\n    int twiceOf(List<Integer> manyValues) {\n"
    )
    for seed in range(2):
        made = perturb(head + rest, name, seed, task_id=str(seed), entry_point="twiceOf").prompt
        assert made.endswith(" */\n" + rest)
        assert [line[:3] for line in made.split("\n")] == [
            line[:3] for line in (head + rest).split("\n")
        ]
        for text in (*code, "@param manyValues", "@return"):
            assert made.count(text) == (head + rest).count(text), (seed, made)
