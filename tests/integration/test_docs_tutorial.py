"""The tutorial is true: its files and commands, in their order, print what the pages show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.tutorial import PAGES, Reader, TutorialCommand, TutorialFile, read_tutorial

from pytest_coderobust.cli import main

ROOT = Path(__file__).parents[2]
STEPS = tuple(read_tutorial())


def test_pages_are_read_in_the_order_of_the_site() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    (listed,) = (each["Tutorial"] for each in nav if "Tutorial" in each)
    assert listed == [f"tutorial/{page}.md" for page in PAGES]
    assert [each.page for each in STEPS] == sorted((s.page for s in STEPS), key=PAGES.index)
    assert len([each for each in STEPS if isinstance(each, TutorialCommand)]) >= 10


def test_commands_of_seconds_print_what_the_pages_show(tmp_path: Path) -> None:
    reader = Reader(tmp_path, Path(sys.executable).parent)
    for step in STEPS:
        if isinstance(step, TutorialFile) or not step.slow:
            reader.follow(step)


def test_the_training_of_the_tutorial_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("accelerate")
    monkeypatch.chdir(tmp_path)
    for step in STEPS:
        if isinstance(step, TutorialFile):
            (tmp_path / step.name).write_text(step.text)
    commands = [each.words.split() for each in STEPS if isinstance(each, TutorialCommand)]
    (training,) = (words for words in commands if words[:2] == ["coderobust", "finetune"])
    assert main([*training[1:], "--rows", "16", "--steps", "1", "--threads", "1"]) == 0
    assert "training tiny on tiny:corpus, mix_all (" in capsys.readouterr().out


@pytest.mark.slow
def test_a_reader_with_a_new_environment_comes_to_the_end(tmp_path: Path) -> None:
    """All of it, installed as a user installs it; about fifteen minutes."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    words = ["install", "--quiet", "--constraint", ROOT / "constraints.txt", f"{ROOT}[train]"]
    subprocess.run([environment / "bin" / "python", "-m", "pip", *words], check=True)
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder, environment / "bin", PYTHONPATH="")
    for step in STEPS:
        reader.follow(step)


@pytest.mark.parametrize(
    ("words", "output", "status"),
    [("echo 1; echo 2", "...\n3\n", 0), ("echo 1", "1\n", 1), ("false", "", 0)],
)
def test_a_reader_notices_a_difference(
    words: str, output: str, status: int, tmp_path: Path
) -> None:
    reader = Reader(tmp_path, Path(sys.executable).parent)
    reader.follow(TutorialCommand("page", "echo 1; echo 2", "...\n2\n", slow=False, status=0))
    with pytest.raises(AssertionError, match=r"page: \$ "):
        reader.follow(TutorialCommand("page", words, output, slow=False, status=status))
