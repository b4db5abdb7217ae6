"""The CI recipes name options and files that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_coderobust.session.options import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = sorted((DOCS / "examples").rglob("*.yml"))
SCRIPTS = sorted((DOCS / "examples").rglob("*.sh"))
PAGES = [DOCS / "ci.md", DOCS / "reports.md", DOCS / "shards.md"]


@pytest.mark.parametrize(
    "path",
    [*(p for p in RECIPES if p.name != "workflow.yml"), *SCRIPTS, *PAGES],
    ids=lambda path: path.name,
)
def test_every_option_exists(path: Path) -> None:
    known = {f"--coderobust-{option.name}" for option in OPTIONS}
    used = set(re.findall(r"--coderobust-[a-z-]+", path.read_text(encoding="utf-8")))
    assert used
    assert used <= known


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_recipe_is_yaml_that_runs_pytest(path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert all(isinstance(each, dict) for each in found)
    if path.name != "workflow.yml":
        assert re.search(r"python -m pytest|pytest suites", str(found))
    assert "${{ inputs" not in "".join(re.findall(r"run: .*", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_is_one_that_a_shell_reads(path: Path) -> None:
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (DOCS / target).exists(), (page.name, target)


@pytest.mark.slow  # importing the package's thousand models takes seconds
def test_kubernetes_knows_every_field_of_the_jobs() -> None:
    client = pytest.importorskip(
        "kubernetes.client", reason="kubernetes is not installed, and has 100 MB with all it needs"
    )
    yaml = pytest.importorskip("yaml")
    text = (DOCS / "examples" / "kubernetes" / "shards.yml").read_text(encoding="utf-8")
    shards, gate = yaml.safe_load_all(text)
    for document in (shards, gate):
        job = client.V1Job.model_validate(document)  # an unknown field or a wrong type raises
        assert client.ApiClient().sanitize_for_serialization(job) == document
        for key, value in (("completionz", 3), ("completions", "many")):
            wrong = {**document, "spec": {**document["spec"], key: value}}
            with pytest.raises(ValueError, match=key):
                client.V1Job.model_validate(wrong)
    spec = client.V1Job.model_validate(shards).spec
    assert (spec.completion_mode, spec.completions) == ("Indexed", spec.parallelism)
    assert f'--coderobust-shard="$number/{spec.completions}"' in text


@pytest.mark.parametrize("name", ["shards.yml", "workflow.yml"])
def test_actionlint_finds_nothing_in_the_workflows(name: str) -> None:
    found = shutil.which("actionlint")
    if found is None:
        pytest.skip("actionlint is not on PATH; its pip package downloads the program from GitHub")
    text = (DOCS / "examples" / "github" / name).read_text(encoding="utf-8")
    for wrong, status in (("", 0), ("needs: shard", 1)):
        given = text.replace(wrong, "needs: shards") if wrong else text
        if wrong and wrong not in text:
            continue
        command = [found, "-no-color", "-stdin-filename", name, "-"]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout
