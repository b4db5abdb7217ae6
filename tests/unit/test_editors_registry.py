"""Rows of editors: our own, those of installed packages, and what both need besides the row."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.editors_contract import REQUEST, answers, model_of
from support.packages import install

import pytest_coderobust
from pytest_coderobust.cli import main
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.registry import EDITORS, open_editor, parse_edit
from pytest_coderobust.editors.saved_edits import save_edit, saved_edit
from pytest_coderobust.errors import ConfigError, DataError, UnknownName, UsageError

OURS = """
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from pytest_coderobust.editors.registry import EditorEntry


@dataclass(frozen=True, slots=True)
class ShoutOptions:
    mark: str = "!"
    times: int = field(default=1, metadata={"least": 1, "most": 3})


@dataclass(frozen=True, slots=True)
class PromptMarks:
    facts: dict
    kind: str = "marks"

    @contextmanager
    def installed(self, access):
        yield {}

    def rewrite(self, variants, access):
        return [each.prompt.replace("Duoble", "Double" + self.facts["mark"]) for each in variants]

    def tensors(self):
        return {"none": torch.zeros(1)}


class Shout:
    def __init__(self, options):
        self.options = options

    def compute(self, access, requests, so_far=None):
        return PromptMarks({"mark": self.options.mark * self.options.times})


def saved_marks(tensors, facts):
    return PromptMarks(facts)


ROW = EditorEntry("shouts:Shout", "shouts:ShoutOptions", 1, "shouts:saved_marks")
MUTE = EditorEntry("shouts:Shout", ShoutOptions)
"""
POINTS = "[coderobust.editors]\nshout = shouts:ROW\nmute = shouts:MUTE\n"


@pytest.fixture
def shouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    install(tmp_path / "site", "shouts", OURS, POINTS)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    sys.modules.pop("shouts", None)


def test_an_editor_of_ours_is_one_file_and_a_row() -> None:
    sources = Path(pytest_coderobust.__file__).parent
    # The bundled model's data set has words of its own, such as "Rome".
    files = set(sources.rglob("*.py")) - set((sources / "tiny").rglob("*.py"))
    texts = {path: path.read_text("utf-8") for path in files}
    for row in (EDITORS[name] for name in EDITORS):
        module, _, name = row.code.partition(":")
        naming = {path for path, text in texts.items() if re.search(rf"\b{name}\b", text)}
        own = sources.parent / (module.replace(".", "/") + ".py")
        assert naming == {own, sources / "editors" / "registry.py"}


def test_every_editor_opens_under_its_name() -> None:
    for name, row in EDITORS.items():
        spec: Any = parse_edit(name)
        assert type(spec.options) is row.options_class
        assert type(open_editor(spec)).__name__ == row.code.partition(":")[2]


@pytest.mark.usefixtures("shouts")
def test_an_installed_package_brings_an_editor(tmp_path: Path) -> None:
    model = model_of("llama", tmp_path)
    spec: Any = parse_edit("shout:times=2")
    assert spec.label == "shout:times=2"
    with edited(model, spec, [REQUEST]) as repaired:
        before = answers(repaired)
        assert repaired.facts == {"mark": "!!"}
        assert repaired.identity.facts["edits"] == "shout:times=2 for Toy/0[C1-s0]"
        change = repaired.change
    save_edit(tmp_path / "fix", model, change, spec, [REQUEST])
    with saved_edit(parse_edit(str(tmp_path / "fix")), model) as again:  # type: ignore[arg-type]
        assert again.change == change
        assert answers(again) == before


def test_packages_that_used_one_name_have_digests_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests: set[str] = set()
    for name in ("shouts", "shouts_again"):
        with monkeypatch.context() as patch:
            points = POINTS.replace("shouts:", f"{name}:")
            install(tmp_path / name, name, OURS.replace("shouts:", f"{name}:"), points)
            patch.syspath_prepend(tmp_path / name)
            spec: Any = parse_edit("shout")
            digests.add(spec.digest)
        sys.modules.pop(name, None)
    assert len(digests) == 2


@pytest.mark.usefixtures("shouts")
def test_options_of_a_package_are_read_from_its_row() -> None:
    spec: Any = parse_edit("shout:mark=?,times=3")
    assert (spec.options.mark, spec.options.times) == ("?", 3)
    with pytest.raises(ConfigError, match="times = 4: must be 1 to 3"):
        parse_edit("shout:times=4")
    with pytest.raises(ConfigError, match=r"unknown option 'tines'; did you mean 'times'\?"):
        parse_edit("shout:tines=2")


@pytest.mark.usefixtures("shouts")
def test_an_editor_of_a_package_is_offered_as_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown editor 'shuot'; did you mean 'shout'"):
        parse_edit("shuot")
    assert "shouts" not in sys.modules, "a name is offered without an import"


@pytest.mark.usefixtures("shouts")
def test_the_command_lists_every_editor(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["edit", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"as in pytest --edit: {', '.join(EDITORS)}; options" in shown
    assert "shout" in shown
    assert "shouts" not in sys.modules, "a name is listed without an import"


@pytest.mark.usefixtures("shouts")
def test_a_change_that_nothing_could_load_is_not_saved(tmp_path: Path) -> None:
    model = model_of("llama", tmp_path)
    spec: Any = parse_edit("mute")
    with edited(model, spec, [REQUEST]) as repaired:
        change = repaired.change
    with pytest.raises(UsageError, match="changes of kind 'marks' cannot be saved"):
        save_edit(tmp_path / "fix", model, change, spec, [REQUEST])
    assert not (tmp_path / "fix").exists()


def test_a_saved_edit_of_a_package_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of("llama", tmp_path)
    with monkeypatch.context() as patch:
        install(tmp_path / "site", "shouts", OURS, POINTS)
        patch.syspath_prepend(tmp_path / "site")
        spec: Any = parse_edit("shout")
        with edited(model, spec, [REQUEST]) as repaired:
            save_edit(tmp_path / "fix", model, repaired.change, spec, [REQUEST])
    sys.modules.pop("shouts", None)
    gone: Any = parse_edit(str(tmp_path / "fix"))
    with pytest.raises(DataError, match="kind 'marks' is unknown here"):
        saved_edit(gone, model)


def test_editors_are_parsed_without_anything_heavy() -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from pytest_coderobust.editors.registry import EDITORS, parse_edit\n"
        "print(parse_edit('rome:layer=5').digest[:4] != '', len(list(EDITORS.items())))\n"
        "print(sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == f"True {len(EDITORS)}\n[]\n"


def test_the_page_has_a_row_for_each_editor_and_names_the_files_of_their_options() -> None:
    page = (Path(__file__).parents[2] / "docs" / "editing.md").read_text(encoding="utf-8")
    head = page.partition("## What an edit is for")[0]
    rows = re.findall(r"^\| `([a-z][a-z-]*)` \|", head, re.MULTILINE)
    own = {name: row for name, row in EDITORS.items() if row.code.startswith("pytest_coderobust.")}
    assert sorted(rows) == sorted(own)
    for row in own.values():
        assert f"`{row.options_class.__module__.rpartition('.')[2]}.py`" in head
