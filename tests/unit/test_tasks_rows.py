from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import DataError
from pytest_coderobust.tasks.rows import DataRow, EmptyFileError, read_rows

TEXT = st.text("aZ 0\"'\\,{}[]\n\r\t\x00\x1b\x85é\u2028\ud800🎉")


def written(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", '{"k": "v"}\n\n{"k": "w"}\n'),
        ("a.jsonl.gz", gzip.compress(b'{"k": "v"}\n{"k": "w"}', mtime=0)),
        ("a.json", '[{"k": "v"},\n {"k": "w"}]'),
        ("a.jsonl", gzip.compress(b'{"k": "v"}\n{"k": "w"}', mtime=0)),
        ("a.csv", gzip.compress(b"k\nv\nw\n", mtime=0)),
        ("a.csv", 'k\nv\n"w"\n'),
        ("a.CSV.GZ", gzip.compress(b"k\r\nv\r\nw\r\n", mtime=0)),
        ("a.toml", '[[task]]\nk = "v"\n[[task]]\nk = "w"\n'),
        ("a.v2.jsonl", b'\xef\xbb\xbf{"k": "v"}\r\n{"k": "w"}\r\n'),
    ],
)
def test_every_container_gives_the_same_rows(tmp_path: Path, name: str, data: str | bytes) -> None:
    rows = read_rows(written(tmp_path, name, data))
    assert [row.text("k") for row in rows] == ["v", "w"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(TEXT, TEXT, min_size=1), min_size=1))
def test_jsonl_keeps_any_text(tmp_path: Path, values: list[dict[str, str]]) -> None:
    path = written(tmp_path, "a.jsonl", "\n".join(json.dumps(value) for value in values))
    assert [dict(row.values) for row in read_rows(path)] == values


def test_a_line_separator_inside_a_string_does_not_end_the_row(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"k": "one\u2028two\x85three"}\n{"k": "w"}\n')
    assert [row.text("k") for row in read_rows(path)] == ["one\u2028two\x85three", "w"]


def test_a_csv_row_is_named_by_the_line_it_starts_on(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'k,l\n"one\ntwo",x\nthree,y\n')
    assert [row.where for row in read_rows(path)] == ["a.csv, line 2", "a.csv, line 4"]


def test_a_csv_field_may_be_longer_than_the_csv_modules_own_limit(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "k\n" + "x" * 200_000 + "\n")
    assert len(read_rows(path)[0].text("k")) == 200_000


LFS = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
BAD_FILES = [
    ("a.jsonl", '{"k": 1}\n{"k": }\n', "a.jsonl, line 2: malformed JSON: Expecting value at column 7"),
    ("a.jsonl", '{"k": 1}\n\n[1]\n', "a.jsonl, line 3: expected an object with keys, not a list"),
    ("a.jsonl", '{"k": ' + "9" * 5000 + "}\n", "a.jsonl, line 1: malformed JSON: "),
    ("a.jsonl", "[" * 100_000, "a.jsonl, line 1: malformed JSON: "),
    ("a.json", '[{"k": 1},\n{]', "a.json: malformed JSON: Expecting property name enclosed in double quotes at line 2"),
    ("a.jsonl", '{"k": 1}\n{"id": "x", "code": "def f', "a.jsonl, line 2: malformed JSON: it ends inside the value of 'code'; was the file cut off?"),
    ("a.jsonl", '{"k": 1}\n{"id": "x", "co', "a.jsonl, line 2: malformed JSON: it ends too early; was the file cut off?"),
    ("a.json", '[{"k": 1}, {"k": [1,', "a.json: malformed JSON: it ends inside the value of 'k'; was the file cut off?"),
    ("a.jsonl", gzip.compress(b'{"k": 1}', mtime=0)[:-6], "the file is not a complete gzip file"),
    ("a.jsonl", LFS, "a.jsonl: the file is a Git LFS pointer and not the data; `git lfs pull` in its repository gets it"),
    ("a.jsonl.gz", LFS, "a.jsonl.gz: the file is a Git LFS pointer"),
    ("a.parquet", LFS, "a.parquet: the file is a Git LFS pointer"),
    ("a.json", '{"k": 1}', "a.json: expected a list of tasks, not an object"),
    ("a.json", '[{"k": 1}, "x"]', "a.json, item 2: expected an object with keys, not a string"),
    ("a.csv", 'k,l\n1,2\n1,2,3\n', "a.csv, line 3: 3 fields where the header names 2"),
    ("a.csv", 'k\n1\n"open', "a.csv, line 3: malformed CSV: "),
    ("a.toml", "[[task]]\nk = \n", "a.toml: malformed TOML: Invalid value (at line 2"),
    ("a.toml", '[[tasks]]\nk = "v"\n', "did you mean 'tasks'"),
    ("a.jsonl", b'{"k": 1}\n{"k": "\xff"}\n', "a.jsonl, line 2: the file is not UTF-8 text (byte 0xff"),
    ("a.jsonl.gz", gzip.compress(b'{"k": 1}', mtime=0)[:-6], "the file is not a complete gzip file"),
    ("a.jsonl.gz", b'{"k": 1}', "the file is not a complete gzip file"),
    ("a.txt", "x", "the file extension '.txt' is not one of .jsonl, .json, .csv, .toml"),
    ("a.txt.gz", "x", "the file extension '.txt' is not one of"),
    ("a", "x", "the file extension '' is not one of"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "message"), BAD_FILES)
