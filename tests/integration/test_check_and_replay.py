"""One file, one verdict: `coderobust check` and `replay:` read the same rows the same way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Project

from pytest_coderobust.cli import main

WHOLE = "def double(value):\n    return 2 * value\n"
ROWS: list[dict[str, object]] = [
    {"completion": "    return 2 * value\n"},
    {"completion": f"Sure:\n```python\n{WHOLE}```\n"},
    {"completion": f"<think>\nHm\n```python\n{WHOLE}```\n"},
    {"completion": f"<think>Hm</think>\n```python\n{WHOLE}```\n"},
    {"solution": WHOLE},
    {"solution": f"Sure:\n```python\n{WHOLE}```\n"},
    {"solution": 'def double(value):\n    """Some prompt."""\n    return 2 * value\n'},
    {"solution": f"print(\n{WHOLE}"},
    {"solution": "    return 2 * value\n"},
    {"solution": WHOLE, "completion": "    return None\n"},
]
RIGHT = {
    "raw": [True, False, False, False, True, False, True, False, False, True],
    "code": [True, True, False, True, True, True, True, True, True, True],
}


@pytest.mark.parametrize("extraction", RIGHT)
def test_one_file_has_one_verdict(project: Project, extraction: str) -> None:
    row = project.tasks[0]
    rows = [{"task_id": f"Toy/{at}", **each} for at, each in enumerate(ROWS)]
    project.write_tasks({**row, "task_id": each["task_id"]} for each in rows)
    text = "".join(json.dumps(each) + "\n" for each in rows)
    samples = project.path / "samples.jsonl"
    samples.write_text(text)
    results = project.path / "results.jsonl"
    words = [samples, "--suite", project.path / "tasks.jsonl", "--results", results]
    words += ["--extraction", extraction, "--workers", "1"]
    assert main(["check", *map(str, words)]) == 0
    judged = [json.loads(line)["passed"] for line in results.read_text().splitlines()]
    assert judged == RIGHT[extraction]

    project.write_suite(f'extraction = "{extraction}"')
    project.run("toy.toml", "--model", "replay:samples.jsonl", "--coderobust-json=out.json")
    items = project.json()["items"]
    assert isinstance(items, list)
    found = {item["task"]: item["status"] == "solved" for item in items}
    assert [found[str(each["task_id"])] for each in rows] == judged


def test_what_was_dropped_is_kept_with_the_item(project: Project) -> None:
    wrong = "```python\ndef double(value):\n    return 3\n\nprint(double(3))\n```\n"
    answers: dict[tuple[str, str, int], str | list[str]] = {
        ("Toy/0", "clean", 0): project.canonical(0),
        ("Toy/0", "C1", 0): wrong,
    }
    project.tasks = project.tasks[:1]
    project.write_tasks()
    project.write_suite('perturbations = ["C1"]')
    result = project.run(
        "toy.toml", "--model", project.write_replay(answers), "--coderobust-strict"
    )
    result.stdout.fnmatch_lines(["*left out of the solution:", "*    print(double(3))"])
    pages = [(f"--coderobust-{form}", f"out.{form}") for form in ("html", "markdown")]
    project.run(
        "toy.toml", "--model", "replay:answers.jsonl", *(f"{o}={name}" for o, name in pages),
        "--coderobust-bug-reports=bugs",
    )  # fmt: skip
    (bug,) = (project.path / "bugs").glob("*.json")
    sample = json.loads(bug.read_text())["broken"]["sample"]
    assert sample["left_out"] == "print(double(3))\n"
    told = "Left out of the solution that was judged:\n\n```python\nprint(double(3))\n```"
    assert told in bug.with_suffix(".md").read_text()
    assert told in (project.path / "out.markdown").read_text()
    assert '"print(double(3))' in (project.path / "out.html").read_text()
    results = project.path / "results.jsonl"
    (project.path / "samples.jsonl").write_text(
        json.dumps({"task_id": "Toy/0", "completion": wrong}) + "\n"
    )
    words = [project.path / "samples.jsonl", "--suite", project.path / "tasks.jsonl"]
    words += ["--extraction", "code", "--workers", "1", "--results", results]
    assert main(["check", *map(str, words)]) == 0
    assert json.loads(results.read_text())["dropped"] == ["print(double(3))\n"]


def test_an_unfinished_thought_is_unsolved_and_counted(project: Project) -> None:
    thought = "<think>\nIt is easy:\n```python\ndef double(value):\n    return 2 * value\n```\n"
    project.tasks = project.tasks[:2]
    # Even where doing nothing is right, a thought is no answer.
    project.tasks[1]["test"] = "def check(candidate):\n    assert candidate(0) == 0\n"
    project.write_tasks()
    project.write_suite('perturbations = ["C1"]\ngates = ["unfinished <= 2"]')
    model = project.write_replay(
        {
            ("Toy/0", "clean", 0): project.canonical(0),
            ("Toy/0", "C1", 0): thought,
            ("Toy/1", "clean", 0): thought,
            ("Toy/1", "C1", 0): thought,
        }
    )
    result = project.run("toy.toml", "--model", model, "--coderobust-json=out.json")
    result.stdout.fnmatch_lines(
        ["unfinished thought: 3 of 4 completions never come to an answer", "*unfinished <= 2*"]
    )
    found = project.json()
    assert found["totals"]["unfinished"] == 3
    assert found["metrics"]["clean"]["unfinished"] == 1
    assert found["metrics"]["C1"]["unfinished"] == 2
    assert found["metrics"]["clean"]["pass@1"] == 0.5
    items = {(item["task"], item["condition"]): item for item in found["items"]}
    assert items["Toy/0", "C1"]["status"] == "broken"
    assert items["Toy/1", "clean"]["status"] == "unsolved"
    assert [item["unfinished"] for item in items.values()] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('reasoning = ["<a>", "<a>"]', "the two tags contradict: one cannot both open and close"),
        ('reasoning = ["</think>", "<think>"]', "the two tags contradict: the opening tag comes"),
        ('reasoning = ["<a>", "x<a>"]', "the two tags contradict: one is a part of the other"),
        ('reasoning = ["<a>"]', "must be an opening and a closing tag, as in"),
        ("reasoning = []", "must be an opening and a closing tag, as in"),
        ('reasoning = ["<a>", " "]', "must be an opening and a closing tag, as in"),
        ("reasoning = 3", "must be a list of strings"),
        ('answer_block = "middle"', "not a valid choice"),
        ('answer_block = "last"\nextraction = "raw"', "says how code is extracted"),
        ('reasoning = ["<a>", "</a>"]\nextraction = "raw"', "says how code is extracted"),
    ],
)
def test_a_wrong_choice_is_one_sentence(project: Project, line: str, message: str) -> None:
    project.write_suite(line)
    result = project.run("toy.toml", "--model", "oracle")
    assert result.ret != 0
    said = [each for each in result.stderr.lines + result.stdout.lines if message in each]
    assert len(said) == 1, result.stdout.str() + result.stderr.str()


def test_the_choices_reach_extraction_and_keys(project: Project) -> None:
    project.tasks = project.tasks[:1]
    project.write_tasks()
    block = "```python\ndef double(value):\n    return {}\n```\n"
    text = f"(({block.format('None')}))\n{block.format('value')}{block.format('2 * value')}"
    Path(project.path / "answers.jsonl").write_text(
        json.dumps({"task_id": "Toy/0", "completion": text}) + "\n"
    )
    found: dict[str, object] = {}
    for choice in ("", 'answer_block = "last"', 'answer_block = "first"'):
        project.write_suite(f'reasoning = ["((", "))"]\n{choice}')
        project.run("toy.toml", "--model", "replay:answers.jsonl", "--coderobust-json=out.json")
        (item,) = project.json()["items"]
        found[choice] = item["status"]
    assert list(found.values()) == ["solved", "solved", "unsolved"]
