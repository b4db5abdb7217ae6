"""Perturbations that need more than a prompt, through whole runs with the oracle."""

from __future__ import annotations

from conftest import Project

LONG = {
    "task_id": "Toy/9",
    "prompt": 'def count_large(values, limit):\n    """Return how many values pass the limit."""\n',
    "entry_point": "count_large",
    "canonical_solution": (
        "    found = 0\n"
        "    for index in range(len(values)):\n"
        "        if values[index] > limit:\n"
        "            found += 1\n"
        "    found = found + 0\n"
        "    found = found - 0\n"
        "    if found < 0:\n"
        "        return count_large(values, limit)\n"
        "    return found\n"
    ),
    "test": "def check(candidate):\n    assert candidate([1, 5, 9], 4) == 2\n",
}
CODE = (
    "recode:FuncRenameCamelCase",
    "recode:FuncRenameButterFinger",
    "recode:VarRenamerNaive",
    "recode:TabIndent",
    "recode:Doc2Comments",
    "recode:DeadCodeInserter",
    "recode:OperandSwap",
    "recode:ForWhileTransformer",
)


def test_the_oracle_solves_every_change_of_code_on_partial_prompts(project: Project) -> None:
    project.write_tasks([*project.tasks, LONG])
    names = ", ".join(f'"{name}"' for name in CODE)
    project.write_suite(f'prompt_form = "partial"\nperturbations = [{names}]')
    result = project.run("toy.toml", "--model=oracle", "--coderobust-json=out.json")
    assert result.ret == 0
    found = project.json()
    metrics = found["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["all"]["broken"] == metrics["all"]["unsolved"] == 0
    for name in CODE:
        assert metrics[name]["robust"] >= 1, name
    assert metrics["recode:ForWhileTransformer"]["robust"] == 1  # the one task with a loop
    assert {"syntax", "format", "function"} <= metrics.keys()


def test_a_rewriter_of_the_users_own_rewrites_and_its_damage_is_left_out(project: Project) -> None:
    (project.path / "reword.py").write_text(
        "def ask(text):\n"
        "    open('calls', 'a').write('x')\n"
        "    if 'sign' in text:\n"
        "        return text + ' See 7.'\n"
        "    return text.replace('given number', 'number given')\n"
    )
    keys = 'perturbations = ["S1", "S"]\nseeds = 3'
    project.write_suite(keys, sections='[rewriters]\nS1 = "reword:ask"')
    result = project.run("toy.toml", "--model=oracle", "--coderobust-json=out.json", "-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["skipped: * damaged by the rewriter: numbers*"])
    items = project.json()["items"]
    assert isinstance(items, list)
    status = {item["task"]: item["status"] for item in items if item["condition"] == "S1"}
    assert [status[f"Toy/{n}"] for n in range(4)] == ["skipped", "skipped", "robust", "robust"]
    assert "S1" in {item["member"] for item in items if item["condition"] == "S"}
    asked = (project.path / "calls").read_text()
    assert len(asked) == 6  # once a paragraph; the ledger remembers
    again = project.run("toy.toml", "--model=oracle")
    assert again.ret == 0
    assert (project.path / "calls").read_text() == asked


def test_a_suite_that_keeps_damage_says_how_much(project: Project) -> None:
    (project.path / "reword.py").write_text("def ask(text):\n    return text + ' See 7.'\n")
    project.write_suite(
        'perturbations = ["S1"]\ndamaged = "keep"\nlimit = 2',
        sections='[rewriters]\nS1 = "reword:ask"',
    )
    result = project.run("toy.toml", "--model=oracle")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ['note  S1-s0: 2 of 2 variants are damaged and were kept (damaged = "keep"):*']
    )


def test_s1_without_a_rewriter_is_refused_before_a_model_loads(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--model=none/none", "--perturb=S1")
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        ["*--perturb: perturbation 'S1' (BackTranslation) needs a rewriter: write one under*"]
    )
