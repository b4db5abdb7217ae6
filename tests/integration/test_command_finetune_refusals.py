"""`coderobust finetune` refuses what it cannot train before it opens anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.cli import main
from tests.support.training_rows import write_rows

pytest.importorskip("accelerate")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of a command but for its model."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl", [{"prompt": "def f(x):\n", "completion": "    return x\n"}])
    return ["finetune", "--data", "rows.jsonl", "--out", "out"]


@pytest.mark.parametrize("model", ["replay:rows.jsonl", "http://127.0.0.1:1/v1#m", "openai:m"])
def test_a_model_without_weights_is_refused_before_it_is_opened(
    words: list[str], capsys: pytest.CaptureFixture[str], model: str
) -> None:
    assert main([*words, "--model", model]) == 4
    assert capsys.readouterr().err == (
        f"coderobust: model {model!r} has no weights to train; training needs a checkpoint, such as "
        "'tiny'\n"
    )


def test_a_template_without_a_place_for_the_prompt_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--model", "tiny", "--template", "Do it."]) == 4
    told = capsys.readouterr().err
    assert told == "coderobust: --template 'Do it.' has no {prompt} in it\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--seed", "4294967296"], "--seed '4294967296' must be a whole number from 0 to 4294967295"),
        (["--steps", "9" * 5000], "must be a whole number from 1"),
        (["--lora", "dropout=1"], "--lora dropout '1' must be a number from 0 to 0.99"),
        (["--out", "rows.jsonl/x"], "--out rows.jsonl/x: "),
        (["--out", "/proc/none/x"], "--out /proc/none/x: cannot be written"),
    ],
)  # fmt: skip
def test_a_wrong_number_or_folder_is_refused_in_one_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main([*words, "--model", "tiny", "--threads", "1", *more]) == 4
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
