"""A killed training goes on, and its weights are those of a training that nobody killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pytest_coderobust.errors import UsageError
from pytest_coderobust.training.settings import LoraSettings, TrainingSettings
from tests.support.models_checkpoints import save_random
from tests.support.training_runs import SETTINGS, make_material, read_weights, run

pytest.importorskip("accelerate")
pytest.importorskip("peft")
SLOW = pytest.mark.slow
LORA = replace(SETTINGS, lora=LoraSettings(4, 8, 0.3))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("base"), initializer_range=0.1)


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("where", "settings", "resumed", "broken"),
    [
        # half of its files are there
        pytest.param("save:8", SETTINGS, 4, ("checkpoint-8",), id="in-a-checkpoint"),
        # dropout: the noise goes on, too
        pytest.param("step:7", LORA, 4, (), id="between"),
        pytest.param("save:4", LORA, 0, ("checkpoint-4",), id="in-the-first", marks=SLOW),
        # the last step was done, and is lost
        pytest.param("save:12", SETTINGS, 8, ("checkpoint-12",), id="in-the-last", marks=SLOW),
    ],
)
def test_a_killed_training_gives_the_same_weights(
    base: Path,
    tmp_path: Path,
    where: str,
    settings: TrainingSettings,
    resumed: int,
    broken: tuple[str, ...],
) -> None:
    out = tmp_path / "killed"
    words = [where, str(base), str(out), "lora" if settings.lora else "full"]
    program = [sys.executable, "-m", "tests.support.training_runs", *words]
    root = Path(__file__).parents[2]
    ran = subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == -9, ran.stderr
    assert not list(out.glob("*.safetensors"))
    heard: list[int] = []
    done = run(base, out, settings, listen=lambda moment: heard.append(moment.step))
    assert heard == list(range(resumed + 1, 13))  # and nothing is trained twice
    assert (done.resumed, done.broken, done.steps) == (resumed, broken, 12)
    whole = run(base, tmp_path / "whole", settings)
    assert whole.resumed == 0
    assert same(read_weights(out), read_weights(tmp_path / "whole"))
    assert whole.loss == pytest.approx(done.loss, rel=0.5)  # the first after a resume differs
    steps = [
        json.loads(line)["step"] for line in (out / "training-log.jsonl").read_text().splitlines()
    ]
    assert steps == sorted(set(steps))


def test_seeds_and_numbers_change_the_weights_and_a_second_run_does_not(
    base: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, steps=3)
    first = run(base, tmp_path / "first", settings)
    assert first.steps == 3
    run(base, tmp_path / "again", settings)
    assert same(read_weights(tmp_path / "first"), read_weights(tmp_path / "again"))
    for number, other in enumerate((replace(settings, seed=6), replace(settings, rate=1e-3))):
        run(base, tmp_path / str(number), other)
        assert not same(read_weights(tmp_path / "first"), read_weights(tmp_path / str(number)))
    done = run(base, tmp_path / "first", settings)
    assert done == replace(first, already=True)
    with pytest.raises(UsageError, match=r"holds a training with another seed \(5, and not 6\)"):
        run(base, tmp_path / "first", replace(settings, seed=6))
    with pytest.raises(UsageError, match="holds a training on other data"):
        run(base, tmp_path / "first", settings, material=make_material(6))
    other = save_random(tmp_path / "other", seed=1)
    with pytest.raises(UsageError, match="holds a training of another base"):
        run(other, tmp_path / "first", settings)
