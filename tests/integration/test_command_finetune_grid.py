"""`coderobust finetune-grid`: trained, measured and compared; killed, and gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_coderobust.cli import main
from pytest_coderobust.config.finetune_grid import read_grid
from pytest_coderobust.session.finetune_grid import GridStep, GridWork, prepare_grid, run_grid
from pytest_coderobust.training.settings import TrainingSettings
from pytest_coderobust.training.trainer import TrainingMoment
from tests.support.models_checkpoints import save_random
from tests.support.training_rows import write_rows
from tests.support.training_runs import read_weights

pytest.importorskip("accelerate")
GRID = """
[grid]
bases = ["./base"]
sets = ["C1", "clean"]
suite = "suite.toml"
data = "rows.jsonl"
[training]
steps = 3
lr = 3e-3
accumulate = 4
save_every = 1
"""
SUITE = '[suite]\ntasks = "quickstart"\nlimit = 2\nperturbations = ["C1", "W2"]\n[sampling]\nmax_new_tokens = 4\n'
SETTINGS = TrainingSettings(rate=3e-3, steps=3, accumulate=4, save_every=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    save_random(tmp_path / "base", initializer_range=0.1, window=1024)
    write_rows(
        tmp_path / "rows.jsonl",
        [
            {"prompt": f'def f{n}(x):\n    """Add the number to it."""\n', "completion": f"    return x + {n}\n"}
            for n in range(12)
        ],
    )  # fmt: skip
    (tmp_path / "grid.toml").write_text(GRID)
    (tmp_path / "suite.toml").write_text(SUITE)
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def run(*words: str) -> int:
    return main(["finetune-grid", "grid.toml", "--threads", "1", *words])


def prepare(folder: Path) -> GridWork:
    from pytest_coderobust.session.choices import make_choices, spell_for_command

    given = {"threads": "1", "ledger": str(folder / "grid" / "ledger.sqlite")}
    choices = make_choices(given, spell_for_command)
    return prepare_grid(read_grid(folder / "grid.toml"), "rows.jsonl", None, SETTINGS, choices)


class Killed(Exception):
    """The end of a process in the middle of a training."""


def test_a_killed_grid_goes_on_and_trains_nothing_twice(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[int] = []
    told: list[GridStep] = []
    limit = 5

    def listen(moment: TrainingMoment) -> None:
        heard.append(moment.step)
        if len(heard) == limit:
            raise Killed

    @contextmanager
    def show() -> Generator[Callable[[TrainingMoment], None]]:
        yield listen

    with pytest.raises(Killed):
        run_grid(prepare(folder), show, told.append)
    names = [(step.name, step.trained is not None) for step in told]
    assert names == [
        ("./base", False),
        ("./base, clean, seed 42", True),
        ("./base, clean, seed 42", False),
    ]
    assert heard == [1, 2, 3, 1, 2]  # the control first, whatever the file's order
    capsys.readouterr()
    assert run("--json", "grid.json", "--markdown", "out/grid.md") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "1 base, 2 sets, 1 seed: 2 trainings on 12 rows of rows.jsonl"
    assert lines[2] == "./base, clean, seed 42: was trained before"
    assert "last loss" in lines[4]
    assert lines[4].endswith(", went on from step 1")  # step 2 was lost with the process
    assert [line.partition(":")[0] for line in err.splitlines()] == ["step 2 of 3", "step 3 of 3"]
    document = json.loads((folder / "grid.json").read_text())
    assert document["attributable"] is True
    assert [(entry["trained"], entry["steps"]) for entry in document["models"]] == [
        ("", 0),
        ("clean", 3),
        ("C1", 3),
    ]
    changes = document["models"][2]["changes"]
    assert [change["condition"] for change in changes] == ["clean", "C1", "W2", "all"]
    assert document["models"][1]["unseen"] is None
    assert document["models"][2]["unseen"]["value"] == 0.0
    text = (folder / "out" / "grid.md").read_text()
    assert text.startswith("### Training grid, 2 tasks\n\n| model | steps | clean pass@1 |")
    assert all(line in text for line in ("<code>&#46;/base, C1</code>", "not independent"))
    assert run() == 0
    again, silent = capsys.readouterr()
    assert (silent, again.count("was trained before")) == ("", 2)
    tables = out[out.index("model  ") :]
    assert again.endswith(tables)
    words = ["--data", "rows.jsonl", "--set", "C1", "--steps", "3", "--lr", "3e-3"]
    words += ["--accumulate", "4", "--save-every", "1", "--threads", "1"]
    assert main(["finetune", "--model", "./base", "--out", "alone", *words]) == 0
    alone, own = (read_weights(folder / name) for name in ("alone", "grid/models/base/C1-42"))
    assert all(torch.equal(alone[name], own[name]) for name in alone)


@pytest.mark.slow  # the tables of such a grid have a quick test of their own
def test_without_a_control_the_table_says_what_that_means(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "grid.toml").write_text(
        GRID.replace(', "clean"', "").replace("steps = 3", "steps = 1")
    )
    assert run() == 0
    out = capsys.readouterr().out
    assert "not attributable to perturbation: no model was trained on the control's rows" in out
    assert "Wilcoxon" not in out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"./base"', '"tinny"', "unknown model 'tinny'; did you mean 'tiny'?"),
        ('"./base"', '"oracle"', "model 'oracle' has no weights to train"),
        ('"C1"', '"C9"', "grid.toml: [grid] sets: C9: unknown perturbation 'C9'"),
        ('"C1"', '"ratios"', "grid.toml: [grid] sets: 'ratios' must name one set"),
        ('"suite.toml"', '"none.toml"', "none.toml: no such file"),
        ('data = "rows.jsonl"', "", "grid.toml: [grid] data is missing: name a file, or tiny:corpus"),
        ('"rows.jsonl"', '"gone.jsonl"', "gone.jsonl: there is no such file"),
        ("steps = 3", 'preset = "liu"', "unknown preset 'liu'"),
        ("steps = 3", 'lora = "q=1"', "unknown option of --lora 'q'"),
        ("[training]", 'control = "claen"\n[training]', "[grid] control = 'claen': must be one of sets: C1, clean"),
        ("[training]", "seeds = [1, 4294967296]\n[training]", "[grid] seeds = [1, 4294967296]: must be a list of seeds from 0 to 4294967295"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    (folder / "grid.toml").write_text(GRID.replace(old, new))
    assert run() in (1, 4)
    out, err = capsys.readouterr()
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert not list(folder.glob("grid/models/*"))


def test_a_base_that_cannot_be_trained_is_refused_before_it_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = folder / "base" / "config.json"
    packed = json.loads(config.read_text()) | {"quantization_config": {"quant_method": "awq"}}
    config.write_text(json.dumps(packed))
    assert run() == 4
    out, err = capsys.readouterr()
    assert "has packed weights, which no training moves" in err
    assert (out, err.count("\n")) == ("", 1)


def test_a_template_is_refused_for_messages_by_the_grids_own_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [{"role": "user", "content": "Add one."}, {"role": "assistant", "content": "x + 1"}]
    write_rows(folder / "rows.jsonl", [{"messages": asked}])
    (folder / "grid.toml").write_text(GRID + 'template = "Q {prompt}"\n')
    assert run() == 4
    assert "grid.toml: [training] template: rows of messages" in capsys.readouterr().err


def test_a_base_has_no_unseen_noise_where_the_suite_says_what_is_trained(folder: Path) -> None:
    (folder / "suite.toml").write_text(SUITE.replace("limit = 2", 'limit = 2\ntrain = ["C1"]'))
    assert run("--json", "grid.json") == 0
    models = json.loads((folder / "grid.json").read_text())["models"]
    assert [(each["trained"], each["unseen"] is None) for each in models] == [
        ("", True),
        ("clean", True),
        ("C1", False),
    ]


def test_rows_of_the_suite_are_refused_or_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_coderobust.tiny.suite import TASKS_FILE

    task = json.loads(TASKS_FILE.read_text().splitlines()[0])
    row = {"prompt": task["prompt"], "completion": task["canonical_solution"]}
    with (folder / "rows.jsonl").open("a") as stream:
        stream.write(json.dumps(row) + "\n")
    assert run() == 1
    assert "1 of 13 rows are also in the suite suite.toml" in capsys.readouterr().err
    (folder / "grid.toml").write_text(
        GRID.replace("[training]", "decontaminate = true\n[training]")
    )
    assert len(prepare(folder).data.examples) == 12


@pytest.mark.slow
def test_the_small_grid_on_tiny_ends_in_its_tables(tmp_path: Path) -> None:
    """Four trainings of 300 steps; its process is killed once, in the second of them."""
    (tmp_path / "grid.toml").write_text(
        '[grid]\nbases = ["tiny"]\nsets = ["clean", "C1", "mix_all", "mix_all-50-1"]\n'
        'suite = "suite.toml"\ndecontaminate = true\n[training]\npreset = "tiny-robust"\nrows = 4800\n'
    )
    (tmp_path / "suite.toml").write_text(
        '[suite]\ntasks = "quickstart"\nperturbations = ["C1", "C2", "C3", "W2", "S2"]\n'
        "[sampling]\nmax_new_tokens = 96\n"
    )
    words = ["finetune-grid", "grid.toml", "--threads", "1", "--json", "grid.json"]
    program = [sys.executable, "-m", "pytest_coderobust.cli", *words]
    steps: list[str] = []
    with subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        for line in first.stderr:
            steps.append(line.partition(":")[0])
            if steps.count("step 90 of 300") == 2:
                first.kill()
    ran = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "tiny, clean, seed 42: was trained before" in ran.stdout
    assert ran.stdout.count("went on from step") == 1
    assert ran.stderr.count("step 300 of 300") == 3
    document: dict[str, Any] = json.loads((tmp_path / "grid.json").read_text())
    entries = {entry["trained"]: entry for entry in document["models"]}
    assert list(entries) == ["", "clean", "C1", "mix_all", "mix_all-50-1"]
    assert all(entries[name]["matched"] for name in ("C1", "mix_all", "mix_all-50-1"))
    assert entries["clean"]["clean"]["value"] > 0.7
