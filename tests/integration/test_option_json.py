"""`--coderobust-json`: the machine's report."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import Project


def test_document_has_the_published_shape(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.5"]')
    model = project.record(broken=[0], unsolved=[1])
    project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    found = project.json()
    assert list(found)[:7] == ["schema", "suite", "model", "complete", "metrics", "gates", "items"]
    assert next(iter(found["metrics"])) == "clean"
    assert found["metrics"]["clean"]["pass@1"] == pytest.approx(5 / 6)
    assert found["metrics"]["C1"]["pass@1"] == pytest.approx(4 / 6)
    assert found["metrics"]["C1"]["rd"] == pytest.approx(1 / 5)
    assert (found["metrics"]["C1"]["robust"], found["metrics"]["C1"]["broken"]) == (4, 1)
    assert found["gates"][0]["outcome"] == "holds"
    assert len(found["items"]) == 12


def test_document_is_the_same_byte_for_byte_under_xdist(project: Project) -> None:
    project.write_suite('perturbations = ["C1", "C2", "C3"]\nseeds = 3\ngates = ["rd[C1] <= 0.9"]')
    texts = []
    for name, processes in (("one", []), ("two", ["-n", "2"])):
        result = project.run(
            "toy.toml", "--model", "scripted:canonical@0.7", f"--coderobust-json={name}.json",
            f"--coderobust-ledger={name}.sqlite", *processes,
        )  # fmt: skip
        assert result.ret == 0
        section = result.stdout.str().partition("robustness ===")[2].rpartition("\n====")[0]
        texts.append(((project.path / f"{name}.json").read_bytes(), section))
    assert texts[0] == texts[1]
    assert b"broken" in texts[0][0]


def test_folder_that_cannot_be_written_fails_the_run_with_a_sentence(project: Project) -> None:
    project.write_suite()
    (project.path / "file").write_text("")
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-json", "file/out.json")
    result.stdout.fnmatch_lines(["*--coderobust-json*file/out.json cannot be written*"])
    assert result.ret == 1


def test_path_in_the_ini_file_starts_from_the_root(project: Project) -> None:
    project.write_suite()
    project.pytester.makeini("[pytest]\ncoderobust_json = kept/ini.json\n")
    below = project.pytester.mkdir("below")
    words = ("-p", "no:cacheprovider", "../toy.toml", "--coderobust-model=oracle")
    for more in ((), ("--coderobust-json=typed.json",)):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, *more],
            cwd=below, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
    assert (project.path / "kept" / "ini.json").is_file()
    assert [path.name for path in below.iterdir()] == ["typed.json"]
