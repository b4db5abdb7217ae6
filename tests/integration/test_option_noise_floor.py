from __future__ import annotations

import pytest
from conftest import Project

SUITE = """[suite]
tasks = "quickstart"
limit = 12
gates = ["pass@1 >= 0.99", {{ gate = "pass@1 >= 0.999", floor = "ignore" }}, "pass@1 >= 0"]
[sampling]
n = 2
temperature = {temperature}
max_new_tokens = 64
"""


@pytest.mark.slow
def test_tiny_moves_by_itself_when_it_samples_and_a_finer_threshold_is_refused(
    project: Project,
) -> None:
    (project.path / "toy.toml").write_text(SUITE.format(temperature=0.8))
    result = project.run("toy.toml", "--model=tiny", "--noise-floor", "--coderobust-json=out.json")
    floor = project.json()["noise_floor"]
    assert isinstance(floor, dict)
    assert floor["tasks"] == 12
    assert set(floor["seeds"]) == {"0", "1", "2"}
    movement = max(floor["seeds"].values()) - min(floor["seeds"].values())
    assert movement > 0
    assert floor["value"] == max(
        movement, max(floor["batches"].values()) - min(floor["batches"].values()), 1 / 12
    )
    gates = project.json()["gates"]
    assert isinstance(gates, list)
    assert gates[0]["outcome"] == "not judged"
    assert "is finer than the noise floor" in gates[0]["reason"]
    assert gates[1]["outcome"] in ("holds", "fails")
    assert gates[2]["outcome"] == "holds"
    result.stdout.fnmatch_lines(["noise floor of the clean pass@1: *", "  sampling seeds *"])
    assert result.ret == 1
