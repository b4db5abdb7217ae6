"""The processes that share a training, as `accelerate launch` and `torchrun` start them."""

from __future__ import annotations

import os
from dataclasses import replace

from pytest_coderobust.errors import UsageError
from pytest_coderobust.training.settings import TrainingSettings


def count_processes() -> int:
    """Counts the processes of this training; 1 where no launcher started it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this process is the one that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"


def check_accelerators(visible: int) -> None:
    """Refuses one process that sees several accelerators, which would each take a step's rows.

    Raises:
        UsageError: there are several.
    """
    if visible > 1:
        raise UsageError(
            f"one process sees {visible} accelerators: name one with CUDA_VISIBLE_DEVICES=0, or "
            f"start a process for each: accelerate launch --num_processes {visible} -m "
            "pytest_coderobust.cli finetune ..."
        )


def divide(settings: TrainingSettings, processes: int) -> TrainingSettings:
    """Divides the rows of a step among processes, so that a step stays the same.

    Raises:
        UsageError: they cannot be divided.
    """
    if settings.accumulate % processes == 0:
        return replace(settings, accumulate=settings.accumulate // processes)
    if settings.batch % processes == 0:
        return replace(settings, batch=settings.batch // processes)
    raise UsageError(
        f"{processes} processes cannot share a step of {settings.batch} rows times "
        f"{settings.accumulate}; --batch or --accumulate must be a multiple of {processes}"
    )
