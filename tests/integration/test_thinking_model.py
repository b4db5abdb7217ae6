"""A reasoning model whose tags are special tokens: judged by its answers, its thoughts counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Project
from support.models_checkpoints import BODY, PROMPT, save_memorised

from pytest_coderobust.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")

OPENING, CLOSING = "<|START_THINKING|>", "<|END_THINKING|>"
DRAFT = f"```python\n{PROMPT}    return 1\n```\n"
ANSWER = f"```python\n{PROMPT}{BODY}```\n"
TEST = "def check(candidate):\n    assert candidate(2) == 4\n"
TASK = {
    "task_id": "Toy/0", "prompt": PROMPT, "entry_point": "twice", "canonical_solution": BODY, "test": TEST,
}  # fmt: skip


def test_its_answer_is_judged_and_its_thought_is_counted(project: Project) -> None:
    text = f"{OPENING}\n{DRAFT}{CLOSING}\n{ANSWER}"
    save_memorised(project.path / "model", "byte-level", [(PROMPT, text)], (OPENING, CLOSING))
    project.write_tasks([TASK])
    project.write_suite(sections="[sampling]\nmax_new_tokens = 200\n")
    words = ["toy.toml", "--model", "./model", "--coderobust-json=out.json"]
    pages = ["--coderobust-html=out.html", "--coderobust-markdown=out.md"]
    told = project.run(*words, *pages)
    (item,) = project.json()["items"]  # type: ignore[misc]
    assert item["status"] == "solved"
    count = item["thought_tokens"]
    assert 20 < count < 200
    assert project.json()["totals"]["thought_tokens"] == count  # type: ignore[index]
    line = f"thoughts: {count} tokens in 1 completions"
    told.stdout.fnmatch_lines([f"{line}, 200 at most in each with its answer"])
    assert line in (project.path / "out.html").read_text()
    assert f"- {line}" in (project.path / "out.md").read_text()
    again = project.run(*words)  # from the ledger
    again.stdout.fnmatch_lines([f"{line}, *"])


def test_nothing_is_told_of_thoughts_that_nobody_counted(project: Project) -> None:
    model = project.record()
    words = ["toy.toml", "--model", model, "--coderobust-json=out.json"]
    project.write_suite()
    told = project.run(*words, "--coderobust-html=out.html", "--coderobust-markdown=out.md")
    told.stdout.no_fnmatch_line("*thoughts:*")
    files = ("out.json", "out.html", "out.md")
    assert not any("thought_tokens" in (project.path / name).read_text() for name in files)
    assert not any("thoughts:" in (project.path / name).read_text() for name in files[1:])


def test_a_template_that_opens_the_thought_leaves_drafts_unfinished(project: Project) -> None:
    text = f"So:\n{DRAFT.replace('return 1', 'return 2 * x')}"
    shown = f"{PROMPT}<think>\n"
    save_memorised(project.path / "model", "byte-level", [(shown, text)])
    project.write_tasks([TASK])
    project.write_suite(sections="[sampling]\nmax_new_tokens = 200\n")
    project.pytester.makepyprojecttoml(
        '[tool.pytest.ini_options]\n[tool.coderobust.models.ours]\nid = "./model"\n'
        'template = "{prompt}<think>\\n"\n'
    )
    told = project.run("toy.toml", "--model", "ours", "--coderobust-json=out.json")
    (item,) = project.json()["items"]  # type: ignore[misc]
    assert (item["status"], item["unfinished"]) == ("unsolved", 1)
    told.stdout.fnmatch_lines(["unfinished thought: 1 of 1 completions never come to an answer"])


@pytest.mark.slow
def test_a_recording_may_say_that_the_prompt_opened_the_thought(project: Project) -> None:
    row = {"task_id": "Toy/0", "completion": DRAFT.replace("return 1", "return 2 * x")}
    closed = f"no.\n</think>\n{ANSWER}"
    for rows, right in (
        ([row], True),
        ([{**row, "opened": "<think>"}], False),
        ([{**row, "completion": closed, "opened": "<think>"}], True),
        ([{**row, "completion": closed}], True),
    ):
        samples = project.path / "samples.jsonl"
        samples.write_text("".join(json.dumps(each) + "\n" for each in rows))
        project.write_tasks([TASK])
        project.write_suite()
        project.run("toy.toml", "--model", "replay:samples.jsonl", "--coderobust-json=out.json")
        (item,) = project.json()["items"]  # type: ignore[misc]
        assert (item["status"] == "solved") == right
        results = project.path / "results.jsonl"
        words: list[str | Path] = ["check", samples, "--suite", project.path / "tasks.jsonl"]
        words += ["--extraction", "code", "--workers", "1", "--results", results]
        assert main([str(each) for each in words]) == 0
        assert json.loads(results.read_text())["passed"] == right
