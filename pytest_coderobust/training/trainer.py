"""The training itself: transformers' Trainer on encoded rows, with our own voice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from pytest_coderobust.files import replace_file
from pytest_coderobust.training.encoding import EncodedExample, pad
from pytest_coderobust.training.output import TrainingFolder, mark_whole
from pytest_coderobust.training.processes import (
    check_accelerators,
    count_processes,
    divide,
    is_main_process,
)
from pytest_coderobust.training.settings import LossMean, TrainingSettings

LOOKS = 20
"""Losses that are logged in a training, at least, if it has as many steps."""


@dataclass(frozen=True, slots=True)
class TrainingMoment:
    """The state of a training after a step.

    Attributes:
        loss: the mean over the steps since the last one that was logged; None before the first.
        tokens: tokens a second, prompts and answers together, since the process began.
    """

    step: int
    steps: int
    loss: float | None
    tokens: float


TrainingListener = Callable[[TrainingMoment], None]
"""Hears of each step when it ends, in the process that speaks."""


class TrainingVoice(TrainerCallback):
    """Tells the listener of each step, logs losses, and marks checkpoints that are whole.

    Args:
        row_tokens: mean tokens of a row.
    """

    def __init__(
        self, folder: TrainingFolder, listen: TrainingListener, row_tokens: float, rows: int
    ) -> None:
        self._folder = folder
        self._listen = listen
        self._step_tokens = row_tokens * rows
        self._begun = time.monotonic()
        self._first = 0
        self.losses: list[dict[str, float]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self._begun, self._first = time.monotonic(), state.global_step
        # Losses of steps that are done again are forgotten.
        self.losses = [each for each in _read_log(self._folder.log) if each["step"] <= self._first]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if is_main_process():
            seconds = max(time.monotonic() - self._begun, 1e-9)
            tokens = (state.global_step - self._first) * self._step_tokens / seconds
            loss = self.losses[-1]["loss"] if self.losses else None
            self._listen(TrainingMoment(state.global_step, state.max_steps, loss, tokens))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        if logs and "loss" in logs:
            rate = float(logs.get("learning_rate", 0.0))
            self.losses.append({"step": state.global_step, "loss": logs["loss"], "rate": rate})
            if is_main_process():
                text = "".join(json.dumps(each) + "\n" for each in self.losses)
                replace_file(self._folder.log, text.encode("ascii"))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        del control
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # each process writes a file of its own into a checkpoint
        if is_main_process():
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def count_steps(rows: int, settings: TrainingSettings) -> int:
    """Counts the steps of a training; an incomplete last step of an epoch is one."""
    if not settings.epochs:
        return settings.steps
    an_epoch = -(-rows // (settings.batch * settings.accumulate))
    planned = an_epoch * settings.epochs
    return min(settings.steps, planned) if settings.steps else planned


def make_trainer(
    model: Any,
    rows: Sequence[EncodedExample],
    arguments: TrainingArguments,
    voice: TrainingVoice,
    *,
    mean: LossMean,
    token: int,
) -> Trainer:
    """Makes a trainer that has done nothing yet.

    Args:
        token: the id that shorter rows are filled with.
    """
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=cast("Any", list(rows)),  # anything with a length and items
        data_collator=lambda batch: {
            name: torch.tensor(values) for name, values in pad(batch, token).items()
        },
        callbacks=[voice],
    )
    # True: the loss is summed and divided by the answers' tokens of the step. False: the mean
    # loss of each forward pass counts as much as any other.
    trainer.model_accepts_loss_kwargs = mean == "token"
    trainer.remove_callback(PrinterCallback)  # prints each log line where there is no bar
    return trainer


def make_arguments(
    rows: int, settings: TrainingSettings, folder: TrainingFolder, device: str
) -> TrainingArguments:
    """Makes the trainer's arguments; processes that a launcher started find one another here.

    Args:
        rows: the number of rows.
        device: "cpu", or any accelerator, on which matrices are multiplied in bfloat16 while the
            weights stay in float32.

    Raises:
        UsageError: the processes cannot share a step, or one process sees several accelerators.
    """
    own = divide(settings, count_processes())
    steps = count_steps(rows, settings)
    arguments = TrainingArguments(
        output_dir=str(folder.checkpoints),
        per_device_train_batch_size=own.batch,
        gradient_accumulation_steps=own.accumulate,
        max_steps=steps,
        learning_rate=settings.rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=int(settings.warm * steps),
        weight_decay=settings.decay,
        adam_epsilon=1e-8,
        max_grad_norm=settings.clip,
        optim="adamw_torch_fused",
        seed=settings.seed,
        data_seed=settings.seed,
        logging_steps=max(1, min(10, steps // LOOKS)),
        logging_nan_inf_filter=False,
        save_steps=settings.save_every or -(-steps // 10),
        save_total_limit=2,
        use_cpu=device == "cpu",
        bf16=device != "cpu",
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=device != "cpu",
    )
    check_accelerators(arguments.n_gpu)
    return arguments


def _read_log(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
