"""`coderobust g-rir`: both forms of anybody's table."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.cli import main

TABLE = """category,edit_task,task,original,before,after
C1,A,A,1.0,0.0,1.0
C1,A,B,1.0,0.0,0.5
C1,A,C,1.0,0.2,0.0
C1,A,C,1.0,0.2,0.0
C2,B,A,0.9,0.4,0.9
C2,B,C,0.6,0.6,1.0
"""


def run(path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    file = path / "table.csv"
    file.write_text(text)
    status = main(["g-rir", str(file)])
    out, err = capsys.readouterr()
    return status, out, err


def test_prints_both_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(tmp_path, TABLE, capsys)
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[1] == ["C1", "1", "2", "0.125", "0.250", "0"]
    assert rows[2] == ["C2", "1", "1", "1.000", "1.000", "1"]
    assert rows[3] == ["mean", "of", "categories", "2", "3", "0.562", "0.625", "1"]
    assert "1 rows that repeat another" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.9,0.4,0.9", "90,40,90", "line 6: original = '90' must be a pass rate"),
        ("0.9,0.4,0.9", "0.9,,0.9", "line 6: before = '' must be a pass rate"),
        ("edit_task", "edited", "line 2: the key 'edit_task' is missing; did you mean"),
    ],
)
def test_one_sentence_for_a_wrong_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    status, _, err = run(tmp_path, TABLE.replace(old, new), capsys)
    assert status == 1
    assert message in err
