"""The bundled model in process and behind real servers: the same report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from support.real_servers import RealServer, serve_folder
from support.same_reports import measure, write_project

from pytest_coderobust.tiny import checkpoint_path


@pytest.mark.slow
def test_llama_cpp_gives_the_report_of_the_model_in_process(
    project: Project, llama_server: RealServer
) -> None:
    write_project(project, 4, server=llama_server.url, tokenizer=str(checkpoint_path()))
    served = measure(project, "prod")
    # Its cache of prompts is off for canaries, so that equal ones get equal numbers: the floor.
    facts: Any = project.json()["facts"]
    assert facts["canary"].endswith("log-probabilities within 0.001")
    assert served == measure(project, "tiny")


@pytest.mark.slow
def test_transformers_serve_gives_the_report_of_the_model_in_process(
    project: Project, tmp_path: Path
) -> None:
    pytest.importorskip("uvicorn", reason="transformers[serving] is not installed")
    folder = str(checkpoint_path())
    with serve_folder(checkpoint_path(), tmp_path / "log.txt") as server:
        write_project(project, 40, server=server.url, id=server.model, weights=folder, window=512)
        served = measure(project, "prod")
    assert served == measure(project, "tiny")
