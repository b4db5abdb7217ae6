"""Trainings of a small random model; as a program, one that is killed in its middle.

python -m tests.support.training_runs WHERE BASE OUT LORA: dies by SIGKILL at the end of a step
("step:7") or inside the writing of a checkpoint ("save:8").
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pytest_coderobust.training.base import require_trainable
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.finetuning import Finetuned, FinetuneRequest, finetune
from pytest_coderobust.training.material import BARE, Material
from pytest_coderobust.training.settings import LoraSettings, TrainingSettings
from pytest_coderobust.training.trainer import TrainingMoment
from tests.support.models_checkpoints import backend

SETTINGS = TrainingSettings(
    rate=3e-3, epochs=2, batch=1, accumulate=2, mean="token", seed=5, save_every=4
)
ROWS = 12  # 6 steps an epoch, 12 in all


def make_material(count: int = ROWS) -> Material:
    examples = tuple(
        TrainingExample(
            str(number),
            (Passage(f"def f{number}(x):\n    # add {number}\n"),),
            f"    return x + {number}\n" * (1 + number % 3),
        )
        for number in range(count)
    )
    return Material("toy rows", BARE, f"toy {count}", examples)


def run(
    base: Path,
    out: Path,
    settings: TrainingSettings = SETTINGS,
    *,
    material: Material | None = None,
    listen: Callable[[TrainingMoment], None] = lambda _: None,
) -> Finetuned:
    """Trains on one thread, whatever the process had before."""
    opened = require_trainable(backend(base), settings)
    threads = torch.get_num_threads()
    try:
        request = FinetuneRequest(opened, material or make_material(), settings, out, threads=1)
        return finetune(request, listen)
    finally:
        torch.set_num_threads(threads)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        found |= load_file(file)
    assert found
    return found


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(where: str, base: str, out: str, lora: str) -> None:
    kind, _, number = where.partition(":")
    if kind == "save":
        save: Any = torch.save

        def save_or_die(value: Any, file: Any, *rest: Any, **more: Any) -> None:
            # The weights of this checkpoint are on disk now, and its optimizer is not.
            if f"checkpoint-{number}" in str(file) and "optimizer" in str(file):
                assert list(Path(str(file)).parent.glob("*.safetensors"))
                Path(str(file)).write_bytes(b"half")
                die()
            save(value, file, *rest, **more)

        torch.save = save_or_die

    def listen(moment: TrainingMoment) -> None:
        if kind == "step" and moment.step == int(number):
            die()

    settings = replace(SETTINGS, lora=LoraSettings(4, 8, 0.3) if lora == "lora" else None)
    run(Path(base), Path(out), settings, listen=listen)


if __name__ == "__main__":
    main(*sys.argv[1:])
