"""The same suite on two models, and what their reports may differ in: identity and cost."""

from __future__ import annotations

from typing import Any

from conftest import Project

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = {limit}
max_unusable = 1.0
gates = ["rd[C1] <= 1.0"]
[sampling]
max_new_tokens = 48
"""
OF_THE_MODEL = ("model", "fingerprint", "facts", "usage", "identity")


def write_project(project: Project, limit: int, **entry: object) -> None:
    """Writes quick.toml, and an entry "prod" of these keys."""
    (project.path / "quick.toml").write_text(SUITE.format(limit=limit))
    lines = [f"{key} = {value!r}" for key, value in entry.items()]
    table = "\n".join(["[tool.coderobust.models.prod]", *lines])
    (project.path / "pyproject.toml").write_text(table + "\n")


def measure(project: Project, model: str) -> tuple[dict[str, Any], list[str]]:
    """The JSON report of a run without the model's own keys, and the tables of its terminal."""
    result = project.run("quick.toml", f"--model={model}", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    document = project.json()
    lines = result.stdout.lines
    first = next(place for place, line in enumerate(lines) if line.startswith("plan "))
    last = next(place for place, line in enumerate(lines) if line.startswith("see the first"))
    kept = {key: value for key, value in document.items() if key not in OF_THE_MODEL}
    return kept, [line for line in lines[first:last] if not line.startswith("usage ")]
