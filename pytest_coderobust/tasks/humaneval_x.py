"""HumanEval-X, which is HumanEval in C++ and Java; its tests have a `main` (Zheng et al. 2023).

The language is that of the id: "CPP/0", "Java/0". The tests are compiled with the solution, so
they are judged in its process.
"""

from __future__ import annotations

import re

from pytest_coderobust.errors import nearest
from pytest_coderobust.records import Language, PromptForm, Task, Tests
from pytest_coderobust.tasks.rows import DataRow

LANGUAGES: dict[str, Language] = {"CPP": "cpp", "Java": "java"}
MAINS: dict[Language, tuple[re.Pattern[str], str]] = {
    "cpp": (re.compile(r"\bint\s+main\s*\("), "int main()"),
    "java": (re.compile(r"\bclass\s+Main\b"), "class Main"),
}
_SIGNATURE = re.compile(
    r"^[ \t]*[\w<>\[\],:&*. \t]+[\s&*](?!(?:if|for|while|switch|catch)\b)(\w+)\s*"
    r"\([^;{}]*\)\s*(?:throws\s+[\w.,\s]+)?\{",
    re.M,
)
"""The head of a function; a prompt may end inside the body of its last one (CPP/38)."""


def read_humaneval_x(row: DataRow, _form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: a key is missing, the language is unknown, or there is no entry point.
    """
    task_id = row.identifier("task_id")
    written = task_id.partition("/")[0]
    if written not in LANGUAGES:
        raise row.error(f"unknown language {written!r} in 'task_id'{nearest(written, LANGUAGES)}")
    language = LANGUAGES[written]
    declaration = row.text("declaration")
    signature = _signature(declaration)
    if signature is None:
        raise row.error("'declaration' does not open a function")
    tests = row.text("test")
    pattern, name = MAINS[language]
    if not pattern.search(tests):
        raise row.error(f"'test' has no {name}")
    return Task(
        id=task_id,
        prompt=row.text("prompt"),
        entry_point=signature[1],
        tests=Tests(tests, "compiled"),
        canonical=row.text("canonical_solution"),
        preamble=declaration[: signature.start()],
        language=language,
        tags=row.texts("tags"),
    )


def _signature(declaration: str) -> re.Match[str] | None:
    """The head of the last function that a declaration opens."""
    heads = list(_SIGNATURE.finditer(declaration))
    return heads[-1] if heads else None
