"""The file of `coderobust finetune-grid`: read whole, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.config.finetune_grid import GridTraining, read_grid
from pytest_coderobust.errors import ConfigError

WHOLE = """
[grid]
bases = ["tiny", "./other"]
sets = ["plain", "C1"]
suite = "s.toml"
data = "rows.jsonl"
control = "plain"
seeds = [0, 7]
margin = 0.1
decontaminate = true
[training]
preset = "tiny-robust"
rows = 16
lr = 1e-3
steps = 3
epochs = 2
batch = 4
accumulate = 5
max_tokens = 99
save_every = 1
lora = "r=4"
format = "tasks"
template = "Q {prompt} A"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "grid.toml"
    path.write_text(text)
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    found = read_grid(write(tmp_path, WHOLE))
    assert (found.bases, found.sets) == (("tiny", "./other"), ("plain", "C1"))
    assert (found.suite, found.data, found.control) == ("s.toml", "rows.jsonl", "plain")
    assert (found.seeds, found.margin, found.decontaminate) == ((0, 7), 0.1, True)
    assert found.folder == tmp_path
    numbers = {"rate": 1e-3, "steps": 3, "epochs": 2, "batch": 4, "accumulate": 5}
    numbers |= {"max_tokens": 99, "save_every": 1}
    wanted = GridTraining("tiny-robust", numbers, "r=4", 16, "tasks", "Q {prompt} A")
    assert found.training == wanted


def test_little_is_needed(tmp_path: Path) -> None:
    found = read_grid(write(tmp_path, '[grid]\nbases = "tiny"\nsets = "C1"\nsuite = "humaneval"'))
    assert (found.bases, found.sets, found.control, found.seeds) == (
        ("tiny",),
        ("C1",),
        "clean",
        (42,),
    )
    assert found.training == GridTraining()


SMALL = {"bases": '"tiny"', "sets": '"C1"', "suite": '"s.toml"'}


@pytest.mark.parametrize(
    ("changed", "training", "message"),
    [
        ({"bases": None}, "", r"\[grid\] bases: must name at least one: a model to train"),
        ({"sets": "[]"}, "", r"\[grid\] sets = \[\]: must name at least one: a set of training"),
        ({"sets": '["C1", "C1"]'}, "", "C1 is listed twice"),
        ({"suite": None}, "", r"\[grid\] suite: must name a suite's file"),
        ({"seeds": "[-1]"}, "", r"seeds = \[-1\]: must be a list of seeds from 0 to 4294967295"),
        ({"margin": "2"}, "", "margin = 2: must lie between 0 and 1"),
        ({"set": '"C1"'}, "", r"unknown key 'set'; did you mean 'sets'\?"),
        ({}, "lr = 0", r"\[training\] lr = 0: must be above 0"),
        ({}, "steps = 0", "steps = 0: must be at least 1"),
        ({}, 'template = "x"', r"template = 'x': has no \{prompt\} in it"),
        ({}, "epoch = 1", r"\[training\] unknown key 'epoch'; did you mean 'epochs'\?"),
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path, changed: dict[str, str | None], training: str, message: str
) -> None:
    keys = {key: value for key, value in {**SMALL, **changed}.items() if value is not None}
    lines = [f"{key} = {value}" for key, value in keys.items()]
    text = "\n".join(["[grid]", *lines, "[training]", training])
    with pytest.raises(ConfigError, match=message):
        read_grid(write(tmp_path, text))
