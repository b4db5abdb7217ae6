"""Files kept beside the ledger: listed with their sizes, and cleared by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.cli import main
from pytest_coderobust.models.folders import TRAINING_FILE
from pytest_coderobust.session.kept import TRAINED, format_size, list_kept


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a trained model, and a cache with a file of two kinds and a stranger's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = tmp_path / "cache" / "pytest-coderobust"
    for name, size in (("encoders/a.safetensors", 1200), ("datasets/mbpp/rows.jsonl", 10)):
        path = base / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * size)
    (base / "strange.txt").write_text("another's")
    project = tmp_path / "project"
    for name in ("out/one", "out/hidden/.venv/two", ".coderobust"):
        (project / name).mkdir(parents=True)
    (project / "pytest.ini").write_text("")
    (project / "out/one/weights.bin").write_bytes(b"x" * 500)
    for name in ("out/one", "out/hidden/.venv/two"):
        (project / name / TRAINING_FILE).write_text("{}")
    (project / "out/notes.txt").write_text("mine")
    monkeypatch.chdir(project)
    return project


def test_entries_are_listed_by_kind(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = list_kept(root)
    sizes = {kind: sum(entry.size for entry in entries) for kind, entries in found.items()}
    assert {kind: size for kind, size in sizes.items() if size} == {
        "encoders": 1200, "datasets": 10, TRAINED: 502}  # fmt: skip
    assert [entry.path for entry in found[TRAINED]] == [root / "out/one"]
    assert main(["cache", "--files"]) == 0
    printed = capsys.readouterr().out
    assert "encoders             1      1 kB  of prompts, for a-grace" in printed
    assert "a.safetensors" in printed


def test_clearing_all_keeps_trained_models_and_strangers(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "--clear", "all"]) == 0
    assert capsys.readouterr().out == "removed 2 entries, 1 kB\n"
    assert {kind for kind, entries in list_kept(root).items() if entries} == {TRAINED}
    assert (root.parent / "cache/pytest-coderobust/strange.txt").exists()
    assert main(["cache", "--clear", TRAINED]) == 0
    assert f"removed {root / 'out/one'}\n" in capsys.readouterr().out
    assert not (root / "out/one").exists()
    assert (root / "out/notes.txt").exists()
    assert (root / "out/hidden/.venv/two").exists()


@pytest.mark.parametrize("mark", [".git", ".coderobust"])
def test_a_project_of_its_own_is_not_ours_to_clear(root: Path, mark: str) -> None:
    (root / "out/one" / mark).mkdir()
    assert list_kept(root)[TRAINED] == []


def test_no_ledger_no_models(root: Path) -> None:
    (root / ".coderobust").rmdir()
    assert list_kept(root)[TRAINED] == []


def test_an_unknown_kind_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "--clear", "encoder"]) == 4
    assert "--clear: unknown kind of kept files 'encoder'; did you mean 'encoders'?" in (
        capsys.readouterr().err
    )
    assert list_kept(root)["encoders"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_230_000, "1.2 MB"), (2 * 10**12, "2.0 TB")],
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert format_size(count) == text
