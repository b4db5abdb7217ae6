"""Mistakes with served models: one sentence each, no traceback, and nothing is sent that must not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Project
from support.scripted_server import Asked, Told, serve
from support.served_models import completed

from pytest_coderobust.cli import main
from pytest_coderobust.errors import UsageError
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session

KEY = "sk-sentinel-0123456789abcdef"


def polite(asked: Asked) -> Told:
    """A server of "toy" below /v1."""
    if not asked.path.startswith("/v1/"):
        return Told({"detail": "Not Found"}, 404)
    if asked.path.endswith("/models"):
        return Told({"data": [{"id": "toy", "max_model_len": 4096}, {"id": "second"}]})
    if asked.body["model"] not in ("toy", "second"):
        return Told({"error": {"message": f"The model {asked.body['model']} does not exist"}}, 404)
    return completed("    return 1\n", "length", model=asked.body["model"])


def locked(asked: Asked) -> Told:
    return Told({"error": {"message": "Incorrect API key provided: none"}}, 401)


def moved(asked: Asked) -> Told:
    return Told(status=301, headers={"Location": "http://127.0.0.1:9/v1"})


def say(project: Project, *arguments: str) -> str:
    """The output of a run that cannot be; it has no traceback."""
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", *arguments)
    printed = result.stdout.str() + result.stderr.str()
    assert result.ret not in (0, 1), printed
    assert "Traceback" not in printed
    return printed


@pytest.mark.parametrize(
    ("script", "ending", "told"),
    [
        (polite, "/v1#coder", "the server does not serve 'coder'"),
        (polite, "/v1", "say URL#NAME"),
        (polite, "#toy", "does the address end in /v1?"),
        (locked, "/v1#toy", "the server refuses the key (401)"),
        (moved, "/v1#toy", "(301)"),
    ],
    ids=["wrong name", "no name", "no /v1", "401", "redirect"],
)
def test_a_server_that_cannot_be_measured_is_told_from_the_others(
    project: Project, script: Callable[[Asked], Told], ending: str, told: str
) -> None:
    with serve(script) as server:
        url = server.url.removesuffix("/v1")
        printed = say(project, f"--model={url}{ending}")
    assert f"model '{url}{ending}': " in printed
    assert told in printed


def test_where_no_server_is_it_is_told(project: Project) -> None:
    with serve(polite) as server:
        gone = server.url
    printed = say(project, f"--model={gone}#toy")
    place = gone.split("/")[2]
    assert f"no server answers at {place}: cannot connect: Connection refused" in printed


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("http://169.254.169.254/v1#m", "a link-local or metadata address"),
        ("http://me:pw@host/v1#m", "holds credentials"),
        ("http:/host", "is no address of a server"),
        ("openai:", "a name belongs behind it"),
        ("prod", "the value of PROD_KEY may not go to models.example.org"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused_at_once(
    project: Project, model: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROD_KEY", KEY)
    (project.path / "pyproject.toml").write_text(
        '[tool.coderobust.models.prod]\nserver = "https://models.example.org/v1"\n'
        'id = "toy"\napi_key_env = "PROD_KEY"\n[tool.pytest.ini_options]\n'
    )
    with pytest.raises(UsageError) as caught:
        open_session(Choices(model=model), project.path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


TYPED = "counts on the command line only"


@pytest.mark.parametrize(
    ("ini", "arguments", "told"),
    [
        (
            "",
            ["--model=http://10.0.0.5/v1#m", "--coderobust-api-key-env=PROD_KEY"],
            "over plain http",
        ),
        ("addopts = '--coderobust-api-key-env=PROD_KEY'", ["--model=https://10.0.0.5/v1#m"], TYPED),
        ("coderobust_api_key_env = 'PROD_KEY'", ["--model=https://10.0.0.5/v1#m"], TYPED),
        (
            "addopts = '--coderobust-model=https://10.0.0.5/v1#m'",
            ["--coderobust-api-key-env=PROD_KEY"],
            TYPED,
        ),
        (
            "coderobust_model = 'https://10.0.0.5/v1#m'",
            ["--coderobust-api-key-env=PROD_KEY"],
            TYPED,
        ),
    ],
    ids=["plain http", "key in addopts", "key in ini", "model in addopts", "model in ini"],
)
def test_a_file_cannot_send_a_key_away(
    project: Project,
    ini: str,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROD_KEY", KEY)
    (project.path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{ini}\n")
    assert told in say(project, *arguments)


def test_a_key_that_was_typed_with_its_address_is_sent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROD_KEY", KEY)
    project.write_suite('perturbations = ["C1"]\nlimit = 1\nmax_unusable = 1.0')
    with serve(polite) as server:
        result = project.run(
            "toy.toml", f"--model={server.url}#toy", "--coderobust-api-key-env=PROD_KEY",
            "--coderobust-sandbox-workers=1", "-n0",
        )  # fmt: skip
    assert "unsolved" in result.stdout.str(), result.stdout.str()
    assert {asked.headers.get("authorization") for asked in server.asked} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("/v1#toy", 0, "server             unknown"),
        ("/v1#coder", 2, "the server does not serve 'coder'"),
        ("/v2", 2, "has nothing at /models (404); does the address end in /v1? If it does, say"),
        ("/v1?key=1", 4, "has a '?'"),
    ],
)
def test_doctor_asks_a_server_and_ends_as_pytest_does(
    ending: str,
    status: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve(polite) as server:
        name = server.url.removesuffix("/v1") + ending
        assert main(["doctor", "--model", name]) == status
        asked = server.asked[:]
    printed = capsys.readouterr()
    assert told in printed.out + printed.err
    assert (asked == []) is (status == 4)
    assert len(asked) <= 12
    assert not any(tmp_path.iterdir()), "nothing is kept"
