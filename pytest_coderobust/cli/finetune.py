"""`coderobust finetune`: train a model on clean or perturbed rows."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.finetune_values import (
    read_lora,
    read_number,
    read_preset,
    read_settings,
)
from pytest_coderobust.cli.options import add_rows, read_choices
from pytest_coderobust.cli.out_folder import check_out_folder
from pytest_coderobust.cli.training_suite import TrainingSuite, read_training_suite
from pytest_coderobust.errors import DataError, UsageError

if TYPE_CHECKING:
    from pytest_coderobust.training.finetuning import Finetuned
    from pytest_coderobust.training.material import Material
    from pytest_coderobust.training.source import TrainingData

OPENING = ("device", "threads", "chat", "allow-bin", "trust-remote-code")
"""The rows of the table of options that say how the base is opened."""


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "finetune", help="train a model on rows; a killed training goes on by the same command"
    )
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="the model to train: a short name (tiny, codellama-7b, ...), a local folder or a hub "
        "id",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="CKPT", help="the folder of the checkpoint"
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="a set of finetune-data, any file that it reads, or tiny:corpus",
    )
    parser.add_argument(
        "--set", metavar="NAME", help="build this set of the data: mix_all, C1, clean, none, ..."
    )
    parser.add_argument(
        "--preset", default="liu2026", metavar="NAME", help="liu2026 (default) or tiny-robust"
    )
    parser.add_argument(
        "--suite",
        metavar="SUITE",
        help="the suite that the model will be tested on: refuse rows that it asks for, and train "
        "on the perturbations that its key train names",
    )
    parser.add_argument(
        "--decontaminate", action="store_true", help="leave those rows out instead of refusing them"
    )
    parser.add_argument("--rows", metavar="N", help="take the first N rows of the data")
    parser.add_argument("--format", metavar="NAME", help="the format of the rows, if not clear")
    parser.add_argument(
        "--template", metavar="TEXT", help='text around a prompt, with "{prompt}" in it'
    )
    parser.add_argument(
        "--lora",
        nargs="?",
        const="",
        metavar="r=16,alpha=32,dropout=0.1",
        help="train an adapter, and leave the model as it is",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="with --lora: also write the model with its adapter merged, as CKPT/merged",
    )
    numbers = parser.add_argument_group("numbers in the place of the preset's")
    for name, text in (
        ("lr", "the highest learning rate"),
        ("epochs", "passes over the rows"),
        ("steps", "train so many steps; with --epochs, no more than these"),
        ("batch", "rows of a forward pass"),
        ("accumulate", "forward passes of a step"),
        ("max-tokens", "longer rows are left out"),
        ("seed", "of the draws, of the order of rows, and of dropout"),
        ("save-every", "steps between two checkpoints"),
    ):
        numbers.add_argument(f"--{name}", metavar="N", help=text)
    add_rows(parser.add_argument_group("the base model, as in pytest"), OPENING)
    parser.set_defaults(command=finetune)


def finetune(options: argparse.Namespace) -> int:
    """Trains, and says in the end how the result is judged."""
    from pytest_coderobust.cli.training_bar import show_training
    from pytest_coderobust.session.bases import open_base
    from pytest_coderobust.training.base import require_trainable
    from pytest_coderobust.training.finetuning import FinetuneRequest
    from pytest_coderobust.training.finetuning import finetune as train
    from pytest_coderobust.training.merging import merge_adapter
    from pytest_coderobust.training.processes import is_main_process

    if options.merge and options.lora is None:
        raise UsageError("--merge merges an adapter into its base: add --lora")
    preset = read_preset(options.preset)
    settings = read_settings(preset.settings, options)
    if options.lora is not None:
        settings = replace(settings, lora=read_lora(options.lora))
    choices = read_choices(options, ["model", *OPENING])
    check_out_folder(options.out)
    material = _read_material(options, settings.seed)
    backend = require_trainable(open_base(choices, options.template, material), settings)
    request = FinetuneRequest(backend, material, settings, options.out, choices.threads)
    if is_main_process():
        print(f"training {backend.name} on {material.name}", flush=True)  # noqa: T201
    with show_training() as listen:
        done = train(request, listen)
    if is_main_process():
        merged = merge_adapter(backend, options.out) if options.merge else None
        _print_end(done, merged or options.out)
    return 0


def _read_material(options: argparse.Namespace, seed: int) -> Material:
    from pytest_coderobust.training.material import read_material
    from pytest_coderobust.training.sets import MIXING

    preset = read_preset(options.preset)
    source = options.data or preset.data
    if not source:
        raise UsageError("--data is missing: name a file of rows, or tiny:corpus")
    # A preset's own set and rows are of its own data.
    own = source == preset.data
    chosen = options.set if options.set is not None else preset.chosen if own else ""
    rows = preset.rows if own else None
    if options.rows is not None:
        rows = read_number("--rows", options.rows, least=1)
    suite = None if options.suite is None else read_training_suite(options.suite)
    if suite is None and options.decontaminate:
        raise UsageError("--decontaminate needs a suite to compare with: --suite SUITE")
    if suite is not None and suite.train and options.set is None:
        chosen = MIXING.join(suite.train)
    return read_material(
        source,
        chosen="" if chosen == "none" else chosen,
        fmt=options.format,
        rows=rows,
        seed=seed,
        screen=lambda data: _screen(data, suite, drop=options.decontaminate),
    )


def _screen(data: TrainingData, suite: TrainingSuite | None, *, drop: bool) -> TrainingData:
    """Leaves out the rows that the suite asks for, or refuses them.

    Raises:
        DataError: there are such rows and they may not be dropped, none is left, or the rows are
            a perturbed set that was not compared with the suite when it was built.
    """
    from pytest_coderobust.training.counting import count_noun
    from pytest_coderobust.training.overlap import drop_overlap

    if suite is None:
        return data
    if data.built and data.built.perturbed:
        # Of a misspelt description too few words are left to know a task by.
        if suite.digest not in data.built.compared:
            raise DataError(
                f"{data.name}: its prompts are perturbed, so rows that are also in the suite "
                f"{suite.name} cannot be found; build the set again with coderobust finetune-data "
                f"--suite {suite.name}, which compares the clean rows"
            )
        return data
    kept, gone = drop_overlap(
        data, suite.tasks.values(), suite.name, drop=drop, remedy="--decontaminate"
    )
    if gone:
        print(f"{count_noun(gone, 'row')} left out: also in the suite {suite.name}")  # noqa: T201
    return kept


def _print_end(done: Finetuned, out: Path) -> None:
    from pytest_coderobust.training.counting import count_noun

    for name in done.broken:
        print(f"{name} had not been written whole and was deleted")  # noqa: T201
    if done.resumed:
        print(f"went on from step {done.resumed}")  # noqa: T201
    if done.too_long:
        left = count_noun(done.too_long, "row")
        print(f"{left} left out: too many tokens (--max-tokens)")  # noqa: T201
    what = "was trained before" if done.already else "trained"
    steps, rows = count_noun(done.steps, "step"), count_noun(done.rows, "row")
    print(f"{what}: {steps} on {rows}, last loss {done.loss:.4f}")  # noqa: T201
    print(f"test it: pytest SUITE.toml --model={out}")  # noqa: T201
