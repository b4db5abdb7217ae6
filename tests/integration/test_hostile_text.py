"""Text from models and data sets is data: it survives storage and never becomes markup."""

from __future__ import annotations

from conftest import Project

HOSTILE = "    return '[bold]x[/bold] [/] \ud800 \x00 \x1b[31m \x1b]0;title\x07 \u202e'\n"


def test_hostile_completion_through_the_whole_path(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    answers = {
        (f"Toy/{i}", cell, 0): project.canonical(i) for i in range(6) for cell in ("clean", "C1")
    }
    answers["Toy/0", "C1", 0] = HOSTILE
    model = project.write_replay(answers)
    result = project.run(
        "toy.toml", "--coderobust-strict", "--model", model, "--coderobust-json", "out.json"
    )
    output = result.stdout.str()
    assert "INTERNALERROR" not in output
    assert "1 failed" in output
    assert "\x1b" not in output
    assert "\x00" not in output
    assert "\u202e" not in output
    assert "[bold]x[/bold]" in output
    broken = [row for row in project.json()["items"] if row["status"] == "broken"]
    assert [row["task"] for row in broken] == ["Toy/0"]


def test_hostile_task_is_shown_escaped(project: Project) -> None:
    rows = [dict(row) for row in project.tasks]
    rows[0]["test"] = "def check(candidate):\n    raise ValueError('[red]\\x1b[31m\\ud800[/red]')\n"
    project.write_tasks(rows)
    project.write_suite("max_unusable = 0.5")
    result = project.run("toy.toml", "--model", "oracle", "-rs")
    output = result.stdout.str()
    assert "INTERNALERROR" not in output
    assert "\x1b" not in output
    assert "Toy/0" in output
    assert result.ret == 0
