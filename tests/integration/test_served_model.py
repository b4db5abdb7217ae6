"""A served model, from the command line to the report: llama.cpp's own server answers."""

from __future__ import annotations

from conftest import Project
from support.real_servers import RealServer

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 4
max_unusable = 1.0
[sampling]
max_new_tokens = 24
"""


def test_a_served_model_is_measured_and_remembered(
    project: Project, llama_server: RealServer
) -> None:
    (project.path / "quick.toml").write_text(SUITE)
    name = f"{llama_server.url}#{llama_server.model}"
    first = project.run("quick.toml", f"--model={name}", "--coderobust-json=out.json")
    assert first.ret == 0, first.stdout.str()
    text = first.stdout.str()
    assert f"served by this machine at: {llama_server.url.split('/')[2]}" in text
    assert "left this machine" not in text
    again = project.run("quick.toml", f"--model={name}", "--coderobust-json=again.json")
    assert again.ret == 0
    found, later = project.json(), project.json("again.json")
    usage, more = found.pop("usage"), later.pop("usage")
    assert found == later
    assert isinstance(usage, dict)
    assert isinstance(more, dict)
    # The second session shakes hands, which costs as well, and asks nothing else.
    assert (usage["sessions"], more["sessions"]) == (1, 2)
    asked = [each["requests"] - each["watching"]["requests"] for each in (usage, more)]
    assert asked[0] == asked[1]
    assert 0 < more["requests"] - usage["requests"] <= 12