def test_a_bad_file_is_one_sentence_that_says_where(
    tmp_path: Path, name: str, data: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_rows(written(tmp_path, name, data))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", ["", "\n \n", "\ufeff"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.toml"])
def test_an_empty_file_is_named(tmp_path: Path, name: str, data: str) -> None:
    with pytest.raises(EmptyFileError, match="the file is empty"):
        read_rows(written(tmp_path, name, data))


@pytest.mark.parametrize(("name", "data"), [("a.csv", "k,l\n"), ("a.json", "[]")])
def test_a_file_without_rows_is_named(tmp_path: Path, name: str, data: str) -> None:
    with pytest.raises(EmptyFileError, match="the file has no rows"):
        read_rows(written(tmp_path, name, data))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_rows(tmp_path / "a.jsonl")


ROW = DataRow(
    {"text": "x", "none": None, "number": 7, "list": ["a"], "mixed": ["a", 1]}, "f, line 1"
)


def test_a_missing_key_offers_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"^f, line 1: the key 'texts' is missing; did you mean"):
        ROW.text("texts")


def test_a_hostile_key_is_not_repeated() -> None:
    with pytest.raises(DataError) as caught:
        DataRow({"a\x1b[31m\nb": 1, "fine": 1}, "f").text("x")
    assert str(caught.value) == "f: the key 'x' is missing (valid: fine)"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("number", "'number' must be a string, not int 7"),
        ("list", "'list' must be a string, not a list"),
        ("none", "'none' must be a string, not null"),
    ],
)
def test_a_value_that_is_no_string_is_refused(key: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ROW.text(key)


def test_a_list_is_read_as_such_or_as_text() -> None:
    assert ROW.texts("list") == ("a",)
    assert ROW.texts("absent") == ()
    assert DataRow({"k": "['a', \"b\"]"}, "f").texts("k") == ("a", "b")


@pytest.mark.parametrize("value", ["[", "__import__('os')", "'a'", "[1]", 3, "(" * 5000])
def test_what_is_no_list_of_strings_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="'k'"):
        DataRow({"k": value}, "f").texts("k")
    with pytest.raises(DataError, match="'mixed' must hold strings only, not int 1"):
        ROW.texts("mixed")


def test_an_id_may_be_a_whole_number() -> None:
    assert ROW.identifier("number") == "7"
    assert ROW.identifier("text") == "x"
    with pytest.raises(DataError, match="must be a string"):
        DataRow({"k": True}, "f").identifier("k")
