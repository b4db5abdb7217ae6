"""Case sets of knowledge edits: their forms, their neighbours, what two sets share, and bad files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.knowledge_rows import CNLE, CSNE

from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.choosing import (
    choose_cases,
    digest_texts,
    drop_cases,
    find_known,
    find_overlap,
    list_texts,
    normalise,
)
from pytest_coderobust.knowledge.neighbours import COUNT, Draft, PoolItem, fill_neighbours
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.records import digest
from pytest_coderobust.records.knowledge import KnowledgeCase
from pytest_coderobust.tiny.edit_cases import draw_cases, draw_pool

WORDS = st.lists(st.sampled_from(["sort", "list", "file", "open", "sum"]), min_size=1, max_size=4)


def write(path: Path, rows: Sequence[object]) -> str:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(json.dumps(rows) if path.suffix == ".json" else lines, encoding="utf-8")
    return str(path)


def test_csne_rows_are_read_as_the_reference_reads_them(tmp_path: Path) -> None:
    cases = read_case_set(write(tmp_path / "all.json", CSNE)).cases
    assert [case.id for case in cases] == ["0", "1", "2"]
    first = cases[0]
    assert first.prompt == "Code: def add(a, b):\n    return a + b\nDescription:"
    assert first.target == "Add two numbers."
    assert first.answer == " Add two numbers."
    assert first.rewrites == ("Code: def add(x, y):\n    return x + y\nDescription:",)
    assert len(first.neighbours) == 5
    assert first.neighbours[0] == "Code: def sub(a, b):\n    return a - b\nDescription:"


def test_cnle_rows_are_read_by_name_from_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "EditConala").mkdir()
    write(tmp_path / "EditConala" / "test.json", CNLE)
    monkeypatch.setenv("CODEROBUST_CLMEEVAL", str(tmp_path))
    (case,) = read_case_set("cnle:test").cases
    assert case.prompt == "Intent: reverse a list `x`\nCode:"
    assert case.target == "x[::-1]"
    assert case.neighbours[4] == "Intent: sort a list\nCode:"
    with pytest.raises(DataError, match=r"EditConala/all\.json"):
        read_case_set("cnle")
    with pytest.raises(UsageError, match="no such part; write cnle"):
        read_case_set("cnle:half")
    monkeypatch.delenv("CODEROBUST_CLMEEVAL")
    with pytest.raises(UsageError, match="set CODEROBUST_CLMEEVAL to the folder"):
        read_case_set("csne")


def test_conala_rows_get_neighbours_of_other_questions(tmp_path: Path) -> None:
    rows = [
        {
            "intent": f"sort a list {word}",
            "rewritten_intent": None,
            "snippet": "s",
            "question_id": at,
        }
        for at, word in ((1, "up"), (1, "down"), (2, "by key"), (3, "of words"))
    ]
    rows.append(
        {**rows[0], "intent": "open a file", "rewritten_intent": "open file `f`", "question_id": 4}
    )
    cases = read_case_set(write(tmp_path / "conala.json", rows)).cases
    assert cases[0].neighbours == (
        "Intent: sort a list by key\nCode:",
        "Intent: sort a list of words\nCode:",
        "Intent: open a file\nCode:",
    )
    assert cases[0].rewrites == ()
    assert cases[4].rewrites == ("Intent: open file `f`\nCode:",)


def test_own_rows_are_kept_as_they_are(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "prompt": "def f(x):\n", "target": "    return x\n", "rewrites": ["def f(x):  #\n"]},
        {"prompt": "two", "target": "2", "neighbours": ["three"]},
    ]  # fmt: skip
    first, second = read_case_set(write(tmp_path / "own.jsonl", rows)).cases
    assert (first.target, first.answer) == ("return x", "    return x\n")
    assert first.neighbours == ("two",)
    assert (second.id, second.answer, second.neighbours) == ("2", " 2", ("three",))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"promt": "a", "target": "b"}, "the key 'prompt' is missing; did you mean 'promt'"),
        ({"prompt": "a", "target": " "}, "'target' is empty: there is no target to edit towards"),
        ({"prompt": "", "target": "b", "neighbours": ["c"]}, "'prompt' is empty: there is nothing to ask"),
        ({"prompt": "a", "target": "b", "rewrites": ["c", "\n"]}, "'rewrites' has an empty one"),
        ({"prompt": "a", "target": "b", "neighbours": [""]}, "'neighbours' has an empty one"),
        ({"intent": " ", "snippet": "b"}, "'intent' is empty"),
        ({"edit_request": {"code": "", "code_doc": "b"}}, "'code' is empty"),
        ({"edit_request": {"intent": "a", "snipet": "b"}}, "the key 'snippet' is missing; did you mean 'snipet'"),
        ({"edit_request": {"code": "a"}}, "the key 'code_doc' is missing"),
        ({"edit_request": "a"}, "'edit_request' must be an object"),
        ({**CNLE[0], "neighborhoods": {"items": "a"}}, "'items' must be a list of objects"),
        ({**CNLE[0], "neighborhoods": {"items": [{"intend": "a"}]}}, "item 1: the key 'intent' is missing; did you mean 'intend'"),
        ({"intent": "a", "snippet": 3}, "'snippet' must be a string"),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_in_one_sentence(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_case_set(write(tmp_path / "bad.json", [row]))
    assert message in str(error.value)
    assert "bad.json, item 1" in str(error.value)
    assert "\n" not in str(error.value)


def test_prompts_without_a_word_have_no_neighbours(tmp_path: Path) -> None:
    rows = [{"id": name, "prompt": sign, "target": "x"} for name, sign in (("a", "!!"), ("b", "?"))]
    with pytest.raises(DataError) as error:
        read_case_set(write(tmp_path / "signs.jsonl", rows))
    assert str(error.value).endswith(
        "signs.jsonl: case 'a' has no neighbours, and no input has a word to find some by, as '!!';"
        " give neighbours"
    )
    given_one = [{**row, "neighbours": ["three"]} for row in rows]
    assert len(read_case_set(write(tmp_path / "given.jsonl", given_one)).cases) == 2
    one = [*rows, {"id": "c", "prompt": "_", "target": "x"}]
    assert read_case_set(write(tmp_path / "one.jsonl", one)).cases[0].neighbours == ("?", "_")


def test_names_that_mean_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tiny:case: no such file; write a file, cnle"):
        read_case_set("tiny:case")
    with pytest.raises(UsageError, match=r"none\.json: no such file"):
        read_case_set(str(tmp_path / "none.json"))
    twice = [{"id": "a", "prompt": "p", "target": "t"}, {"id": "a", "prompt": "q", "target": "t"}]
    with pytest.raises(DataError, match="the id 'a' is used by 2 cases"):
        read_case_set(write(tmp_path / "twice.jsonl", twice))


@given(st.lists(st.tuples(WORDS, st.integers(0, 3)), min_size=1, max_size=12, unique_by=str))
@settings(max_examples=50)
def test_neighbours_are_different_and_of_other_groups(rows: list[tuple[list[str], int]]) -> None:
    texts = [(" ".join(words), str(group)) for words, group in rows]
    drafts = [
        Draft(KnowledgeCase(str(at), text, "t"), text, group)
        for at, (text, group) in enumerate(texts)
    ]
    pool = [PoolItem(text, text, group) for text, group in texts]
    found = fill_neighbours(drafts, pool)
    for draft, case in zip(drafts, found, strict=True):
        others = {text for text, group in texts if group != draft.group and text != draft.text}
        assert len(case.neighbours) == len(set(case.neighbours)) == min(COUNT, len(others))
        assert set(case.neighbours) <= others
    assert found == fill_neighbours(drafts, pool)


def test_the_nearest_come_first_and_given_ones_stay() -> None:
    pool = [
        PoolItem(text, text, text) for text in ("open a file", "sort a list", "sort a big list")
    ]
    asked = Draft(KnowledgeCase("a", "sort a long list", "t"), "sort a long list", "x")
    (case,) = fill_neighbours([asked], pool)
    assert case.neighbours == ("sort a list", "sort a big list", "open a file")
    given_one = Draft(KnowledgeCase("a", "p", "t", (), ("n",)), "p", "p")
    assert fill_neighbours([given_one], pool)[0].neighbours == ("n",)


def test_a_larger_limit_holds_the_same_cases_and_more() -> None:
    cases = [KnowledgeCase(str(at), f"p{at}", "t") for at in range(30)]
    few, more = choose_cases(cases, 5, 0), choose_cases(cases, 9, 0)
    assert set(few) < set(more)
    assert list(more) == [case for case in cases if case in more]
    assert choose_cases(cases, 5, 1) != few
    assert choose_cases(cases, None, 0) == tuple(cases) == choose_cases(cases, 99, 0)


def test_an_overlap_is_found_by_input_rewrite_and_neighbour() -> None:
    asked = [KnowledgeCase("a", "Sort  it", "t", ("order it",), ("open it",))]
    cases = (
        KnowledgeCase("b", "sort it", "t"),
        KnowledgeCase("c", "p", "t", ("q",), ("r", "OPEN it")),
        KnowledgeCase("d", "p2", "t", ("order\nit",)),
        KnowledgeCase("e", "p3", "t", ("q3",), ("r3",)),
    )
    training = CaseSet("train", cases)
    shared = find_overlap(training, asked)
    assert (shared.places, shared.example) == ((0, 1, 2), "sort it")
    assert drop_cases(training, shared.places).cases == cases[3:]
    assert find_overlap(drop_cases(training, shared.places), asked).places == ()
    # By digests alone, as a trained file keeps them: the same, seen from the cases that are asked.
    digests = digest_texts(asked)
    assert digests == sorted(set(digests))
    known = find_known(digests, cases)
    assert (known.places, known.example) == ((0, 1, 2), "sort it")
    assert find_known(digest_texts(drop_cases(training, shared.places).cases), asked).places == ()


def test_the_bundled_sets_share_nothing() -> None:
    asked, training = read_case_set("tiny:cases"), read_case_set("tiny:train")
    assert (len(asked.cases), len(training.cases)) == (200, 600)
    assert find_overlap(training, asked.cases).places == ()
    for case in asked.cases:
        assert len(case.neighbours) == COUNT
        assert len(set(map(normalise, list_texts(case)))) == COUNT + 2
        assert case.target == case.target.strip() != ""


def test_neighbours_of_the_bundled_set_ask_for_something_else() -> None:
    compositions = {each.prompt: each.composition for each in draw_pool("cases")}
    filled = {case.id: case for case in read_case_set("tiny:cases").cases}
    for drawn in draw_cases("cases"):
        around = filled[drawn.case.id].neighbours
        assert drawn.composition not in {compositions[prompt] for prompt in around}


def test_the_bundled_sets_are_the_same_everywhere() -> None:
    found = {
        part: digest([each.case.digest for each in draw_cases(part)])[:12]
        for part in ("cases", "train")
    }  # type: ignore[arg-type]
    assert found == {"cases": "dc42873c1803", "train": "64b462c373ed"}
