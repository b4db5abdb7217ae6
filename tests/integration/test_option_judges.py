"""`--coderobust-judges`: what cannot be is one sentence, before anything is collected or loaded."""

from __future__ import annotations

import pytest
from conftest import Project


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--coderobust-judges=slurm"], "ERROR: --coderobust-judges 'slurm' must be 'ray', or *"),
        (["--coderobust-judges=ray", "-n2"], "ERROR: --coderobust-judges needs one process, *"),
        (["--coderobust-judges=ray:127.0.0.1:1", "-n0"], "ERROR: *[Rr]ay*"),
    ],
)
def test_judges_that_cannot_be_are_one_sentence(
    project: Project, words: list[str], said: str
) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--model=oracle", *words)
    result.stderr.fnmatch_lines([said])
    result.stderr.no_fnmatch_line("*Traceback*")
    assert result.ret == 4
