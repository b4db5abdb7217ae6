"""Weights swapped behind the same address: refused, and what they answered is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FUNCTIONS, Project
from support.models_checkpoints import save_random
from support.real_servers import serve_gguf
from support.recorded_servers import LLAMA, play
from support.scripted_server import Asked, Script, ScriptedServer, Told, serve
from support.served_checkpoint import ServedCheckpoint
from support.tiny_gguf import write_gguf

from pytest_coderobust.tiny import checkpoint_path

TOKENS = 17
"""Tokens of the suite's answers, by which the tests tell its rows from canaries."""

SECTIONS = f"[sampling]\nmax_new_tokens = {TOKENS}\n"

KILL = """
import os
import signal

from pytest_coderobust.engine.guarding import Guard

store = Guard.store


def store_and_die(self, *arguments, **named):
    store(self, *arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)


Guard.store = store_and_die
"""
"""A conftest that kills the run when its first answers are stored."""


GIVEN = """
import pytest
from hypothesis import given, strategies as st
from coderobust_strategies.hypothesis_strategies import perturbed

@pytest.mark.coderobust(suite="toy.toml")
@given(data=st.data())
def test_survives_typos(code_task, solve, data):
    assert solve(data.draw(perturbed(code_task.prompt, "C1", max_edits=3))).full
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("served")
    return tuple(save_random(base / str(seed), window=512, seed=seed) for seed in (0, 1))  # type: ignore[return-value]


@pytest.fixture
def server(folders: tuple[Path, Path]) -> Iterator[ScriptedServer]:
    with serve(ServedCheckpoint(folders[0], window=512)) as running:
        yield running


def swapped_after(rows: int, before: Script, after: Script) -> Script:
    """Other weights, from the moment that so many rows of the suite were asked."""
    asked_rows: list[Asked] = []

    def answer(asked: Asked) -> Told:
        if asked.body and asked.body.get("max_tokens") == TOKENS:
            asked_rows.append(asked)
        return (before if len(asked_rows) <= rows else after)(asked)

    return answer


def count(project: Project, table: str) -> int:
    with sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite") as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def rows_asked(server: ScriptedServer) -> list[object]:
    bodies = server.bodies("/completions")
    return [body["prompt"] for body in bodies if body.get("max_tokens") == TOKENS]


def test_a_swap_in_mid_run_ends_it_and_its_answers_are_gone(
    project: Project, server: ScriptedServer, folders: tuple[Path, Path]
) -> None:
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    server.script = swapped_after(5, server.script, ServedCheckpoint(folders[1], window=512))
    result = project.run("toy.toml", f"--model={server.url}")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*another model answers than before at 127.0.0.1:*: canary *"])
    assert len(rows_asked(server)) == 12
    assert (count(project, "completions"), count(project, "observations")) == (0, 0)
    server.script = ServedCheckpoint(folders[1], window=512)
    renewed = project.run(
        "toy.toml", f"--model={server.url}", "--coderobust-new-generation", "--coderobust-json=j"
    )
    assert renewed.ret == 0, renewed.stdout.str()
    assert project.json("j")["identity"] == {"tier": "observed", "weak": False}
    assert count(project, "completions") == 12


def solve(asked: Asked) -> Told | None:
    """The solutions of the toy project, whatever the words around them."""
    body = asked.body or {}
    if body.get("max_tokens") != TOKENS:
        return None
    name = str(body["prompt"]).partition("(")[0].removeprefix("def ")
    choice = {"text": f"    return {FUNCTIONS[name][1]}\n", "finish_reason": "stop"}
    return Told({"model": LLAMA.answers_as, "choices": [choice], "usage": {}})


def fail(asked: Asked) -> Told:
    """Another model behind the same address, which solves nothing."""
    told = play(LLAMA, solve)(asked)
    if "choices" in (told.body or {}):
        told.body["choices"][0] |= {"text": "    return None\n"}
    return told


@pytest.mark.parametrize("way", ["hunt", "given"])
def test_what_the_answers_of_another_model_broke_is_not_kept(project: Project, way: str) -> None:
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    project.pytester.makepyfile(test_given=GIVEN)
    with serve(play(LLAMA, solve)) as server:
        words = {"hunt": ("toy.toml", "--hunt", "--budget=30"), "given": ("test_given.py", "-k0")}
        assert project.run("toy.toml", f"--model={server.url}").ret == 0
        server.script = swapped_after(2, server.script, fail)
        result = project.run(f"--model={server.url}", *words[way])
    assert result.ret != 0
    assert "another model answers than before" in result.stdout.str()
    assert "broken by" not in result.stdout.str()
    assert list(project.path.glob(".coderobust/failures/*")) == []


def test_what_a_killed_run_left_is_forgotten_where_the_weights_are_swapped(
    project: Project, server: ScriptedServer, folders: tuple[Path, Path]
) -> None:
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    (project.path / "conftest.py").write_text(KILL)
    assert project.run("toy.toml", f"--model={server.url}").ret == -9
    (project.path / "conftest.py").unlink()
    left = count(project, "completions")
    assert left > 0
    server.script, first = ServedCheckpoint(folders[1], window=512), server.script
    before = len(rows_asked(server))
    result = project.run("toy.toml", f"--model={server.url}")
    result.stdout.fnmatch_lines([f"*forgotten answers since the last good look: {left}*"])
    assert count(project, "completions") == 0
    assert len(rows_asked(server)) == before  # the model that was swapped in is asked nothing
    server.script = first
    assert project.run("toy.toml", f"--model={server.url}").ret == 0
    assert count(project, "completions") == 12


def test_what_a_killed_run_left_is_kept_where_the_weights_are_the_same(
    project: Project, server: ScriptedServer
) -> None:
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    (project.path / "conftest.py").write_text(KILL)
    assert project.run("toy.toml", f"--model={server.url}").ret == -9
    (project.path / "conftest.py").unlink()
    left, before = count(project, "completions"), len(rows_asked(server))
    assert project.run("toy.toml", f"--model={server.url}").ret == 0
    assert count(project, "completions") == 12
    assert len(rows_asked(server)) - before == 12 - left


@pytest.mark.slow
def test_the_processes_of_a_session_meet_one_model(
    project: Project, server: ScriptedServer
) -> None:
    pytest.importorskip("xdist")
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    result = project.run("toy.toml", f"--model={server.url}", "--coderobust-new-generation", "-n2")
    assert result.ret == 0, result.stdout.str()
    assert (count(project, "generations"), count(project, "contacts")) == (1, 1)
    assert (count(project, "completions"), len(rows_asked(server))) == (12, 12)
    assert count(project, "intervals WHERE state = 'open'") == 0


@pytest.mark.slow
def test_a_real_server_with_other_weights_is_refused(
    project: Project, tiny_gguf: Path, tmp_path: Path
) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    other = write_gguf(checkpoint_path(), tmp_path / "other.gguf", noise=0.1)
    project.write_suite('perturbations = ["C1"]', sections=SECTIONS)
    with serve_gguf(tiny_gguf, tmp_path / "log", exact=True) as real:
        port = int(real.url.split(":")[2].split("/")[0])
        (project.path / "pyproject.toml").write_text(
            f'[tool.coderobust.models.prod]\nserver = "{real.url}"\nweights = "{checkpoint_path()}"\n'
        )
        run = ("toy.toml", "--model=prod", "--coderobust-demand-identity=verified")
        (project.path / "conftest.py").write_text(KILL)
        assert project.run(*run).ret == -9
        (project.path / "conftest.py").unlink()
        left = count(project, "completions")
    with serve_gguf(other, tmp_path / "log", exact=True, port=port):
        result = project.run(*run)
        assert result.ret != 0
        result.stdout.fnmatch_lines(["*another model answers than before at*: canary *"])
        result.stdout.fnmatch_lines([f"*forgotten answers since the last good look: {left}*"])
        assert count(project, "completions") == 0
        # A ledger that never met it: our own network of the folder tells.
        fresh = project.run(*run, "--coderobust-ledger=fresh.sqlite")
        fresh.stdout.fnmatch_lines(
            ["*its log-probabilities are up to 0.0* away from those of the*"]
        )
    with serve_gguf(tiny_gguf, tmp_path / "log", exact=True, port=port):
        result = project.run(*run)
        assert result.ret == 0, result.stdout.str()
        result.stdout.fnmatch_lines(["*identity: verified: weights *"])
        assert count(project, "completions") == 12
