"""Files: broken JSON explained, and files recognised by their first bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.files import explain_json_error, explain_lfs_pointer, is_gzip

TEXT = st.text('ab"\\\\{}[]:, \n\u00e9', max_size=12)
VALUES = st.recursive(
    st.one_of(TEXT, st.integers(), st.none(), st.booleans()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def explain(text: str) -> str:
    """Explains a text that is not JSON."""
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return explain_json_error(caught.value)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), st.data())
def test_an_object_that_was_cut_anywhere_is_told_as_that(
    row: dict[str, object], data: st.DataObject
) -> None:
    whole = json.dumps(row)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    assert "was the file cut off?" in explain(cut)


@given(st.dictionaries(TEXT, VALUES, max_size=3), st.text("xyz", min_size=1, max_size=40), TEXT)
def test_the_key_whose_text_was_cut_is_named(row: dict[str, object], key: str, value: str) -> None:
    whole = json.dumps({**row, key: value + "some more"})
    assert explain(whole[:-6]) == f"it ends inside the value of {key!r}; was the file cut off?"


@given(st.dictionaries(st.text("abc"), VALUES, min_size=1))
def test_what_is_wrong_within_a_whole_object_is_told_with_its_place(row: dict[str, object]) -> None:
    found = explain(json.dumps(row)[:-1] + ', "k": }')
    assert found.startswith("Expecting value at column")


def test_a_long_text_that_was_cut_takes_no_longer_than_its_length() -> None:
    text = '{"completion": "' + r"\\\"x" * 200_000
    assert explain(text).startswith("it ends inside the value of 'completion'")


@pytest.mark.parametrize("head", [b"version https://git-lfs.github.com/spec/v1", b"version 1", b""])
def test_a_pointer_is_known_by_its_first_bytes(head: bytes) -> None:
    found = explain_lfs_pointer(head, "the weights")
    assert bool(found) is (b"git-lfs" in head)
    assert ("not the weights; `git lfs pull`" in found) is bool(found)
    assert not is_gzip(head)
