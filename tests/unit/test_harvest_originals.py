"""Originals of packages taken away from answers, and the demand that their suites name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.api_changes import add_api_changes
from pytest_coderobust.errors import ConfigError, DataError
from pytest_coderobust.harvest.origin import find_origin
from pytest_coderobust.records import ApiChange, Tests
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.packages.resolve import resolve
from pytest_coderobust.tasks.load import load_tasks

OLD = "packaging.utils.canonicalize_name"
WAYS = (
    "from packaging.utils import canonicalize_name as f\n",
    "import packaging.utils\nf = packaging.utils.canonicalize_name\n",
    "import importlib\nf = getattr(importlib.import_module('packaging.utils'), 'canonicalize_name')\n",
    # A module of the package that imported it hands it out no more.
    "import packaging.metadata\nf = packaging.metadata.utils.canonicalize_name\n",
)
OWN = "import re\n\ndef f(name):\n    return re.sub(r'[-_.]+', '-', name).lower()\n"
# The package's own code goes on finding what answers do not.
USER = "from packaging.requirements import Requirement\nfrom packaging.metadata import Metadata\n"
TESTS = Tests("def check(candidate):\n    assert candidate('A_b') == 'a-b'\n", "check")
ROW = {
    "task_id": "a/1",
    "prompt": 'def f(name):\n    """Normalises."""\n',
    "entry_point": "f",
    "canonical_solution": "    return name.lower()\n",
    "test": TESTS.source,
}


def test_an_answer_that_imports_the_original_of_a_package_is_stale() -> None:
    packages = resolve(("packaging",))
    calls = [f"{way}\ndef g(name):\n    return f(name)\n" for way in WAYS]
    removed = (ApiChange(OLD),)
    with open_sandbox(1) as sandbox:
        stale = [
            sandbox.submit(Check(text, "g", TESTS, api_changes=removed, packages=packages)).result()
            for text in calls
        ]
        before = [
            sandbox.submit(Check(text, "g", TESTS, packages=packages)).result() for text in calls
        ]
        own = sandbox.submit(
            Check(USER + OWN, "f", TESTS, api_changes=removed, packages=packages)
        ).result()
    assert all(verdict.full for verdict in before)
    assert [(verdict.full, verdict.api_uses[0].old > 0) for verdict in stale] == [(False, True)] * 4
    assert own.full
    assert own.api_uses[0].old == 0


def write_suite(folder: Path, changes: list[dict[str, str]], packages: str) -> Path:
    (folder / "tasks.jsonl").write_text(json.dumps({**ROW, "api_changes": changes}))
    path = folder / "suite.toml"
    path.write_text(f'[suite]\ntasks = "tasks.jsonl"\n{packages}')
    return path


def test_a_suite_must_name_the_package(tmp_path: Path) -> None:
    named = write_suite(tmp_path, [{"old": OLD}], '[sandbox]\npackages = ["packaging"]\n')
    tasks = load_tasks("tasks.jsonl", base=tmp_path).tasks
    assert add_api_changes(tasks, read_suite(named))[0].api_changes == (ApiChange(OLD),)
    unnamed = write_suite(tmp_path, [{"old": OLD}], "")
    with pytest.raises(ConfigError, match="no solution sees; name its package"):
        add_api_changes(tasks, read_suite(unnamed))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"old": OLD, "new": "packaging.utils.x"}, "can only be removed, without 'new'"),
        ({"old": "packaging.utils."}, "not a full name"),
        ({"old": "pakaging.utils.x"}, "the standard library has no module 'pakaging'"),
    ],
)
def test_packages_lose_functions_and_get_none(
    change: dict[str, str], told: str, tmp_path: Path
) -> None:
    write_suite(tmp_path, [change], "")
    with pytest.raises(DataError, match=told):
        load_tasks("tasks.jsonl", base=tmp_path)


def test_origins_have_version_and_licence() -> None:
    found = find_origin("packaging.utils")
    assert (found.distribution, found.hidden) == ("packaging", "")
    assert "Apache" in found.licence
    assert found.packages.names == ("packaging",)
    library = find_origin("textwrap")
    assert (library.distribution, library.licence, library.packages.names) == (
        "python", "PSF-2.0", ()
    )  # fmt: skip
    assert find_origin("nobody_has_this").licence == "unknown"
